//! An OpenAPI 3.1 document from the handlers' own types. It takes the feature `openapi`.
//!
//! [`described`] has a handler's arguments and result say what it takes and answers; there is no second description that could
//! differ. What types cannot say is said where the route is:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use siding::extract::{Path, Query};
//! use siding::openapi::schemars::{self, JsonSchema};
//! use siding::openapi::{OpenApi, described};
//! use siding::{App, Error, Json, Problem, StatusCode, compute, get};
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Order {
//!     id: u64,
//!     sum: f64,
//! }
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Terms {
//!     /// How many terms.
//!     n: u64,
//! }
//!
//! async fn find(Path(id): Path<u64>) -> Result<Json<Order>, Error> {
//!     Err(Problem::new(StatusCode::NOT_FOUND))?
//! }
//!
//! fn sum(Query(terms): Query<Terms>) -> Json<u64> {
//!     Json((0..terms.n).sum())
//! }
//!
//! let find = described(find)
//!     .summary("One order")
//!     .tag("orders")
//!     .problem(StatusCode::NOT_FOUND, "No order has this id");
//! let app: App = App::new("shop")
//!     .route("/orders/{id}", get(find))
//!     .route("/sum", get(described(compute(sum))))
//!     .with_openapi(OpenApi::new("Shop", "1.4.0"));
//! assert_eq!(app.openapi()["paths"]["/sum"]["get"]["x-siding-lane"], "compute");
//! ```
//!
//! # What is in it
//!
//! - Every route whose handler is Siding's. One that is not [`described`] is listed with its path's parameters, and an answer of
//!   which nothing is said; one that is [`hidden`] is not. Routes of axum's own routers are not known, and not listed.
//! - What extractors take ([`Input`]) and what results answer ([`Output`]), with schemas by [`schemars`], whose derive reads the
//!   attributes of serde and the rules of garde (`#[garde(length(min = 1))]`).
//! - What Siding itself answers: 422 with the faults' places, 400, 408, 413 and 415 where there is a body, and for every route
//!   500, 503 with `Retry-After`, and 504. An application that registers other answers
//!   ([`App::on_error`](crate::App::on_error)) changes the document by [`OpenApi::customize`].
//! - `x-siding-lane`: the lane that the handler is declared for.
//!
//! A status is in the type where it is not 200: [`Status<201, Json<T>>`](crate::Status). What `(StatusCode, Json<T>)` answers is
//! known when it runs, and described under `default`.
//!
//! [`App::with_openapi`](crate::App::with_openapi) serves the document; the sub-command `openapi` prints it, and opens nothing.

mod described;
mod document;
mod input;
mod operation;
mod output;
mod pages;
mod schemas;
mod settings;
mod signature;

pub use described::{Described, Description, Hidden, described, hidden};
pub use input::Input;
pub use operation::Operation;
pub use output::Output;
pub use schemars;
pub use settings::OpenApi;
pub use signature::Signature;

pub(crate) use document::{Route, document};
pub(crate) use pages::{DocumentSlot, Pages};
