//! How a claim ends.

use super::held::{self, Held};
use super::results::RedisResults;
use super::{Shared, Writes, commit, scripts};
use crate::broker::{BrokerError, Enqueue, Lease, Settled, Settlement};
use crate::celery::ending::{self, Ending, HeaderEnd};
use crate::celery::results::{Counted, Part};
use crate::message::{Message, Meta, Signature, State, Timestamp};

/// How long the message of a task that failed is kept.
const DEAD_LETTER_SECONDS: i64 = 7 * 24 * 3_600;

impl Shared {
    pub(super) async fn started(&self, lease: &Lease) -> Result<(), BrokerError> {
        let Some(held) = self.holding.get(lease) else {
            return Ok(());
        };
        let message = &*held.message;
        let meta = Meta {
            state: State::Started,
            worker: Some(held.worker.to_string()),
            ..Meta::pending(message.id.clone(), message.task.clone())
        };
        let Some(results) = &self.beside else {
            return self.results.store(message, &meta).await;
        };
        let Some((key, seconds, document)) = results.entry(message, &meta) else {
            return Ok(());
        };
        let mut call = scripts::STARTED.prepare_invoke();
        call.key(self.keys.unacked_index())
            .key(key)
            .arg(&held.tag)
            .arg(&held.fence)
            .arg(seconds)
            .arg(document);
        self.link.run::<u8>(&call).await.map(drop)
    }

    pub(super) async fn settle(
        &self,
        lease: &Lease,
        settlement: Settlement,
    ) -> Result<Settled, BrokerError> {
        let Some(held) = self.holding.get(lease) else {
            return Ok(Settled::Refused);
        };
        let message = &held.message;
        let ending = ending::ending(message, settlement, &held.worker, Timestamp::now());
        let done = self.end(&held, ending).await?;
        self.holding.forget(lease);
        Ok(if done {
            Settled::Done
        } else {
            Settled::Refused
        })
    }

    async fn end(&self, held: &Held, ending: Ending) -> Result<bool, BrokerError> {
        let message = &*held.message;
        if !self.is_held(held, &ending).await? {
            return Ok(false);
        }
        if let Some((part, body)) = ending.part {
            self.count(part, body, message).await?;
        }
        let mut writes = Writes::default();
        let metas = std::iter::once(&ending.meta).chain(&ending.fallen);
        self.store(&mut writes, message, metas).await?;
        self.push_all(&mut writes, ending.successors).await?;
        if let Some(again) = ending.retry {
            self.push(&mut writes, *again)?;
        } else if let Some(key) = &message.unique_key {
            writes.delete_if(self.keys.unique(key), message.id.to_string());
        }
        if ending.meta.state == State::Failure {
            let key = format!("{}{}", self.keys.dead(), message.id);
            writes
                .values
                .push((key, held.raw.to_string(), DEAD_LETTER_SECONDS));
        }
        commit(&self.link, &self.keys, Some(held), &writes).await
    }

    /// Whether the claim still holds; asked only where something is written before the claim is ended, which asks by itself.
    async fn is_held(&self, held: &Held, ending: &Ending) -> Result<bool, BrokerError> {
        if self.beside.is_some() && ending.part.is_none() {
            return Ok(true);
        }
        let mut ask = redis::cmd("ZSCORE");
        ask.arg(self.keys.unacked_index()).arg(&held.tag);
        let score: Option<f64> = self.link.query(&ask).await?;
        Ok(score.map(held::fence_of).as_ref() == Some(&held.fence))
    }

    /// Counts a part of a chord, and if it was the last, sends the body, or tells what fails with the chord: which may be
    /// the last part of another.
    async fn count(&self, part: Part, body: Signature, last: &Message) -> Result<(), BrokerError> {
        let mut next = Some((part, body));
        while let Some((part, body)) = next.take() {
            let Some(chords) = self.results.chords() else {
                tracing::error!(
                    group = part.group,
                    "a part of a chord is not counted: results are not kept"
                );
                return Ok(());
            };
            let Counted::Complete {
                shape,
                parts,
                claim,
            } = chords.count(&part).await?
            else {
                return Ok(());
            };
            let now = Timestamp::now();
            let end = ending::header_end(&body, &parts, shape.as_ref(), last, now);
            let HeaderEnd {
                successors,
                fallen,
                part: outer,
            } = end;
            let mut writes = Writes::default();
            self.store(&mut writes, last, fallen.iter()).await?;
            self.push_all(&mut writes, successors).await?;
            self.end_chord(writes, &part.group, &claim).await?;
            next = outer;
        }
        Ok(())
    }

    async fn end_chord(
        &self,
        mut writes: Writes,
        group: &str,
        claim: &str,
    ) -> Result<(), BrokerError> {
        if let Some(results) = &self.beside {
            results.add_chord_end(&mut writes, group, claim);
        }
        let done = commit(&self.link, &self.keys, None, &writes).await?;
        if !done {
            tracing::warn!(
                group,
                "somebody else has taken over this chord; its body is theirs to send"
            );
        }
        match (&self.beside, self.results.chords()) {
            (None, Some(chords)) => chords.end(group, claim).await,
            _ => Ok(()),
        }
    }

    /// Adds results to `writes`, or stores them where they are kept.
    async fn store<'a>(
        &self,
        writes: &mut Writes,
        message: &Message,
        metas: impl Iterator<Item = &'a Meta>,
    ) -> Result<(), BrokerError> {
        for meta in metas {
            match &self.beside {
                Some(results) => RedisResults::add(results, writes, message, meta),
                None => self.results.store(message, meta).await?,
            }
        }
        Ok(())
    }

    async fn push_all(&self, writes: &mut Writes, request: Enqueue) -> Result<(), BrokerError> {
        for (group, parts) in &request.chords {
            match (&self.beside, self.results.chords()) {
                (Some(results), _) => results.add_chord_begin(writes, group, *parts),
                (None, Some(chords)) => chords.begin(group, *parts).await?,
                (None, None) => {
                    tracing::error!(group, "a chord will not end: results are not kept");
                }
            }
        }
        let routed = request.messages.iter().any(|one| one.destination.is_some());
        if routed {
            self.declare(&request).await?;
        }
        for message in request.messages {
            let (task, id) = (message.task.clone(), message.id.clone());
            // The task itself has ended, and must not run again for what follows it.
            if let Err(error) = self.push(writes, message) {
                tracing::error!(task, %id, %error, "what follows a task could not be sent");
            }
        }
        Ok(())
    }

    fn push(&self, writes: &mut Writes, message: Message) -> Result<(), BrokerError> {
        writes.pushes.push(self.push_of(message)?);
        Ok(())
    }
}
