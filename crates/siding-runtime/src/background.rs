//! Background work: what has been accepted and has not ended, and what a graceful shutdown therefore waits for.

use std::sync::Arc;

use tokio::sync::watch;

/// The background work of one runtime, counted. Nobody waits for its results but a graceful shutdown, which waits for
/// its end. Clones are cheap and share it.
#[derive(Clone, Debug)]
pub struct Background {
    state: Arc<watch::Sender<State>>,
    pending_max: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    pending: usize,
    closed: bool,
}

impl Background {
    pub(crate) fn new(pending_max: usize) -> Self {
        Self {
            state: Arc::default(),
            pending_max,
        }
    }

    /// Counts one piece of work until the returned value is dropped.
    pub fn enter(&self) -> BackgroundEntry {
        self.state.send_modify(|state| state.pending += 1);
        BackgroundEntry(self.clone())
    }

    /// How many pieces of work have been accepted and have not ended.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.state.borrow().pending
    }

    /// Whether there is as much as may be ([`Config::background_max`](crate::Config::background_max)). To heed it is the
    /// business of those who would add more; [`enter`](Self::enter) refuses nobody.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.pending() >= self.pending_max
    }

    /// Completes when none is left, or at once when there is none.
    pub async fn emptied(&self) {
        // The sender cannot be gone: it is `self`.
        let _ = self
            .state
            .subscribe()
            .wait_for(|now| now.pending == 0)
            .await;
    }

    /// Says that nothing further is to be started. What runs goes on.
    pub fn close(&self) {
        self.state.send_modify(|state| state.closed = true);
    }

    /// Whether nothing further is to be started.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state.borrow().closed
    }
}

/// One piece of background work; see [`Background::enter`].
#[derive(Debug)]
#[must_use = "the work counts as ended when this is dropped"]
pub struct BackgroundEntry(Background);

impl Drop for BackgroundEntry {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| state.pending -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn it_is_emptied_when_the_last_piece_has_ended() {
        let background = Background::new(2);
        let first = background.enter();
        assert!(!background.is_full());
        let second = background.enter();
        assert!(background.is_full());
        let mut emptied = pin!(background.emptied());
        let mut ask = || {
            emptied
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        };
        assert_eq!(ask(), Poll::Pending);
        drop(first);
        assert_eq!(ask(), Poll::Pending);
        drop(second);
        assert_eq!(ask(), Poll::Ready(()));
    }

    #[test]
    fn closing_ends_nothing() {
        let background = Background::new(2);
        let _entry = background.enter();
        assert!(!background.is_closed());
        background.close();
        assert!(background.is_closed());
        assert_eq!(background.pending(), 1);
    }
}
