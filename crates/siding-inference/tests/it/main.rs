//! The service over its sockets.

mod clients;
mod limits;
mod malformed;
mod metrics;
mod reload;
#[cfg(feature = "tract")]
mod rows;
#[cfg(all(feature = "ort", feature = "tract"))]
mod runtimes;
mod support;
