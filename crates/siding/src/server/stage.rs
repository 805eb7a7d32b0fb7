//! How far a server's life has come.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// How far a server's life has come. It only goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Takes connections and requests.
    Open,
    /// Takes no new connections; answers what is in flight or on the wire, and tells clients to go elsewhere.
    Draining,
    /// Closes idle connections, too.
    Closing,
    /// Cuts off what still runs.
    Forced,
}

/// The one who decides on the stage.
#[derive(Debug)]
pub(super) struct Signal {
    watch: watch::Sender<Stage>,
    /// The same, for every response to look at without a lock. Relaxed: it pairs with nothing.
    open: AtomicBool,
}

impl Signal {
    pub(super) fn new() -> Self {
        Self {
            watch: watch::Sender::new(Stage::Open),
            open: AtomicBool::new(true),
        }
    }

    /// Goes forward to `stage`; does nothing when that has been reached.
    pub(super) fn advance(&self, stage: Stage) {
        self.watch.send_if_modified(|current| {
            let forward = stage > *current;
            *current = (*current).max(stage);
            self.open.store(*current == Stage::Open, Ordering::Relaxed);
            forward
        });
    }

    /// Whether the server takes connections and requests.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn stage(&self) -> Stage {
        *self.watch.borrow()
    }

    /// Completes once `stage` has been reached.
    pub(super) async fn reached(&self, stage: Stage) {
        // The sender cannot be gone: it is `self`.
        let _ = self.watch.subscribe().wait_for(|now| *now >= stage).await;
    }
}
