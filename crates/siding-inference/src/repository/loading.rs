//! How models are loaded, and take the place of those before them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use siding::runtime::Handle;

use super::entry::{Entry, Version};
use super::layout::Layout;
use super::{ModelConfig, Repository};
use crate::runtime::{LoadOptions, Model, Runtime};
use crate::served::{Served, Started, warm_up};

impl Repository {
    /// Loads a model beside what is served of it, and puts it into its place. The caller holds `changing`.
    pub(super) async fn replace(&self, name: String, layout: Layout) -> Arc<Entry> {
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
        let runtime = self.runtime(config.runtime.as_deref())?;
        let compute_threads = Handle::current().config().compute.threads;
        let instances = config.instances_of(compute_threads);
        let options = LoadOptions {
            device: config.device,
            threads: config.threads,
            instances,
        };
        let name_of_runtime = runtime.name();
        let (file, settings) = (file.to_owned(), config.clone());
        let load = move || -> Result<(Arc<dyn Model>, _), String> {
            let model = runtime
                .load(&file, options)
                .map_err(|error| without_path(&error.to_string(), &file))?;
            let batches =
                warm_up(&*model, &settings).map_err(|error| format!("warm-up: {error}"))?;
            Ok((model, batches))
        };
        let (model, batches) = siding::offload(load)
            .await
            .map_err(|error| error.to_string())??;
        let started = Started {
            config,
            runtime: name_of_runtime,
            instances,
            batches,
        };
        Ok(Served::start((name.to_owned(), number), model, started))
    }

    /// The runtime of this name, or the first.
    fn runtime(&self, name: Option<&str>) -> Result<Arc<dyn Runtime>, String> {
        let runtimes = &self.0.runtimes;
        let Some(first) = runtimes.first() else {
            return Err("this program was built without any runtime".to_owned());
        };
        let Some(name) = name else {
            return Ok(Arc::clone(first));
        };
        let known = runtimes.iter().find(|runtime| runtime.name() == name);
        known.cloned().ok_or_else(|| {
            let names: Vec<_> = runtimes.iter().map(|runtime| runtime.name()).collect();
            format!(
                "this program has no runtime `{name}`, but {}",
                names.join(", ")
            )
        })
    }
}

/// What a library said, without where this server keeps its files: clients are told it.
fn without_path(said: &str, file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    said.replace(&*file.to_string_lossy(), &name)
}
