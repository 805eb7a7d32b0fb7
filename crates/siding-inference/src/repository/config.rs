//! `model.toml`: how a model is served.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::runtime::Device;

/// How a model is served. Everything has a default, and so the file need not be there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// The runtime: the first that the program was built with, `tract` by default, unless set.
    pub runtime: Option<String>,
    /// What computes: the CPU unless set.
    pub device: Device,
    /// Threads that share one run's work. On the CPU a run takes one thread of the compute lane, which has one a core: more of them take
    /// cores that other runs, or the event loop, count on.
    pub threads: usize,
    /// How many batches run at the same time; see [`instances_of`](Self::instances_of).
    pub instances: Option<usize>,
    /// Which versions are served.
    pub versions: Versions,
    /// How often the model is run on zeros before it is asked.
    pub warm_up: usize,
    /// Batches.
    pub batching: Batching,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            runtime: None,
            device: Device::Cpu,
            threads: 1,
            instances: None,
            versions: Versions::default(),
            warm_up: 1,
            batching: Batching::default(),
        }
    }
}

/// Which versions are served.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Versions {
    /// All of them.
    All,
    /// So many of the highest.
    Latest(usize),
    /// These.
    Only(Vec<u64>),
}

impl Default for Versions {
    fn default() -> Self {
        Self::Latest(1)
    }
}

impl Versions {
    /// Those of `there` that are served; `there` is in ascending order.
    pub(super) fn of(&self, there: &[u64]) -> Vec<u64> {
        match self {
            Self::All => there.to_vec(),
            Self::Latest(count) => there[there.len().saturating_sub(*count)..].to_vec(),
            Self::Only(only) => {
                let served = there.iter().filter(|version| only.contains(version));
                served.copied().collect()
            }
        }
    }
}

/// Limits of batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Batching {
    /// The most rows in a batch. 1 turns batching off.
    pub rows_max: usize,
    /// How long, in microseconds, a request waits for others while the model is free. At 0 a batch is what has come together
    /// while the one before it ran: that costs nobody time.
    pub delay_us: u64,
    /// Requests that may wait.
    pub waiting_max: usize,
}

impl Default for Batching {
    fn default() -> Self {
        Self {
            rows_max: 32,
            delay_us: 0,
            waiting_max: 256,
        }
    }
}

impl Batching {
    /// How long a request waits for others.
    #[must_use]
    pub const fn delay(&self) -> Duration {
        Duration::from_micros(self.delay_us)
    }
}

impl ModelConfig {
    /// How many batches run at the same time, on a compute lane of so many threads. Unless it is set: on the CPU as many as use them all,
    /// and one on a GPU, which is busy with one.
    #[must_use]
    pub fn instances_of(&self, compute_threads: usize) -> usize {
        let sensible = match self.device {
            Device::Cpu => (compute_threads / self.threads).max(1),
            Device::Cuda(_) => 1,
        };
        self.instances.unwrap_or(sensible)
    }

    /// Reads the file, if it is there.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(format!("model.toml cannot be read: {error}")),
        };
        let config: Self = toml::from_str(&text).map_err(|error| format!("model.toml: {error}"))?;
        let rules = [
            (
                config.instances != Some(0),
                "`instances` must be at least 1",
            ),
            (config.threads >= 1, "`threads` must be at least 1"),
            (
                config.batching.rows_max >= 1,
                "`batching.rows_max` must be at least 1",
            ),
            (
                config.batching.waiting_max >= 1,
                "`batching.waiting_max` must be at least 1",
            ),
            (
                config.batching.delay_us <= 60_000_000,
                "`batching.delay_us` must be at most a minute",
            ),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(format!("model.toml: {rule}")),
            None => Ok(config),
        }
    }
}
