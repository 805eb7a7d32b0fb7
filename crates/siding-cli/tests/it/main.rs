//! The measuring primitives against a real server, the plain-axum peer: facts, not timings.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it stands"
)]

mod burst;
mod command;
mod database;
mod probe;
mod server;
mod steady;
mod support;
mod terminal;
mod top;
