//! A client of services that compute with models, by the Open Inference Protocol, version 2: `siding-inference`, Triton, KServe and
//! others. With the feature `inference`.
//!
//! ```no_run
//! use siding::extract::State;
//! use siding::inference::{Client, Request, Tensor};
//! use siding::lifespan::{Lifespan, ResourceError};
//! use siding::{App, Error, ExitCode, Json, post};
//!
//! async fn open(lifespan: Lifespan) -> Result<Client, ResourceError> {
//!     let client = Client::builder("prices").replica("http://models-1:8080").replica("http://models-2:8080");
//!     client.idempotent("price").open(&lifespan).await
//! }
//!
//! async fn price(State(models): State<Client>, Json(house): Json<[f32; 8]>) -> Result<Json<Vec<f32>>, Error> {
//!     let question = Request::new("price").input(Tensor::new("house", [1, 8], &house)?);
//!     let answer = models.infer(question).await?; // a plain function: `infer_blocking`
//!     Ok(Json(answer.output("price")?.values()?))
//! }
//!
//! fn main() -> ExitCode {
//!     App::new("houses").route("/price", post(price)).with_lifespan(open).run()
//! }
//! ```
//!
//! # What a service that is slow, busy or gone costs
//! | what happens | what is done | answered |
//! | --- | --- | --- |
//! | too many requests are under way | as in every lane: a bounded queue, then refusal | 503, `Retry-After` |
//! | no answer by the deadline, or 504 | the connection is closed; that counts against the replica if it had time enough | 504 |
//! | a replica cannot be reached, or says 503 with `Retry-After` | another is asked | 503 where none takes it |
//! | a replica breaks off, answers 5xx or nonsense | another is asked if the model is [idempotent](ClientBuilder::idempotent) | 502; of an idempotent model that broke off, 503 |
//! | it fails five times in a row | it is left alone, for twice as long each time, asked by `v2/health/ready`, and gets one request on trial | |
//! | all are left alone | nothing is sent, nobody waits | 503, `Retry-After` |
//! | the service refuses the question (4xx) | | 502 |
//!
//! An [error handler](crate::App::on_error) for [`InferError`] answers otherwise.
//!
//! # Health
//! The client opens without the service, and `/ready` does not ask for it: when a service in the back is gone, every instance of the
//! application would be unready at the same moment, and the orchestrator would take them all out, those routes included that need no
//! model. [`ClientBuilder::with_ready_check`] is for applications that are of no use without it.
//!
//! `GET /api/upstreams` of the admin listener shows every client that was [opened](ClientBuilder::open) by a lifespan.

mod breaker;
mod builder;
mod client;
mod endpoint;
mod error;
mod replica;
mod replicas;
mod request;
mod response;
mod tensor;
mod transport;
mod wire;

pub use breaker::BreakerState;
pub use builder::{BuildError, ClientBuilder};
pub use client::{Client, ClientSnapshot};
pub use error::{InferError, InferErrorKind};
pub use replica::ReplicaSnapshot;
pub use request::Request;
pub use response::Response;
pub use tensor::{DataType, Element, Tensor, TensorError};
