//! Messages that wait or run.

use rusqlite::{Row, named_params};

use super::end::{self, Ending};
use super::tx::Tx;
use crate::broker::{BrokerError, Enqueue, Enqueued};
use crate::message::{Exception, Message, State, TaskId, wire};

/// A message and its text, which is made before the writer's thread gets it.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    pub(super) message: Message,
    pub(super) text: String,
}

impl Incoming {
    /// # Errors
    /// When it cannot be written as JSON.
    pub(super) fn new(message: Message) -> Result<Self, serde_json::Error> {
        let text = wire::write(&message)?;
        Ok(Self { message, text })
    }
}

/// Messages and their texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    pub(super) incoming: Vec<Incoming>,
    chords: Vec<(String, u32)>,
}

impl Batch {
    /// What follows a task and is for an exchange is told to the log, for it must not hold up the rest.
    ///
    /// # Errors
    /// When one of them cannot be written as JSON.
    pub(super) fn new(enqueue: Enqueue) -> Result<Self, serde_json::Error> {
        let messages = enqueue.messages.into_iter().filter(|message| {
            let refused = for_queue(message);
            if let Err(error) = &refused {
                tracing::error!(id = %message.id, %error, "what follows a task could not be sent");
            }
            refused.is_ok()
        });
        Ok(Self {
            incoming: messages.map(Incoming::new).collect::<Result<_, _>>()?,
            chords: enqueue.chords,
        })
    }

    pub(super) fn ids(&self) -> Vec<TaskId> {
        let ids = self.incoming.iter().map(|one| one.message.id.clone());
        ids.collect()
    }
}

/// Whether all of them are for queues.
pub(super) fn for_queues(enqueue: &Enqueue) -> Result<(), BrokerError> {
    enqueue.messages.iter().try_for_each(for_queue)
}

fn for_queue(message: &Message) -> Result<(), BrokerError> {
    match &message.destination {
        None => Ok(()),
        Some(destination) => Err(BrokerError::Unsupported(format!(
            "the task {} was sent to {destination}, and the embedded store has no exchanges; name a queue, or use Redis or \
             RabbitMQ as the broker",
            message.task
        ))),
    }
}

/// Accepts all of them.
pub(super) fn accept(tx: &mut Tx<'_>, batch: &Batch) -> rusqlite::Result<Vec<Enqueued>> {
    for (group, size) in &batch.chords {
        tx.change(
            "INSERT OR IGNORE INTO chords (group_id, size) VALUES (?1, ?2)",
            (group, size),
        )?;
    }
    let mut answers = Vec::with_capacity(batch.incoming.len());
    for incoming in &batch.incoming {
        answers.push(accept_one(tx, incoming)?);
    }
    Ok(answers)
}

fn accept_one(tx: &mut Tx<'_>, incoming: &Incoming) -> rusqlite::Result<Enqueued> {
    let message = &incoming.message;
    let known = tx.first(
        "SELECT state FROM done WHERE id = ?1",
        [&message.id],
        |row| row.get::<_, String>(0),
    )?;
    match known.as_deref().and_then(State::parse) {
        Some(State::Success) => return Ok(Enqueued::Duplicate(message.id.clone())),
        Some(State::Revoked) => return refuse_revoked(tx, incoming),
        // It failed, by itself or with another that has now been sent again: it may try again.
        Some(State::Failure | State::Pending | State::Started | State::Retry) | None => {}
    }
    if insert(tx, incoming)? {
        if known.is_some() {
            tx.change("DELETE FROM done WHERE id = ?1", [&message.id])?;
        }
        tx.news.changed = true;
        return Ok(Enqueued::Accepted);
    }
    let holder = holder(tx, message)?;
    if holder != message.id {
        // Its chord would wait for it for ever.
        end::fail_dependents(tx, message, &end::duplicate(&holder))?;
    }
    Ok(Enqueued::Duplicate(holder))
}

/// Whether it is there now that was not before.
fn insert(tx: &mut Tx<'_>, incoming: &Incoming) -> rusqlite::Result<bool> {
    let message = &incoming.message;
    let params = named_params! {
        ":seq": tx.next()?,
        ":id": message.id,
        ":task": message.task,
        ":queue": message.queue,
        ":priority": message.priority.get(),
        ":now": tx.now,
        ":eta": message.eta,
        ":due": message.eta.unwrap_or(tx.now),
        ":expires": message.expires,
        ":unique_key": message.unique_key,
        ":group_id": message.group,
        ":group_index": message.group_index,
        ":chord": message.group.is_some() && message.embed.chord.is_some(),
        ":parent_id": message.parent_id,
        ":retries": message.retries,
        ":ignore_result": message.ignore_result,
        ":message": incoming.text,
    };
    let inserted = tx.change(
        "INSERT INTO live (seq, id, task, queue, priority, sent_at, eta, due, expires, unique_key,
                           group_id, group_index, chord, parent_id, retries, ignore_result, message)
         VALUES (:seq, :id, :task, :queue, :priority, :now, :eta, :due, :expires, :unique_key,
                 :group_id, :group_index, :chord, :parent_id, :retries, :ignore_result, :message)
         ON CONFLICT DO NOTHING",
        params,
    )?;
    Ok(inserted == 1)
}

/// The task that stands in the way of `message`: itself, or the one with its unique key.
fn holder(tx: &Tx<'_>, message: &Message) -> rusqlite::Result<TaskId> {
    tx.value(
        "SELECT id FROM live WHERE id = ?1
         UNION ALL SELECT id FROM live WHERE unique_key = ?2 LIMIT 1",
        (&message.id, &message.unique_key),
    )
}

/// It was revoked before it came, or after; that stays, and what hangs on it is told.
fn refuse_revoked(tx: &mut Tx<'_>, incoming: &Incoming) -> rusqlite::Result<Enqueued> {
    let message = &incoming.message;
    let first_seen = tx.change(
        "DELETE FROM done WHERE id = ?1 AND message IS NULL",
        [&message.id],
    )? == 1;
    if first_seen {
        let text = incoming.text.clone();
        end::record(tx, message, text, &Ending::revoked("revoked"))?;
        end::send_errbacks(tx, message)?;
        end::fail_dependents(tx, message, &Exception::revoked("revoked"))?;
    }
    Ok(Enqueued::Revoked)
}

/// Where a message counts in a chord.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) group: String,
    pub(super) index: Option<u32>,
}

/// A live message, as far as its end needs it.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) seq: i64,
    pub(super) id: TaskId,
    pub(super) chord: Option<Place>,
    pub(super) ignore_result: bool,
    pub(super) losses: u32,
    pub(super) revoked: bool,
}

impl Live {
    const COLUMNS: &str =
        "seq, id, chord, group_id, group_index, ignore_result, losses, revocation IS NOT NULL";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let chord = match row.get(2)? {
            true => Some(Place {
                group: row.get(3)?,
                index: row.get(4)?,
            }),
            false => None,
        };
        Ok(Self {
            seq: row.get(0)?,
            id: row.get(1)?,
            chord,
            ignore_result: row.get(5)?,
            losses: row.get(6)?,
            revoked: row.get(7)?,
        })
    }

    /// Those that meet `condition`, which is SQL.
    pub(super) fn select(
        tx: &Tx<'_>,
        condition: &str,
        params: impl rusqlite::Params,
    ) -> rusqlite::Result<Vec<Self>> {
        let sql = format!("SELECT {} FROM live WHERE {condition}", Self::COLUMNS);
        tx.rows(&sql, params, Self::read)
    }

    /// The one that meets `condition`, which is SQL.
    pub(super) fn find(
        tx: &Tx<'_>,
        condition: &str,
        params: impl rusqlite::Params,
    ) -> rusqlite::Result<Option<Self>> {
        Ok(Self::select(tx, condition, params)?.pop())
    }

    /// Its message as text.
    pub(super) fn text(&self, tx: &Tx<'_>) -> rusqlite::Result<String> {
        tx.value("SELECT message FROM live WHERE seq = ?1", [self.seq])
    }
}
