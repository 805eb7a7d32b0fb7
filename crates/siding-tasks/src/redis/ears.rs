//! What the server tells without being asked: news of lists, and messages of channels.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use redis::{PushInfo, PushKind, Value};
use tokio::sync::{Notify, mpsc, watch};

use super::link::Link;
use super::scripts;
use crate::broker::BrokerError;

/// How often the connection is asked whether it is still there.
const PULSE: Duration = Duration::from_secs(2);

/// Lists are looked at again after so long, whatever the server says or does not say.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often lists are looked at where the server may not tell of changes.
const POLL: Duration = Duration::from_millis(100);

/// Messages of one subscription that nobody has read yet; more are dropped.
const UNREAD_MAX: usize = 1_024;

/// A connection on which the server pushes.
///
/// New messages are heard of by client-side caching: the server remembers that this connection has looked at a list, and
/// says once when the list has changed. So nothing is polled, nothing is removed that a crash could lose, and
/// Python's producers need not know of it.
pub(super) struct Ears {
    link: Link,
    heard: Arc<Heard>,
    /// Held while the set of channels is changed, here and at the server.
    changing: tokio::sync::Mutex<Channels>,
    gone: mpsc::UnboundedSender<Channel>,
}

/// A channel, or with `true` a pattern of channels.
type Channel = (String, bool);

#[derive(Debug)]
struct Channels {
    /// The connection that they are subscribed on.
    generation: u64,
    gone: mpsc::UnboundedReceiver<Channel>,
}

/// What pushes do.
#[derive(Debug, Default)]
struct Heard {
    /// Lists have changed, or the connection was lost.
    bell: watch::Sender<u64>,
    /// The connection was lost.
    lost: Notify,
    subscribers: Mutex<HashMap<Channel, Vec<mpsc::Sender<Vec<u8>>>>>,
}

impl Heard {
    /// Nothing is left half done under the lock.
    fn subscribers(&self) -> MutexGuard<'_, HashMap<Channel, Vec<mpsc::Sender<Vec<u8>>>>> {
        self.subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        self.bell
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn hear(&self, push: PushInfo) {
        match push.kind {
            PushKind::Invalidate => self.ring(),
            PushKind::Disconnection => {
                self.ring();
                self.lost.notify_one();
            }
            PushKind::Message | PushKind::PMessage => {
                let is_pattern = push.kind == PushKind::PMessage;
                let mut parts = push.data.into_iter().map(bytes);
                if let (Some(Some(name)), Some(Some(text))) = (parts.next(), parts.next_back())
                    && let Ok(name) = String::from_utf8(name)
                {
                    self.pass_on(&(name, is_pattern), &text);
                }
            }
            _ => {}
        }
    }

    fn pass_on(&self, channel: &Channel, text: &[u8]) {
        if let Some(subscribers) = self.subscribers().get(channel) {
            for subscriber in subscribers {
                // Who does not keep up looks again by itself, or misses an event.
                let _ = subscriber.try_send(text.to_vec());
            }
        }
    }
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.into_bytes()),
        _ => None,
    }
}

impl Ears {
    /// Listens to the server of `link`. Connects to nothing yet.
    pub(super) fn new(link: &Link) -> Arc<Self> {
        let heard = Arc::new(Heard::default());
        let pushes = {
            let heard = Arc::clone(&heard);
            move |push: PushInfo| {
                heard.hear(push);
                Ok::<(), ()>(())
            }
        };
        let (gone, receiver) = mpsc::unbounded_channel();
        let ears = Arc::new(Self {
            link: link.beside(Arc::new(pushes)),
            heard: Arc::clone(&heard),
            changing: tokio::sync::Mutex::new(Channels {
                generation: 0,
                gone: receiver,
            }),
            gone,
        });
        drop(crate::background::spawn(keep(Arc::downgrade(&ears), heard)));
        ears
    }

    /// Resolves when the lists have another mark than `left`, or one of them has changed since.
    pub(super) fn changed(
        &self,
        lists: Vec<String>,
        left: String,
    ) -> impl Future<Output = ()> + Send + '_ {
        let mut bell = self.heard.bell.subscribe();
        async move {
            loop {
                let wait = match self.look(&lists).await {
                    Ok(mark) if mark != left => return,
                    Ok(_) => PATIENCE,
                    // Who claims is told what is wrong.
                    Err(BrokerError::Unavailable(_)) => return tokio::time::sleep(POLL).await,
                    // The user may not ask for news.
                    Err(_) => return tokio::time::sleep(POLL).await,
                };
                if let Ok(Ok(())) = tokio::time::timeout(wait, bell.changed()).await {
                    return;
                }
            }
        }
    }

    /// The mark of what the lists hold; from now on the server says when that changes.
    async fn look(&self, lists: &[String]) -> Result<String, BrokerError> {
        let mut track = redis::cmd("CLIENT");
        track.arg("TRACKING").arg("ON");
        self.link.query::<()>(&track).await?;
        let mut look = scripts::LOOK.prepare_invoke();
        for list in lists {
            look.key(list);
        }
        self.link.run(&look).await
    }

    /// Hears what is published on a channel from when this returns, or, if it cannot be reached, from when it can be again.
    pub(super) async fn subscribe(
        self: &Arc<Self>,
        name: String,
        is_pattern: bool,
    ) -> Subscription {
        let (sender, receiver) = mpsc::channel(UNREAD_MAX);
        let channel = (name, is_pattern);
        let mut channels = self.changing.lock().await;
        let is_new = {
            let mut subscribers = self.heard.subscribers();
            let list = subscribers.entry(channel.clone()).or_default();
            list.push(sender);
            list.len() == 1
        };
        let subscribed = self
            .subscribe_all(&mut channels, is_new.then_some(&channel))
            .await;
        if let Err(error) = subscribed {
            tracing::debug!(%error, "not subscribed yet");
        }
        drop(channels);
        Subscription {
            ears: Arc::clone(self),
            channel,
            receiver,
        }
    }

    /// Subscribes to `new`, or to everything if the connection is another one.
    async fn subscribe_all(
        &self,
        channels: &mut Channels,
        new: Option<&Channel>,
    ) -> Result<(), BrokerError> {
        let (generation, mut connection) = self.link.connection().await?;
        let wanted: Vec<Channel> = if generation == channels.generation {
            new.cloned().into_iter().collect()
        } else {
            self.heard.subscribers().keys().cloned().collect()
        };
        for (name, is_pattern) in wanted {
            let subscribed = match is_pattern {
                true => connection.psubscribe(name).await,
                false => connection.subscribe(name).await,
            };
            subscribed.map_err(|error| self.link.failed(generation, &error))?;
        }
        channels.generation = generation;
        Ok(())
    }

    /// Unsubscribes from what nobody listens to any more.
    async fn forget(&self, channels: &mut Channels) -> Result<(), BrokerError> {
        while let Ok(channel) = channels.gone.try_recv() {
            if self.heard.subscribers().contains_key(&channel) {
                continue;
            }
            let (generation, mut connection) = self.link.connection().await?;
            let (name, is_pattern) = channel;
            let unsubscribed = match is_pattern {
                true => connection.punsubscribe(name).await,
                false => connection.unsubscribe(name).await,
            };
            unsubscribed.map_err(|error| self.link.failed(generation, &error))?;
        }
        Ok(())
    }

    /// Whether somebody listens.
    fn is_needed(&self) -> bool {
        !self.heard.subscribers().is_empty()
    }

    async fn check(&self) -> Result<(), BrokerError> {
        let mut channels = self.changing.lock().await;
        if self.is_needed() {
            self.subscribe_all(&mut channels, None).await?;
            self.link.query::<()>(&redis::cmd("PING")).await?;
        }
        self.forget(&mut channels).await
    }
}

/// Keeps subscriptions alive until the ears are gone.
async fn keep(ears: Weak<Ears>, heard: Arc<Heard>) {
    loop {
        let lost = tokio::time::timeout(PULSE, heard.lost.notified()).await;
        let Some(ears) = ears.upgrade() else { return };
        if let Err(error) = ears.check().await {
            tracing::debug!(%error, ?lost, "subscriptions wait for the connection");
            tokio::time::sleep(POLL).await;
            // Not two seconds later.
            heard.lost.notify_one();
        }
    }
}

/// Messages of a channel. Dropping it ends the subscription.
pub(super) struct Subscription {
    ears: Arc<Ears>,
    channel: Channel,
    receiver: mpsc::Receiver<Vec<u8>>,
}

impl Subscription {
    /// The next message.
    pub(super) async fn next(&mut self) -> Vec<u8> {
        match self.receiver.recv().await {
            Some(text) => text,
            // The sender lives as long as this does.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.receiver.close();
        let mut subscribers = self.ears.heard.subscribers();
        if let Some(list) = subscribers.get_mut(&self.channel) {
            list.retain(|sender| !sender.is_closed());
            if list.is_empty() {
                subscribers.remove(&self.channel);
                // Whoever would hear it is gone.
                let _ = self.ears.gone.send(self.channel.clone());
            }
        }
    }
}

impl fmt::Debug for Ears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ears")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subscription").field(&self.channel).finish()
    }
}
