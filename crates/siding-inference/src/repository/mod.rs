//! The models in a directory: which there are, which are served, and their replacement.
//!
//! # Layout
//! `<model>/<version>/model.onnx`, or `<model>/model.onnx` for version 1, and `<model>/model.toml` if the defaults do not fit
//! ([`ModelConfig`]). Names that begin with a dot are passed over: what is copied there and then renamed is never seen half.
//!
//! # Replacement
//! Files are looked at again and again, and a model is loaded anew when its files have changed and then stayed the same from one look to
//! the next. The new version is loaded and warmed up beside the old one, and then takes its place at once. The old one runs what it has
//! accepted; a request that comes to it too late goes to the new one. One that does not load leaves the old one in place.
//!
//! # Invariants
//! - One model is loaded at a time, whoever asks for it; requests never wait for that.
//! - What one model does wrong, panics included, does not concern another.

mod config;
mod layout;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use siding::runtime::Handle;
use tokio::time::Instant;

pub use config::{Batching, ModelConfig, Versions};
use layout::Layout;

use crate::batch::InferError;
use crate::protocol::{IndexEntry, ProtocolError, Tensor, VersionState};
use crate::runtime::{LoadOptions, Model, Runtime};
use crate::served::{Served, Started, warm_up};

/// The models in a directory. A cheap clone.
#[derive(Clone, Debug)]
pub struct Repository(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    runtimes: Vec<Arc<dyn Runtime>>,
    models: RwLock<BTreeMap<String, Arc<Entry>>>,
    /// Held by whoever changes `models`.
    changing: tokio::sync::Mutex<()>,
}

/// One model.
#[derive(Debug)]
struct Entry {
    layout: Layout,
    versions: BTreeMap<u64, Version>,
    /// Why there are no versions; empty when there are.
    reason: String,
}

#[derive(Clone, Debug)]
struct Version {
    served: Option<Arc<Served>>,
    reason: String,
}

/// Why a model cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookUpError {
    /// There is none of this name or version.
    #[error("there is no model `{model}`{}", version_of(.version))]
    Unknown {
        /// The name that was asked for.
        model: String,
        /// The version that was asked for.
        version: Option<String>,
    },
    /// It is there, but is not served.
    #[error("the model `{model}` is not ready: {reason}")]
    Unavailable {
        /// Its name.
        model: String,
        /// Why not.
        reason: String,
    },
}

fn version_of(version: &Option<String>) -> String {
    version
        .as_ref()
        .map_or_else(String::new, |version| format!(" of version `{version}`"))
}

/// Why a request has no outputs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The model cannot be asked.
    #[error(transparent)]
    LookUp(#[from] LookUpError),
    /// The inputs are not what the model takes.
    #[error(transparent)]
    Inputs(#[from] ProtocolError),
    /// It was asked in vain.
    #[error(transparent)]
    Infer(#[from] InferError),
}

impl Repository {
    /// The models in `root`, none of which is served yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, runtimes: Vec<Arc<dyn Runtime>>) -> Self {
        Self(Arc::new(Inner {
            root: root.into(),
            runtimes,
            models: RwLock::default(),
            changing: tokio::sync::Mutex::default(),
        }))
    }

    /// Loads every model. One that does not load is in the [index](Self::index) with its reason.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub async fn open(&self) -> io::Result<()> {
        let _changing = self.0.changing.lock().await;
        for (name, layout) in self.scan().await? {
            self.replace(name, layout).await;
        }
        Ok(())
    }

    /// Looks at the files every `period`, and loads, replaces and removes models as they change. It ends with the runtime.
    pub async fn watch(self, period: Duration) {
        let mut before = None;
        loop {
            tokio::time::sleep(period).await;
            match self.scan().await {
                Ok(now) => {
                    let settled = before.as_ref().unwrap_or(&now);
                    self.follow(&now, settled).await;
                    before = Some(now);
                }
                Err(error) => tracing::warn!("failed to look for models: {error}"),
            }
        }
    }

    /// Makes what is served what the files are, as far as they have not changed since the last look.
    async fn follow(&self, now: &BTreeMap<String, Layout>, before: &BTreeMap<String, Layout>) {
        let _changing = self.0.changing.lock().await;
        let known = self.models();
        for (name, layout) in now {
            let is_new = known.get(name).is_none_or(|entry| entry.layout != *layout);
            if is_new && before.get(name) == Some(layout) {
                self.replace(name.clone(), layout.clone()).await;
            }
        }
        for (name, entry) in known {
            if !now.contains_key(&name) && !before.contains_key(&name) {
                tracing::info!(model = name, "removed, as its files are gone");
                self.write(|models| models.remove(&name));
                entry.retire();
            }
        }
    }

    /// Loads a model, or loads it anew.
    ///
    /// # Errors
    /// When it is not in the directory, or none of its versions loads.
    pub async fn load(&self, model: &str) -> Result<(), LookUpError> {
        let _changing = self.0.changing.lock().await;
        let unavailable = |reason| LookUpError::Unavailable {
            model: model.to_owned(),
            reason,
        };
        let mut there = self
            .scan()
            .await
            .map_err(|error| unavailable(error.to_string()))?;
        let layout = there.remove(model).ok_or_else(|| unknown(model, None))?;
        let entry = self.replace(model.to_owned(), layout).await;
        match entry.failure() {
            Some(reason) => Err(unavailable(reason)),
            None => Ok(()),
        }
    }

    /// Unloads all versions of a model, until it is loaded or its files change. What they have accepted is answered.
    ///
    /// # Errors
    /// When there is no such model.
    pub async fn unload(&self, model: &str) -> Result<(), LookUpError> {
        let _changing = self.0.changing.lock().await;
        let entry = self
            .models()
            .remove(model)
            .ok_or_else(|| unknown(model, None))?;
        let unloaded = Version {
            served: None,
            reason: "unloaded".to_owned(),
        };
        let versions = entry
            .versions
            .keys()
            .map(|version| (*version, unloaded.clone()));
        let replacement = Arc::new(Entry {
            layout: entry.layout.clone(),
            versions: versions.collect(),
            reason: entry.reason.clone(),
        });
        self.write(|models| models.insert(model.to_owned(), replacement));
        entry.retire();
        Ok(())
    }

    /// A version of a model; the highest that is served when none is named.
    ///
    /// # Errors
    /// When it is not there or not served.
    pub fn find(&self, model: &str, version: Option<&str>) -> Result<Arc<Served>, LookUpError> {
        let models = self.0.models.read().unwrap_or_else(PoisonError::into_inner);
        let entry = models.get(model).ok_or_else(|| unknown(model, None))?;
        let found = match version.filter(|version| !version.is_empty()) {
            Some(named) => {
                let number = named.parse::<u64>().ok();
                let found = number.and_then(|number| entry.versions.get(&number));
                Some(found.ok_or_else(|| unknown(model, Some(named)))?)
            }
            None => {
                let mut newest_first = entry.versions.values().rev();
                newest_first
                    .find(|version| version.served.is_some())
                    .or(entry.versions.values().next_back())
            }
        };
        let reason = found.map_or(&entry.reason, |version| &version.reason);
        found
            .and_then(|version| version.served.clone())
            .ok_or_else(|| LookUpError::Unavailable {
                model: model.to_owned(),
                reason: reason.clone(),
            })
    }

    /// Runs a model. A request that meets its replacement is given to that.
    ///
    /// # Errors
    /// When there is no such model, it does not take these inputs, or it was asked in vain.
    pub async fn infer(
        &self,
        (model, version): (&str, Option<&str>),
        mut inputs: Vec<Tensor>,
        deadline: Option<Instant>,
    ) -> Result<(Arc<Served>, Vec<Tensor>), RequestError> {
        loop {
            let served = self.find(model, version)?;
            match served.infer(served.fit(inputs)?, deadline).await {
                Ok(outcome) => return Ok((served, outcome?)),
                // It leaves the index before its queue is closed, so the next look finds another.
                Err(back) => inputs = back,
            }
        }
    }

    /// Every version of every model.
    #[must_use]
    pub fn index(&self) -> Vec<IndexEntry> {
        let mut index = Vec::new();
        for (name, entry) in self.models() {
            let line = |version: String, state, reason: &str| IndexEntry {
                name: name.clone(),
                version,
                state,
                reason: reason.to_owned(),
            };
            if entry.versions.is_empty() {
                index.push(line(
                    String::new(),
                    VersionState::Unavailable,
                    &entry.reason,
                ));
            }
            for (number, version) in &entry.versions {
                let state = match version.served {
                    Some(_) => VersionState::Ready,
                    None => VersionState::Unavailable,
                };
                index.push(line(number.to_string(), state, &version.reason));
            }
        }
        index
    }

    /// What is served now.
    #[must_use]
    pub fn served(&self) -> Vec<Arc<Served>> {
        let models = self.models();
        let versions = models.values().flat_map(|entry| entry.versions.values());
        versions
            .filter_map(|version| version.served.clone())
            .collect()
    }

    /// The versions of a model that are served.
    #[must_use]
    pub fn versions(&self, model: &str) -> Vec<String> {
        let served = self.served();
        let of_model = served.iter().filter(|served| served.name == model);
        of_model.map(|served| served.version.to_string()).collect()
    }

    async fn scan(&self) -> io::Result<BTreeMap<String, Layout>> {
        let root = self.0.root.clone();
        siding::offload(move || layout::scan(&root))
            .await
            .map_err(io::Error::other)?
    }

    /// Loads a model beside what is served of it, and puts it into its place. The caller holds `changing`.
    async fn replace(&self, name: String, layout: Layout) -> Arc<Entry> {
        let before = self.models().remove(&name);
        let entry = Arc::new(self.loaded(&name, layout, before.as_deref()).await);
        self.write(|models| models.insert(name, Arc::clone(&entry)));
        if let Some(before) = before {
            before.retire_all_but(&entry);
        }
        entry
    }

    async fn loaded(&self, name: &str, layout: Layout, before: Option<&Entry>) -> Entry {
        let file = layout.config.clone();
        let config = siding::offload(move || ModelConfig::read(&file)).await;
        let config = config.unwrap_or_else(|error| Err(error.to_string()));
        let there: Vec<u64> = layout.versions.keys().copied().collect();
        let numbers = match &config {
            Ok(config) => config.versions.of(&there),
            Err(_) => there,
        };
        let mut versions = BTreeMap::new();
        for number in numbers {
            let old = before.and_then(|before| before.versions.get(&number)?.served.clone());
            let loading = async {
                self.version((name, number), config.clone()?, &layout.versions[&number])
                    .await
            };
            let version = match loading.await {
                Ok(served) => {
                    tracing::info!(model = name, version = number, "loaded");
                    Version {
                        served: Some(served),
                        reason: String::new(),
                    }
                }
                Err(reason) => {
                    tracing::error!(model = name, version = number, "failed to load: {reason}");
                    Version {
                        served: old,
                        reason,
                    }
                }
            };
            versions.insert(number, version);
        }
        let reason = config
            .err()
            .unwrap_or_else(|| "it has no version that model.toml wants".to_owned());
        Entry {
            layout,
            versions,
            reason,
        }
    }

    async fn version(
        &self,
        (name, number): (&str, u64),
        config: ModelConfig,
        file: &Path,
    ) -> Result<Arc<Served>, String> {
        let runtime = self.runtime(&config.runtime)?;
        let compute_threads = Handle::current().config().compute.threads;
        let instances = config.instances_of(compute_threads);
        let options = LoadOptions {
            device: config.device,
            threads: config.threads,
            instances,
        };
        let (file, settings) = (file.to_owned(), config.clone());
        let load = move || -> Result<(Arc<dyn Model>, _), String> {
            let model = runtime
                .load(&file, options)
                .map_err(|error| error.to_string())?;
            let batches =
                warm_up(&*model, &settings).map_err(|error| format!("warm-up: {error}"))?;
            Ok((model, batches))
        };
        let (model, batches) = siding::offload(load)
            .await
            .map_err(|error| error.to_string())??;
        let started = Started {
            config,
            instances,
            batches,
        };
        Ok(Served::start((name.to_owned(), number), model, started))
    }

    fn runtime(&self, name: &str) -> Result<Arc<dyn Runtime>, String> {
        let runtimes = &self.0.runtimes;
        let known = runtimes.iter().find(|runtime| runtime.name() == name);
        known.cloned().ok_or_else(|| {
            if runtimes.is_empty() {
                return format!(
                    "`{name}` is not there: this program was built without any runtime"
                );
            }
            let names: Vec<_> = runtimes.iter().map(|runtime| runtime.name()).collect();
            format!(
                "this program has no runtime `{name}`, but {}",
                names.join(", ")
            )
        })
    }

    fn models(&self) -> BTreeMap<String, Arc<Entry>> {
        self.0
            .models
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn write<R>(&self, change: impl FnOnce(&mut BTreeMap<String, Arc<Entry>>) -> R) -> R {
        change(
            &mut self
                .0
                .models
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl Entry {
    fn retire(&self) {
        let served = self
            .versions
            .values()
            .filter_map(|version| version.served.as_ref());
        served.for_each(|served| served.retire());
    }

    /// What has no place in `after` takes no more requests.
    fn retire_all_but(&self, after: &Self) {
        for (number, version) in &self.versions {
            let (Some(old), new) = (&version.served, after.versions.get(number)) else {
                continue;
            };
            let stays = new
                .and_then(|new| new.served.as_ref())
                .is_some_and(|new| Arc::ptr_eq(old, new));
            if !stays {
                old.retire();
            }
        }
    }

    /// Why none of its versions is served, or why one that is is not what lies there.
    fn failure(&self) -> Option<String> {
        if self.versions.is_empty() {
            return Some(self.reason.clone());
        }
        let reasons = self.versions.values().map(|version| &version.reason);
        reasons.clone().find(|reason| !reason.is_empty()).cloned()
    }
}

fn unknown(model: &str, version: Option<&str>) -> LookUpError {
    LookUpError::Unknown {
        model: model.to_owned(),
        version: version.map(str::to_owned),
    }
}
