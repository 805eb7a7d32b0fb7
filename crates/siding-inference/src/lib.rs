//! Siding's inference service: ONNX models over the Open Inference Protocol v2, in batches.
//!
//! It serves every model in a directory ([`repository`]), each with a queue of its own ([`batch`]) whose batches run on Siding's
//! compute lane, by a [`runtime`] that is chosen per model. The event loop only moves bytes, and stays responsive.
//!
//! [`Service::app`] is the service as an application, which the binary `siding-inference` runs.
//!
//! # Features
//! | feature | what it adds |
//! | --- | --- |
//! | `ort` | ONNX Runtime, on the CPU and on CUDA: a library of the system, which is looked for when a model wants it |
//! | `tract` (default) | the runtime in pure Rust, on the CPU |
//!
//! Without either the service starts, and each model says that there is no runtime.

pub mod batch;
mod grpc;
mod http;
mod metrics;
pub mod protocol;
pub mod repository;
pub mod runtime;
mod served;
mod stats;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use siding::App;
use siding::lifespan::{Lifespan, ResourceError};

pub use repository::Repository;
pub use runtime::Runtime;
pub use served::Served;
pub use stats::{BATCH_ROWS, Stats, StatsSnapshot};

/// What a service is made of.
#[derive(Clone, Debug)]
pub struct Service {
    /// The directory of the models.
    pub models: PathBuf,
    /// How often files are looked at. A change is acted on when it has lasted from one look to the next.
    pub look_every: Duration,
    /// The runtimes that models may choose.
    pub runtimes: Vec<Arc<dyn Runtime>>,
}

impl Service {
    /// The service of the models in a directory, with the runtimes that are built in.
    #[must_use]
    pub fn new(models: impl Into<PathBuf>) -> Self {
        Self {
            models: models.into(),
            look_every: Duration::from_secs(1),
            runtimes: runtime::built_in(),
        }
    }

    /// The service as an application: the protocol over HTTP and, on the same port, over gRPC. Its settings are the caller's; bodies should
    /// be allowed to be as long as the largest tensors.
    pub fn app(self) -> App {
        let repository = Repository::new(self.models.clone(), self.runtimes.clone());
        let opened = repository.clone();
        let metrics = metrics::registry(repository.clone());
        App::new("siding-inference")
            .with_metrics(metrics)
            .merge(grpc::router(repository))
            .merge(http::app().with_lifespan(move |lifespan| self.open(lifespan, opened)))
            .with_health_routes()
            .with_health_routes_at("/v2/health/live", "/v2/health/ready")
    }

    async fn open(
        self,
        lifespan: Lifespan,
        repository: Repository,
    ) -> Result<Repository, ResourceError> {
        let opening = repository.clone();
        lifespan
            .open("models", async move || opening.open().await)
            .await?;
        // Detached on purpose: it ends with the runtime.
        drop(siding::spawn(repository.clone().watch(self.look_every)));
        Ok(repository)
    }
}
