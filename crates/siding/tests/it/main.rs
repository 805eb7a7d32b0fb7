//! Siding from the outside: applications on free ports, asked over real sockets.

#![expect(
    clippy::needless_pass_by_value,
    reason = "handlers take what their extractors give"
)]

mod admin;
mod bad_input;
mod compile_fail;
mod connections;
mod drain;
mod failures;
mod handlers;
mod lanes;
mod routers;
mod support;
