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
mod entry;
mod error;
mod layout;
mod loading;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

pub use config::{Batching, ModelConfig, Versions};
use entry::{Entry, Version};
use error::unknown;
pub use error::{LookUpError, RequestError};
use layout::Layout;

use crate::protocol::{IndexEntry, Tensor, VersionState};
use crate::runtime::Runtime;
use crate::served::Served;

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
