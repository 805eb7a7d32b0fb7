//! Who consumes from which queue, and how much may be on its way.
//!
//! Each queue has a channel, which lives as long as the session: what was delivered on it can be settled only there, also
//! after its consumer was cancelled. How many deliveries may be unsettled is fixed when a consumer begins; for another
//! number it is cancelled and begins anew.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use lapin::Channel;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};

use super::arrivals::Arrivals;
use super::inboxes::Inboxes;
use super::session::Session;
use super::topology::{self, short};
use super::{Task, spawn};
use crate::broker::BrokerError;

/// Who consumes from which queue, in one session.
#[derive(Debug)]
pub(super) struct Consumers {
    inboxes: Arc<Inboxes>,
    session: u64,
    queues: HashMap<String, Consumption>,
}

#[derive(Debug)]
struct Consumption {
    channel: Channel,
    /// Takes in what comes, and the consumer's tag.
    filling: Option<(Task, ShortString)>,
    prefetch: u16,
}

impl Consumption {
    fn is_live(&self) -> bool {
        let filling = self.filling.as_ref();
        filling.is_some_and(|(filling, _)| !filling.is_finished())
    }

    /// Whether so many unsettled deliveries are what is wanted. Many fewer are: a consumer that begins anew costs more.
    fn suits(&self, prefetch: u16) -> bool {
        self.is_live()
            && self.prefetch >= prefetch
            && self.prefetch <= prefetch.saturating_mul(2).saturating_add(8)
    }
}

impl Consumers {
    pub(super) fn new(inboxes: Arc<Inboxes>) -> Self {
        Self {
            inboxes,
            session: 0,
            queues: HashMap::new(),
        }
    }

    /// Consumes from `queues` and no others, with at most `prefetch` unsettled deliveries from each.
    pub(super) async fn consume(
        &mut self,
        session: &Session,
        queues: &BTreeSet<String>,
        prefetch: u16,
        arrivals: &Arc<Arrivals>,
    ) -> Result<(), BrokerError> {
        if self.session != session.number {
            self.session = session.number;
            self.queues.clear();
        }
        self.cancel_others(session, queues).await;
        for queue in queues {
            let suits = self
                .queues
                .get(queue)
                .is_some_and(|consumption| consumption.suits(prefetch));
            if !suits {
                self.begin(session, queue, prefetch, arrivals).await?;
            }
        }
        Ok(())
    }

    /// Whether anything is consumed.
    pub(super) fn is_idle(&self) -> bool {
        self.queues
            .values()
            .all(|consumption| consumption.filling.is_none())
    }

    /// Cancels the consumers of all but these queues.
    pub(super) async fn cancel_others(&mut self, session: &Session, queues: &BTreeSet<String>) {
        for (queue, consumption) in &mut self.queues {
            if !queues.contains(queue) {
                cancel(session, consumption).await;
            }
        }
    }

    async fn begin(
        &mut self,
        session: &Session,
        queue: &str,
        prefetch: u16,
        arrivals: &Arc<Arrivals>,
    ) -> Result<(), BrokerError> {
        if let Some(before) = self.queues.get_mut(queue) {
            if !before.is_live() {
                // It was cancelled by the server, perhaps because the queue is gone.
                topology::doubt_queue(session, queue);
            }
            cancel(session, before).await;
        }
        self.inboxes.ensure(session, queue).await?;
        let open = self.queues.remove(queue).map(|before| before.channel);
        let channel = match open.filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => session.channel().await?,
        };
        let consumption = begin(session, channel, queue, prefetch, arrivals).await?;
        tracing::debug!(queue, prefetch, "consuming");
        self.queues.insert(queue.to_owned(), consumption);
        Ok(())
    }
}

async fn begin(
    session: &Session,
    channel: Channel,
    queue: &str,
    prefetch: u16,
    arrivals: &Arc<Arrivals>,
) -> Result<Consumption, BrokerError> {
    let bounded = channel.basic_qos(prefetch, BasicQosOptions::default());
    session.ask("bound deliveries", bounded).await?;
    let consumer = channel.basic_consume(
        short(queue)?,
        ShortString::default(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let what = format!("deliver from the queue {queue:?}");
    let consumer = session.ask(&what, consumer).await?;
    let tag = consumer.tag();
    let filling = spawn(Arc::clone(arrivals).fill(consumer, queue.into()));
    Ok(Consumption {
        channel,
        filling: Some((filling, tag)),
        prefetch,
    })
}

/// Waits until nothing more comes.
async fn cancel(session: &Session, consumption: &mut Consumption) {
    let Some((filling, tag)) = consumption.filling.take() else {
        return;
    };
    let cancelled = consumption
        .channel
        .basic_cancel(tag, BasicCancelOptions::default());
    if let Err(error) = session.ask("end a consumer", cancelled).await {
        tracing::debug!(%error, "a consumer ended with its channel");
    }
    // What was on its way has come.
    filling.ended(session.settings.response_timeout).await;
}
