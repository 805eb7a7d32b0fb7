//! A connection for what the server may refuse.
//!
//! What the server refuses closes the channel it was asked on. The crate never uses that channel's number again: once the
//! numbers have gone round, each attempt to open it fails. So all that may be refused is asked on a connection of its own,
//! which is replaced in time.

use std::ops::Deref;
use std::sync::Arc;

use lapin::{Channel, Connection};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::session::{bounded, connect};
use super::settings::AmqpSettings;
use crate::broker::BrokerError;

/// So many channels are opened on a connection. RabbitMQ has numbers for 2047.
const CHANNELS: u32 = 1_500;

/// A connection for what the server may refuse. It comes about when it is needed.
#[derive(Debug)]
pub(super) struct Scout {
    settings: Arc<AmqpSettings>,
    open: Arc<Mutex<Option<Open>>>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    channel: Channel,
    opened: u32,
}

/// A channel that nobody else uses meanwhile.
pub(super) struct Asking {
    channel: Channel,
    _alone: OwnedMutexGuard<Option<Open>>,
}

impl Deref for Asking {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.channel
    }
}

impl Scout {
    pub(super) fn new(settings: Arc<AmqpSettings>) -> Self {
        Self {
            settings,
            open: Arc::default(),
        }
    }

    /// A channel to ask on.
    pub(super) async fn channel(&self) -> Result<Asking, BrokerError> {
        let mut open = Arc::clone(&self.open).lock_owned().await;
        let before = open
            .take()
            .filter(|open| open.connection.status().connected() && open.opened < CHANNELS);
        let now = match before {
            Some(before) if before.channel.status().connected() => before,
            Some(before) => Open {
                channel: self.new_channel(&before.connection).await?,
                opened: before.opened + 1,
                connection: before.connection,
            },
            None => {
                let connection = connect(&self.settings).await?;
                Open {
                    channel: self.new_channel(&connection).await?,
                    opened: 1,
                    connection,
                }
            }
        };
        let channel = now.channel.clone();
        *open = Some(now);
        Ok(Asking {
            channel,
            _alone: open,
        })
    }

    async fn new_channel(&self, connection: &Connection) -> Result<Channel, BrokerError> {
        bounded(
            &self.settings,
            "open a channel",
            connection.create_channel(),
        )
        .await
    }

    /// Ends the connection, if there is one.
    pub(super) async fn close(&self) {
        if let Some(open) = self.open.lock().await.take() {
            let closed = open.connection.close(200, "closed".into());
            // It ends with its socket otherwise.
            let _ = bounded(&self.settings, "close the connection", closed).await;
        }
    }
}
