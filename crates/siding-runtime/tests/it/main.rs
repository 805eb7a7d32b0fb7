//! The runtime's mechanisms on the real thing: real stalls, real peers, real threads.

mod event_loop;
mod placement;
mod shutdown;
mod support;
mod verdicts;
