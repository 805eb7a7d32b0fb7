//! Results in Redis, and the counters of chords: Celery's Redis result backend.
//!
//! Source: `celery/backends/redis.py` and `celery/backends/base.py` of Celery 5.7.

use std::sync::Arc;
use std::time::Duration;

use super::ears::Ears;
use super::keys::Keys;
use super::link::Link;
use super::settings::RedisSettings;
use super::writes::Writes;
use super::{commit, parts};
use crate::broker::{BrokerError, BrokerFuture, Found};
use crate::celery::document;
use crate::celery::results::{Chords, Counted, Part, Results};
use crate::message::{Message, Meta, TaskId};

/// A result that nobody told of is looked for again after so long: the message that tells may be lost with a connection.
const LOOK: Duration = Duration::from_secs(5);

/// How long whoever has counted the last part of a chord may take to send its body, before another part that comes again
/// may: as in Celery.
const CHORD_CLAIM: u64 = 10;

/// For how long a part that comes late is told that its chord is done: as in Celery.
pub(super) const CHORD_DONE: u64 = 300;

/// Results in Redis.
#[derive(Debug)]
pub(crate) struct RedisResults {
    pub(super) keys: Keys,
    pub(super) settings: RedisSettings,
    link: Arc<Link>,
    ears: Arc<Ears>,
}

impl RedisResults {
    /// Where a broker is.
    pub(super) fn beside(
        keys: Keys,
        settings: RedisSettings,
        link: Arc<Link>,
        ears: Arc<Ears>,
    ) -> Self {
        Self {
            keys,
            settings,
            link,
            ears,
        }
    }

    /// Connects.
    pub(crate) async fn connect(settings: RedisSettings) -> Result<Self, BrokerError> {
        let link = Arc::new(Link::new(&settings.url, settings.response_timeout)?);
        link.connection().await?;
        let ears = Ears::new(&link);
        Ok(Self::beside(Keys::new(&settings), settings, link, ears))
    }

    /// Adds what stores `meta` to `writes`.
    pub(super) fn add(&self, writes: &mut Writes, message: &Message, meta: &Meta) {
        writes.results.extend(self.entry(message, meta));
    }

    /// The key of a result, how many seconds it is kept, and the document; nothing where it is thrown away.
    pub(super) fn entry(&self, message: &Message, meta: &Meta) -> Option<(String, u64, String)> {
        let own = meta.id == message.id;
        if own && message.ignore_result {
            return None;
        }
        let extended = (own && self.settings.result_extended).then_some(message);
        let seconds = self.settings.result_expires.as_secs().max(1);
        Some((
            self.keys.result(&meta.id),
            seconds,
            document::write(meta, extended),
        ))
    }

    /// Adds what ends a chord to `writes`, which then happen only if `claim` still holds.
    pub(super) fn add_chord_end(&self, writes: &mut Writes, group: &str, claim: &str) {
        let done = self.keys.group(group, ".c");
        writes.guards.push((done.clone(), claim.to_owned()));
        for counter in [".j", ".t", ".s", ".d"] {
            writes.delete(self.keys.group(group, counter));
        }
        writes.values.push((
            done,
            "done".to_owned(),
            i64::try_from(CHORD_DONE).unwrap_or(300),
        ));
    }

    async fn look(&self, id: &TaskId) -> Result<Found, BrokerError> {
        let mut get = redis::cmd("GET");
        get.arg(self.keys.result(id));
        let text: Option<Vec<u8>> = self.link.query(&get).await?;
        let Some(text) = text else {
            return Ok(Found::Unknown);
        };
        document::read(&text).map(Found::Known).map_err(|error| {
            BrokerError::Broken(format!("the result of {id} cannot be read: {error}"))
        })
    }
}

impl Results for RedisResults {
    fn store<'a>(&'a self, message: &'a Message, meta: &'a Meta) -> BrokerFuture<'a, ()> {
        Box::pin(async move {
            let mut writes = Writes::default();
            self.add(&mut writes, message, meta);
            commit(&self.link, &self.keys, None, &writes)
                .await
                .map(drop)
        })
    }

    fn find(&self, id: TaskId) -> BrokerFuture<'_, Found> {
        Box::pin(async move { self.look(&id).await })
    }

    fn finished(&self, id: TaskId) -> BrokerFuture<'_, Meta> {
        Box::pin(async move {
            let mut news = self.ears.subscribe(self.keys.result(&id), false).await;
            loop {
                if let Found::Known(meta) = self.look(&id).await?
                    && meta.state.is_ready()
                {
                    return Ok(meta);
                }
                // However it ends, the result itself is looked at.
                let _ = tokio::time::timeout(LOOK, news.next()).await;
            }
        })
    }

    fn chords(&self) -> Option<&dyn Chords> {
        Some(self)
    }
}

impl Chords for RedisResults {
    fn begin<'a>(&'a self, group: &'a str, parts: u32) -> BrokerFuture<'a, ()> {
        Box::pin(async move {
            let mut writes = Writes::default();
            self.add_chord_begin(&mut writes, group, parts);
            commit(&self.link, &self.keys, None, &writes)
                .await
                .map(drop)
        })
    }

    fn count<'a>(&'a self, part: &'a Part) -> BrokerFuture<'a, Counted> {
        Box::pin(async move {
            let token = uuid::Uuid::new_v4().simple().to_string();
            let key = |suffix| self.keys.group(&part.group, suffix);
            let mut call = super::scripts::CHORD_COUNT.prepare_invoke();
            for suffix in [".j", ".t", ".s", ".d", "", ".c"] {
                call.key(key(suffix));
            }
            let place = part
                .index
                .map_or_else(|| "+inf".to_owned(), |index| index.to_string());
            call.arg(part.id.as_str())
                .arg(parts::write(part))
                .arg(place)
                .arg(self.settings.result_expires.as_secs())
                .arg(CHORD_CLAIM)
                .arg(&token);
            let (claimed, texts, shape): (u8, Vec<String>, String) = self.link.run(&call).await?;
            if claimed == 0 {
                return Ok(Counted::Waiting);
            }
            Ok(Counted::Complete {
                shape: parts::shape(&shape),
                parts: texts
                    .iter()
                    .map(|text| parts::read(&part.group, text))
                    .collect(),
                claim: token,
            })
        })
    }

    fn end<'a>(&'a self, group: &'a str, claim: &'a str) -> BrokerFuture<'a, ()> {
        Box::pin(async move {
            let mut writes = Writes::default();
            self.add_chord_end(&mut writes, group, claim);
            commit(&self.link, &self.keys, None, &writes)
                .await
                .map(drop)
        })
    }
}

impl RedisResults {
    /// Adds what begins a chord to `writes`.
    pub(super) fn add_chord_begin(&self, writes: &mut Writes, group: &str, parts: u32) {
        let expires = i64::try_from(self.settings.result_expires.as_secs()).unwrap_or(i64::MAX);
        // A chord that is sent again counts again.
        writes.delete(self.keys.group(group, ".c"));
        let size = self.keys.group(group, ".s");
        writes
            .values
            .push((size, parts.to_string(), expires.max(1)));
    }
}
