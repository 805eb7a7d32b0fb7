//! The runtime's mechanisms on the real thing: real stalls, real peers, real threads.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "in a test a panic is the report, and a test that is left out says so"
)]

mod event_loop;
mod placement;
mod processes;
mod shutdown;
mod support;
mod verdicts;
