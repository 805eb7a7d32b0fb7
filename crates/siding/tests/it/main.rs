//! Siding from the outside: applications on free ports, asked over real sockets.

mod admin;
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
mod pools;
mod probes;
mod processes;
mod routers;
mod support;
mod tasks;
#[cfg(feature = "validate")]
mod validation;
