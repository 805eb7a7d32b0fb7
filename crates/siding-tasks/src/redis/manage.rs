//! What operators ask, and who leads.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Shared, place, scripts, send};
use crate::broker::{BrokerError, ListFilter, Listed, QueueCount};
use crate::celery::{envelope, unpack};
use crate::message::{Exception, Message, Meta, State, TaskId, Timestamp};

/// Messages of one list that are looked at for a listing.
const LOOK_MAX: usize = 1_000;

impl Shared {
    pub(super) async fn lead(
        &self,
        name: &str,
        holder: &str,
        period: Duration,
    ) -> Result<bool, BrokerError> {
        let mut call = scripts::LEAD.prepare_invoke();
        let millis = u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1);
        call.key(self.keys.lead(name)).arg(holder).arg(millis);
        let leads: u8 = self.link.run(&call).await?;
        Ok(leads == 1)
    }

    pub(super) async fn leader(&self, name: &str) -> Result<Option<String>, BrokerError> {
        let mut ask = redis::cmd("GET");
        ask.arg(self.keys.lead(name));
        self.link.query(&ask).await
    }

    pub(super) async fn resign(&self, name: &str, holder: &str) -> Result<(), BrokerError> {
        let mut call = scripts::RESIGN.prepare_invoke();
        call.key(self.keys.lead(name)).arg(holder);
        self.link.run::<u8>(&call).await.map(drop)
    }

    /// Queues that somebody has declared.
    async fn declared_queues(&self) -> Result<Vec<String>, BrokerError> {
        let prefix = self.keys.binding("");
        let mut queues = BTreeSet::from([Message::DEFAULT_QUEUE.to_owned()]);
        for key in self.scan(&format!("{}*", escaped(&prefix))).await? {
            let mut ask = redis::cmd("SMEMBERS");
            ask.arg(&key);
            let members: Vec<String> = self.link.query(&ask).await?;
            let bound = members.iter().filter_map(|member| self.keys.bound(member));
            // The queues of control and events hold no tasks, those of broadcasts are no lists.
            let queues_of_tasks = bound.map(|(_, queue)| queue).filter(|name| {
                !name.contains("pidbox") && !name.starts_with("celeryev") && !place::is_inbox(name)
            });
            queues.extend(queues_of_tasks.map(ToOwned::to_owned));
        }
        Ok(queues.into_iter().collect())
    }

    async fn scan(&self, pattern: &str) -> Result<Vec<String>, BrokerError> {
        let (mut cursor, mut found) = (0_u64, Vec::new());
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(pattern)
                .arg("COUNT")
                .arg(1_000);
            let (next, keys): (u64, Vec<String>) = self.link.query(&scan).await?;
            found.extend(keys);
            if next == 0 {
                return Ok(found);
            }
            cursor = next;
        }
    }

    /// What waits, by queue, and what somebody has claimed. Results are not counted: nothing says their queue.
    pub(super) async fn overview(&self) -> Result<Vec<QueueCount>, BrokerError> {
        let mut counts = Vec::new();
        for queue in self.declared_queues().await? {
            let mut commands = redis::pipe();
            for (list, _) in self.keys.lists(std::slice::from_ref(&queue)) {
                commands.llen(list);
            }
            let lengths: Vec<u64> = self.link.pipe(&commands).await?;
            let tasks = lengths.iter().sum();
            counts.push(QueueCount {
                queue,
                state: State::Pending,
                tasks,
            });
        }
        let mut ask = redis::cmd("HLEN");
        ask.arg(self.keys.unacked());
        let tasks: u64 = self.link.query(&ask).await?;
        counts.push(QueueCount {
            queue: String::new(),
            state: State::Started,
            tasks,
        });
        counts.retain(|count| count.tasks > 0);
        Ok(counts)
    }

    /// What waits, is claimed, or is a dead letter: as far as the database keeps messages. Succeeded tasks are not listed.
    pub(super) async fn list(&self, filter: &ListFilter) -> Result<Vec<Listed>, BrokerError> {
        let mut all = Vec::new();
        for queue in self.declared_queues().await? {
            for (list, queue) in self.keys.lists(std::slice::from_ref(&queue)) {
                let mut ask = redis::cmd("LRANGE");
                ask.arg(list).arg(0).arg(LOOK_MAX - 1);
                let texts: Vec<String> = self.link.query(&ask).await?;
                all.extend(
                    texts
                        .iter()
                        .filter_map(|text| read(text, &queue, State::Pending)),
                );
            }
        }
        let mut ask = redis::cmd("HVALS");
        ask.arg(self.keys.unacked());
        let entries: Vec<String> = self.link.query(&ask).await?;
        for entry in entries.iter().take(LOOK_MAX) {
            let parts = serde_json::from_str::<(crate::message::RawJson, String, String)>(entry);
            if let Ok((text, _, queue)) = parts {
                all.extend(read(text.get(), &queue, State::Started));
            }
        }
        for key in self
            .scan(&format!("{}*", escaped(&self.keys.dead())))
            .await?
            .iter()
            .take(LOOK_MAX)
        {
            let mut ask = redis::cmd("GET");
            ask.arg(key);
            let text: Option<String> = self.link.query(&ask).await?;
            all.extend(text.and_then(|text| read(&text, "", State::Failure)));
        }
        // Newer ids are greater, as far as they were made here.
        all.sort_by(|a, b| b.meta.id.cmp(&a.meta.id));
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        for (listed, position) in all.iter_mut().zip((1..=count).rev()) {
            listed.position = position;
        }
        all.retain(|listed| matches(listed, filter));
        all.truncate(filter.limit);
        Ok(all)
    }

    pub(super) async fn replay(&self, id: &TaskId) -> Result<bool, BrokerError> {
        let key = format!("{}{id}", self.keys.dead());
        let mut ask = redis::cmd("GET");
        ask.arg(&key);
        let text: Option<String> = self.link.query(&ask).await?;
        let Some(mut message) = text.and_then(|text| message(&text, Message::DEFAULT_QUEUE)) else {
            return Ok(false);
        };
        message.retries = 0;
        message.eta = None;
        message.expires = None;
        message.headers.remove(super::restore::LOSSES);
        let mut commands = redis::pipe();
        commands
            .atomic()
            .del(&key)
            .lpush(
                self.keys.list(&message.queue, message.priority),
                send::text(&message)?.0,
            )
            .ignore()
            .del(self.keys.result(id))
            .ignore();
        let (deleted,): (u8,) = self.link.pipe(&commands).await?;
        Ok(deleted == 1)
    }

    pub(super) async fn purge(
        &self,
        queue: Option<String>,
        limit: usize,
    ) -> Result<usize, BrokerError> {
        let queues = match queue {
            Some(queue) => vec![queue],
            None => self.declared_queues().await?,
        };
        let mut purged = 0;
        for (list, queue) in self.keys.lists(&queues) {
            while purged < limit {
                let mut take = redis::cmd("RPOP");
                take.arg(&list).arg((limit - purged).min(LOOK_MAX));
                let texts: Option<Vec<String>> = self.link.query(&take).await?;
                let Some(texts) = texts else { break };
                purged += texts.len();
                self.store_purged(&texts, &queue).await?;
            }
        }
        Ok(purged)
    }

    async fn store_purged(&self, texts: &[String], queue: &str) -> Result<(), BrokerError> {
        for message in texts.iter().filter_map(|text| message(text, queue)) {
            let meta = Meta {
                state: State::Revoked,
                exception: Some(Exception::revoked("revoked")),
                date_done: Some(Timestamp::now()),
                ..Meta::pending(message.id.clone(), message.task.clone())
            };
            self.results.store(&message, &meta).await?;
        }
        Ok(())
    }
}

/// A name as a pattern that only it matches.
fn escaped(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for c in name.chars() {
        if "*?[]\\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn message(text: &str, queue: &str) -> Option<Message> {
    let (parcel, address) = envelope::open(text).ok()?;
    let queue = match queue {
        "" => &address.routing_key,
        queue => queue,
    };
    unpack::unpack(&parcel, queue).ok()
}

fn read(text: &str, queue: &str, state: State) -> Option<Listed> {
    let message = message(text, queue)?;
    Some(Listed {
        position: 0,
        meta: Meta {
            state,
            parent_id: message.parent_id.clone(),
            group: message.group.clone(),
            retries: message.retries,
            ..Meta::pending(message.id.clone(), message.task.clone())
        },
        queue: message.queue.clone(),
        priority: message.priority,
        sent_at: Timestamp::from_millis(0),
        eta: message.eta,
        deliveries: super::claim::losses(&message).unwrap_or(0),
        message: Some(message),
    })
}

fn matches(listed: &Listed, filter: &ListFilter) -> bool {
    fn is<T: PartialEq>(wanted: Option<&T>, value: &T) -> bool {
        wanted.is_none_or(|wanted| wanted == value)
    }
    is(filter.id.as_ref(), &listed.meta.id)
        && is(filter.state.as_ref(), &listed.meta.state)
        && is(filter.task.as_ref(), &listed.meta.task)
        && is(filter.queue.as_ref(), &listed.queue)
        && filter.before.is_none_or(|before| listed.position < before)
}
