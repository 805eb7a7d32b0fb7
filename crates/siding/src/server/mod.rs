//! The server: a listener, its connections, their limits, and how they end.
//!
//! A connection is one guarded task (see [`connection`]). Its timeouts are kept by the server's sweeper (see [`yard`]),
//! the deadline of a request by its own answer (see [`answer`]).
//!
//! # Draining
//! 1. The listener takes what the kernel has already accepted, then closes.
//! 2. For a short grace idle connections stay open, so that a request that is on the wire already is answered. Every
//!    response says `Connection: close`; HTTP/2 connections are told to go away.
//! 3. Idle connections are closed; the others close when their response is complete.
//! 4. Background work that the responses left behind runs to its end.
//! 5. At the drain limit, or when told so, what is left is cut off.

mod accept;
mod answer;
mod body;
mod connection;
mod correction;
mod door;
mod launches;
mod limits;
mod line;
mod occupancy;
mod shared;
mod stage;
mod transport;
mod yard;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use siding_runtime::{Handle, RouteId};
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use limits::Limits;
pub(crate) use occupancy::Occupancy;

use crate::metrics::Requests;
use shared::Shared;
use stage::Stage;

/// A listener and its connections.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
    sweeper: JoinHandle<()>,
}

/// What a server serves.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    pub(crate) peer: Peer,
    /// Where its requests are counted, if they are to be.
    pub(crate) requests: Option<Arc<Requests>>,
}

/// Whether handlers are told where a request comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Peer {
    /// They are not: it would cost every request an allocation.
    #[default]
    Untold,
    /// They are, by axum's [`ConnectInfo`](crate::extract::ConnectInfo).
    Told,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Drained {
    /// Every request that had been accepted was answered, and its [background work](crate::background) has ended.
    Complete,
    /// So much was cut off, at the limit or because the drain was cut short.
    Cut {
        /// Connections that were still open.
        connections: usize,
        /// Pieces of background work that had not ended.
        background: usize,
        /// Resources of the [lifespan](crate::lifespan) that had not closed.
        resources: usize,
    },
}

impl Drained {
    /// The same, when so many resources were not closed after it.
    pub(crate) fn with_unclosed(self, unclosed: usize) -> Self {
        let (connections, background) = match self {
            Self::Complete if unclosed == 0 => return self,
            Self::Complete => (0, 0),
            Self::Cut {
                connections,
                background,
                ..
            } => (connections, background),
        };
        Self::Cut {
            connections,
            background,
            resources: unclosed,
        }
    }
}

impl Server {
    /// Listens on `address` and serves `site` there, on the runtime of `handle`.
    ///
    /// # Errors
    /// When the address is in use, or not of this machine, or needs a privilege.
    pub(crate) fn start(address: SocketAddr, site: Site, handle: &Handle) -> io::Result<Self> {
        let listener = accept::listen(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(site, handle.clone()));
        let accepting = accept::accept(listener, Arc::clone(&shared));
        let accepting = handle.spawn_as(RouteId::CONNECTION, accepting);
        let sweeping = Arc::clone(&shared);
        let sweeper = handle.spawn_as(RouteId::CONNECTION, async move { sweeping.sweep().await });
        Ok(Self {
            address,
            shared,
            accepting,
            sweeper,
        })
    }

    /// The address it listens on, with the port that it was given.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How much it has to do, for those who watch it.
    pub(crate) fn occupancy(&self) -> Occupancy {
        Occupancy::of(&self.shared)
    }

    /// Drains: see the [module](self). `cut_short` ends the wait.
    pub(crate) async fn drain(mut self, cut_short: impl Future<Output = ()>) -> Drained {
        let limits = self.shared.limits;
        let background = self.shared.handle.background().clone();
        self.shared.signal.advance(Stage::Draining);
        let patient = async {
            // It ends once it has taken the kernel's queue. Should it have panicked, it takes no connections either.
            let _ = (&mut self.accepting).await;
            if timeout(limits.drain_grace, self.emptied()).await.is_err() {
                self.shared.signal.advance(Stage::Closing);
                self.emptied().await;
            }
            background.emptied().await;
        };
        tokio::select! {
            () = patient => {
                background.close();
                return Drained::Complete;
            }
            () = tokio::time::sleep(limits.drain_limit) => {}
            () = cut_short => {}
        }
        let connections = limits.max_connections - self.shared.places.available_permits();
        background.close();
        let background = background.pending();
        self.shared.signal.advance(Stage::Forced);
        Drained::Cut {
            connections,
            background,
            resources: 0,
        }
    }

    /// Completes when no connection is open.
    async fn emptied(&self) {
        let all = u32::try_from(self.shared.limits.max_connections)
            .expect("no more than `CONNECTIONS_MAX`");
        // The semaphore is never closed.
        let _ = self.shared.places.acquire_many(all).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        self.sweeper.abort();
    }
}
