//! Siding from the outside: applications on free ports, asked over real sockets.

mod admin;
mod bad_input;
mod compile_fail;
mod connections;
mod drain;
mod failures;
mod handlers;
mod lanes;
mod processes;
mod routers;
mod support;
