//! How many connections pools should have.

use siding_runtime::Config;

/// How many connections a pool should have, by who waits for them. Neither is a limit that Siding enforces.
///
/// A database serves more statements a second over few connections than over many, and it has a limit of its own
/// (PostgreSQL's is 100 unless set), which all replicas of a service share. So a pool should be as large as what can be busy
/// with it at the same time, and no larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// For a pool that plain functions use: the threads that the thread lane always has
    /// ([`ThreadsConfig::threads_min`](siding_runtime::ThreadsConfig::threads_min), 40 unless set). Each holds one connection at
    /// most while it works. When the lane grows beyond that, it is because its threads wait; some then wait for a
    /// connection, on a thread, where it costs a stack and holds up nobody.
    pub plain: u32,
    /// For a pool that `async` functions use: four for each event-loop thread, ten at least. A thread drives many connections, since
    /// it only writes and reads; what the number bounds is how many statements the database is given at once. Waiting for a
    /// connection costs no thread at all.
    pub event_loop: u32,
}

impl Connections {
    pub(crate) fn of(config: &Config) -> Self {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            plain: number(config.threads.threads_min),
            event_loop: number(config.event_loop_threads).saturating_mul(4).max(10),
        }
    }
}
