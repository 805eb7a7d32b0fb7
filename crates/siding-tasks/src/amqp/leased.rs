//! A message that a worker holds, and the delivery that it is held by.
//!
//! RabbitMQ closes a channel on which a delivery is not acknowledged within its consumer timeout, and gives back to their
//! queues all messages that came on it. A worker that gave up their tasks for that would run a long one again and again, and
//! never to its end. So such a lease is in doubt first: when the message comes back to this process, its task goes on under
//! the new delivery. It may have gone elsewhere, so the doubt does not last, and nothing is settled in it. What was held by a
//! connection that is lost is lost with it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lapin::options::BasicAckOptions;
use lapin::{Acker, ConnectionStatus};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::message::Message;

/// How long a lease is in doubt. It takes less to consume again; another worker that got the message runs it beside this one
/// for so long.
const DOUBT: Duration = Duration::from_secs(5);

/// How often whoever waits for the end of a doubt looks whether it has lasted long enough.
const LOOK: Duration = Duration::from_millis(100);

/// What a message is held by: a delivery, for as long as its channel lives.
#[derive(Clone, Debug)]
pub(super) struct Grip {
    acker: Acker,
    connection: ConnectionStatus,
}

impl Grip {
    pub(super) fn new(acker: Acker, connection: ConnectionStatus) -> Self {
        Self { acker, connection }
    }

    /// Whether the channel is there, so that the delivery can be settled.
    pub(super) fn holds(&self) -> bool {
        !self.acker.poisoned()
    }

    /// Whether the server closed the channel, and only that.
    fn slipped(&self) -> bool {
        !self.holds() && self.connection.connected()
    }

    pub(super) fn into_acker(self) -> Acker {
        self.acker
    }
}

/// A message that a worker holds. It is the worker's for as long as the channel lives that it came on, and a moment longer.
#[derive(Debug)]
pub(super) struct Leased {
    pub(super) message: Message,
    pub(super) worker: String,
    /// Whether its end has begun. Locked while anything is said of it: that it has started is not to come after its end.
    pub(super) ends: tokio::sync::Mutex<bool>,
    grip: watch::Sender<Grip>,
    doubted_since: Mutex<Option<Instant>>,
}

impl Leased {
    pub(super) fn new(message: Message, grip: Grip, worker: &str) -> Self {
        Self {
            message,
            worker: worker.to_owned(),
            ends: tokio::sync::Mutex::default(),
            grip: watch::Sender::new(grip),
            doubted_since: Mutex::default(),
        }
    }

    /// What it is held by now.
    pub(super) fn grip(&self) -> Grip {
        self.grip.borrow().clone()
    }

    /// Whether the server has closed the channel, and the message may come back.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.grip.borrow().slipped() && self.doubt() < DOUBT
    }

    /// Whether it is the worker's, or in doubt.
    pub(super) fn is_held(&self) -> bool {
        self.grip.borrow().holds() || self.is_in_doubt()
    }

    /// How long it has been doubted.
    fn doubt(&self) -> Duration {
        let mut since = self.doubted_since();
        since.get_or_insert_with(Instant::now).elapsed()
    }

    /// Nothing is left half done under the lock.
    fn doubted_since(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.doubted_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The message has come back.
    pub(super) fn regain(&self, grip: Grip) {
        *self.doubted_since() = None;
        self.grip.send_replace(grip);
    }

    /// Whether it is the worker's; waits while that is in doubt.
    pub(super) async fn is_certain(&self) -> bool {
        let mut regained = self.grip.subscribe();
        while !regained.borrow_and_update().holds() {
            if !self.is_in_doubt() {
                return false;
            }
            // Either way, it is looked at again. Its sender is here.
            let _ = tokio::time::timeout(LOOK, regained.changed()).await;
        }
        true
    }

    /// Takes the message out of its queue; waits while it is in doubt whose it is. `false` says that it is not the worker's.
    pub(super) async fn ack(&self, patience: Duration) -> bool {
        loop {
            let grip = self.grip();
            let acked = grip.acker.ack(BasicAckOptions::default());
            match tokio::time::timeout(patience, acked).await {
                Ok(Ok(true)) => return true,
                // It is on its way behind what the server does not take now.
                Err(_) => return true,
                // The channel is gone: the message is delivered again, perhaps to this process.
                Ok(Ok(false) | Err(_)) => {
                    if grip.holds() || !self.is_certain().await {
                        return false;
                    }
                }
            }
        }
    }
}
