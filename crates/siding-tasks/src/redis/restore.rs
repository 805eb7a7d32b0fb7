//! Putting back what workers held that are gone.
//!
//! Claims of workers like this one end half a minute after they were renewed last. Claims of Python's workers end after the
//! visibility timeout, as kombu has it; whoever finds them holds kombu's lock meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::held::{self, Held};
use super::place::Place;
use super::{Shared, scripts};
use crate::broker::{BrokerError, Lease, Settlement};
use crate::celery::{envelope, unpack};
use crate::message::{Exception, Message, Priority, RawJson};

/// How often lapsed claims are looked for.
const INTERVAL: Duration = Duration::from_secs(2);

/// How often kombu's claims are looked for at most.
const KOMBU_INTERVAL: Duration = Duration::from_secs(60);

/// Claims that are put back at once at most.
const BATCH: usize = 256;

/// Milliseconds for which kombu's lock is held at most.
const LOCK_MILLIS: u64 = 300_000;

/// So many workers may be lost with a message before it is put aside: as in the embedded store.
const LOSSES_MAX: u32 = 5;

/// The header that counts them.
pub(super) const LOSSES: &str = "siding_losses";

/// Looks for messages of lost workers from now on, until the broker is gone.
pub(super) fn start(shared: &Arc<Shared>) {
    if !shared.restoring.swap(true, Ordering::AcqRel) {
        drop(crate::background::spawn(watch(Arc::downgrade(shared))));
    }
}

async fn watch(shared: Weak<Shared>) {
    let mut kombu = tokio::time::Instant::now();
    loop {
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let own = shared.restore_lapsed().await;
        let now = tokio::time::Instant::now();
        let foreign = if kombu <= now {
            kombu = now + KOMBU_INTERVAL.min(shared.settings.visibility_timeout / 2);
            shared.restore_invisible().await
        } else {
            Ok(())
        };
        let lost = shared.look_after().await;
        if let Err(error) = own.and(foreign).and(lost) {
            tracing::debug!(%error, "messages of lost workers wait");
        }
        drop(shared);
        tokio::time::sleep(INTERVAL).await;
    }
}

impl Shared {
    /// Puts back what workers like this one held.
    async fn restore_lapsed(&self) -> Result<(), BrokerError> {
        let mut ask = redis::cmd("ZRANGEBYSCORE");
        ask.arg(self.keys.leases())
            .arg("-inf")
            .arg(held::moment(Duration::ZERO))
            .arg("LIMIT")
            .arg(0)
            .arg(BATCH);
        let leases: Vec<String> = self.link.query(&ask).await?;
        for lease in leases {
            if let Some((tag, fence)) = lease.rsplit_once(' ') {
                self.restore(tag, fence, Holder::Siding).await?;
            }
        }
        Ok(())
    }

    /// Puts back what is older than the visibility timeout, as Python's workers do.
    async fn restore_invisible(&self) -> Result<(), BrokerError> {
        let token = uuid::Uuid::new_v4().to_string();
        let mut lock = redis::cmd("SET");
        lock.arg(self.keys.unacked_mutex())
            .arg(&token)
            .arg("NX")
            .arg("PX")
            .arg(LOCK_MILLIS);
        let locked: Option<String> = self.link.query(&lock).await?;
        if locked.is_none() {
            return Ok(());
        }
        let restored = self.restore_old().await;
        let mut unlock = scripts::RESIGN.prepare_invoke();
        unlock.key(self.keys.unacked_mutex()).arg(&token);
        self.link.run::<u8>(&unlock).await?;
        restored
    }

    async fn restore_old(&self) -> Result<(), BrokerError> {
        let now: f64 = held::moment(Duration::ZERO).parse().unwrap_or(0.0);
        let old = now - self.settings.visibility_timeout.as_secs_f64();
        let mut ask = redis::cmd("ZRANGEBYSCORE");
        ask.arg(self.keys.unacked_index())
            .arg("-inf")
            .arg(old)
            .arg("WITHSCORES")
            .arg("LIMIT")
            .arg(0)
            .arg(BATCH);
        let claims: Vec<(String, f64)> = self.link.query(&ask).await?;
        for (tag, score) in claims {
            self.restore(&tag, &held::fence_of(score), Holder::Python)
                .await?;
        }
        Ok(())
    }

    /// Puts back one message, unless its claim is another one by now.
    async fn restore(&self, tag: &str, fence: &str, holder: Holder) -> Result<(), BrokerError> {
        let mut ask = redis::cmd("HGET");
        ask.arg(self.keys.unacked()).arg(tag);
        let entry: Option<String> = self.link.query(&ask).await?;
        let parts = entry
            .as_deref()
            .map(serde_json::from_str::<(RawJson, String, String)>);
        let (text, place) = match parts {
            Some(Ok((message, exchange, routing_key))) => {
                let again = again(&message, holder);
                if again.losses >= LOSSES_MAX
                    && self
                        .give_up(tag, fence, again.text.clone(), &routing_key)
                        .await?
                {
                    return Ok(());
                }
                let priority = again.priority;
                let place = Place::before(&self.keys, &exchange, &routing_key, priority);
                (again.text, place)
            }
            // A claim without a message, or one that nobody can read, is no claim.
            Some(Err(_)) | None => (String::new(), Place::Nowhere),
        };
        let mut call = scripts::RESTORE.prepare_invoke();
        call.key(self.keys.unacked())
            .key(self.keys.unacked_index())
            .key(self.keys.leases());
        let texts = match self.keys.look_after() {
            true => self.keys.sent_texts(),
            false => String::new(),
        };
        call.arg(tag).arg(fence).arg(&text).arg(texts);
        place.add_to(&mut call);
        let lists: i64 = self.link.run(&call).await?;
        if lists > 0 {
            tracing::warn!(tag, "a message of a worker that is gone was put back");
        }
        Ok(())
    }

    /// Ends a message with which too many workers were lost: it may be what ends them.
    async fn give_up(
        &self,
        tag: &str,
        fence: &str,
        text: String,
        queue: &str,
    ) -> Result<bool, BrokerError> {
        let message = envelope::open(&text).and_then(|(parcel, _)| unpack::unpack(&parcel, queue));
        let Ok(message) = message else {
            return Ok(false);
        };
        let message = Message {
            queue: queue.to_owned(),
            ..message
        };
        let lease = Lease {
            id: message.id.clone(),
            token: self.holding.keep(Held {
                tag: tag.to_owned(),
                fence: fence.to_owned(),
                list: self.keys.list(queue, message.priority),
                raw: text.into(),
                message: Arc::new(message),
                worker: "".into(),
            }),
            period: Duration::ZERO,
        };
        let exception = Exception {
            exc_type: "WorkerLostError".to_owned(),
            exc_module: "billiard.exceptions".to_owned(),
            message: format!("its worker was lost {LOSSES_MAX} times while it ran"),
        };
        tracing::error!(id = %lease.id, "a task is given up: {}", exception.message);
        let failed = Settlement::Failure {
            exception,
            traceback: None,
            children: Vec::new(),
            successors: crate::broker::Enqueue::default(),
        };
        let settled = self.settle(&lease, failed).await?;
        Ok(settled == crate::broker::Settled::Done)
    }
}

/// Who held a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// A worker like this one: its loss counts.
    Siding,
    /// One of Python's, which is lost, or only slow.
    Python,
}

/// A message that is delivered again.
struct Again {
    text: String,
    priority: Priority,
    losses: u32,
}

/// `message` as kombu marks it when it is delivered again.
fn again(message: &RawJson, holder: Holder) -> Again {
    let marked = mark(message, holder);
    marked.unwrap_or_else(|_| Again {
        text: message.get().to_owned(),
        priority: Priority::default(),
        losses: 0,
    })
}

fn mark(message: &RawJson, holder: Holder) -> Result<Again, serde_json::Error> {
    type Map = BTreeMap<String, RawJson>;
    let mut whole: Map = message.read()?;
    let part = |whole: &Map, name: &str| match whole.get(name) {
        Some(part) => part.read::<Map>(),
        None => Ok(Map::new()),
    };
    let yes = RawJson::of(&true)?;
    let mut headers = part(&whole, "headers")?;
    let before = headers.get(LOSSES).map(RawJson::read::<u32>).transpose()?;
    let losses = before.unwrap_or(0) + u32::from(holder == Holder::Siding);
    if losses > 0 {
        headers.insert(LOSSES.to_owned(), RawJson::of(&losses)?);
    }
    headers.insert("redelivered".to_owned(), yes.clone());
    let mut properties = part(&whole, "properties")?;
    let mut delivery_info = part(&properties, "delivery_info")?;
    delivery_info.insert("redelivered".to_owned(), yes);
    let number = properties
        .get("priority")
        .and_then(|number| number.read::<u8>().ok());
    properties.insert("delivery_info".to_owned(), RawJson::of(&delivery_info)?);
    whole.insert("headers".to_owned(), RawJson::of(&headers)?);
    whole.insert("properties".to_owned(), RawJson::of(&properties)?);
    Ok(Again {
        text: serde_json::to_string(&whole)?,
        priority: number.and_then(Priority::new).unwrap_or_default(),
        losses,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_delivered_again_says_so_and_keeps_the_rest() {
        let text = r#"{"body": "W10=", "headers": {"id": "1", "x": 184467440737095516150}, "properties": {"priority": 6, "delivery_info": {"exchange": "", "routing_key": "celery"}}}"#;
        let first = again(&RawJson::parse(text.to_owned()).unwrap(), Holder::Siding);
        assert_eq!((first.priority.get(), first.losses), (6, 1));
        let second = again(&RawJson::parse(first.text).unwrap(), Holder::Siding);
        assert_eq!(second.losses, 2);
        assert!(second.text.contains(r#""redelivered":true"#));
        assert!(second.text.contains("184467440737095516150"));
        let third = again(&RawJson::parse(second.text).unwrap(), Holder::Python);
        assert_eq!(
            third.losses, 2,
            "a Python worker that is lost is not told from one that is slow"
        );
    }
}
