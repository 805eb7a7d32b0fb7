//! What a server allows its clients, with the defaults and how to choose.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// What a server allows its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a request may take from its complete head to its response. Then the client gets 504, or 408 when it
    /// is the request's own body that did not arrive. Choose what the client waits for anyway: work beyond it is lost.
    pub request_deadline: Duration,
    /// How long the head of a request may take from its first byte; then the connection is closed. It bounds what a
    /// client that sends a byte now and then can hold.
    pub header_timeout: Duration,
    /// The longest head of a request in bytes; a longer one gets 431. Every open connection may hold as much.
    pub max_header_bytes: usize,
    /// The longest body of a request in bytes; a longer one gets 413, before it is read where its length is declared.
    pub max_body_bytes: usize,
    /// Open connections. When so many are open, further ones wait in the kernel's queue until one closes.
    pub max_connections: usize,
    /// How long a connection may be idle between requests, or refuse to take a response.
    pub keep_alive: Duration,
    /// How long a drain waits for requests that run, and for background work; then they are cut off.
    pub drain_limit: Duration,
    /// How long a drain leaves idle connections open, so that a request that is already on the wire is answered.
    pub drain_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_deadline: Duration::from_secs(30),
            header_timeout: Duration::from_secs(10),
            max_header_bytes: 32 * 1024,
            max_body_bytes: 2 * 1024 * 1024,
            max_connections: connections_by_descriptors(),
            keep_alive: Duration::from_secs(75),
            drain_limit: Duration::from_secs(30),
            drain_grace: Duration::from_millis(500),
        }
    }
}

/// An eighth of the descriptors that the process may open, and 64 at least, are left for files, other sockets, and the
/// admin listener; the rest may be connections, up to a million.
fn connections_by_descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let descriptors = limit.maximum.or(limit.current).unwrap_or(u64::MAX);
    let reserve = (descriptors / 8).max(64);
    let connections = descriptors.saturating_sub(reserve).clamp(16, 1_000_000);
    usize::try_from(connections).unwrap_or(1_000_000)
}
