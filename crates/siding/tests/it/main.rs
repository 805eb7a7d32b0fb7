//! Siding from the outside: applications on free ports, asked over real sockets.

mod admin;
mod admin_access;
mod admin_live;
mod admin_tasks;
mod background;
mod background_ends;
mod bad_input;
mod compile_fail;
mod connections;
mod drain;
mod errors;
mod failures;
mod faults;
mod handlers;
#[cfg(feature = "inference")]
mod inference;
mod lanes;
mod lifespan;
mod log;
mod metrics;
#[cfg(all(feature = "openapi", feature = "validate"))]
mod openapi;
mod pools;
mod probes;
mod processes;
mod routers;
mod support;
mod tasks;
#[cfg(feature = "validate")]
mod validation;
