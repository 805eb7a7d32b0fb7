//! Sending messages.

use std::sync::PoisonError;

use super::keys::Keys;
use super::{Shared, Writes, scripts};
use crate::broker::{BrokerError, Enqueue, Enqueued};
use crate::celery::envelope::{self, Address};
use crate::celery::pack;
use crate::message::Message;

/// How long a unique key, or an id that is not random, is held at most: a task that a Python worker runs gives none back.
const GUARD_SECONDS: u64 = 24 * 3_600;

/// A message as it goes into a list.
pub(super) fn text(message: &Message) -> Result<String, BrokerError> {
    let parcel = pack::pack(message).map_err(|error| {
        BrokerError::Unsupported(format!(
            "the message of {} cannot be written for Celery: {error}",
            message.task
        ))
    })?;
    let address = Address {
        exchange: String::new(),
        routing_key: message.queue.clone(),
        delivery_tag: uuid::Uuid::new_v4().to_string(),
        redelivered: false,
    };
    Ok(envelope::seal(&parcel, &address))
}

/// What keeps a message from being sent twice: its unique key, or an id that says what it is, such as a schedule's tick.
fn guard(keys: &Keys, message: &Message) -> String {
    match &message.unique_key {
        Some(key) => keys.unique(key),
        None if uuid::Uuid::try_parse(message.id.as_str()).is_err() => keys.sent(&message.id),
        None => String::new(),
    }
}

impl Shared {
    pub(super) async fn send(&self, request: Enqueue) -> Result<Vec<Enqueued>, BrokerError> {
        self.declare(&request).await?;
        if let ([message], []) = (&*request.messages, &*request.chords)
            && guard(&self.keys, message).is_empty()
        {
            let mut push = redis::cmd("LPUSH");
            push.arg(self.keys.list(&message.queue, message.priority));
            push.arg(text(&self.addressed(message.clone()))?);
            self.link.query::<()>(&push).await?;
            return Ok(vec![Enqueued::Accepted]);
        }
        self.begin_chords_elsewhere(&request).await?;
        let mut values = Writes::default();
        if let Some(results) = &self.beside {
            for (group, parts) in &request.chords {
                results.add_chord_begin(&mut values, group, *parts);
            }
        }
        let set = values.values.iter().filter(|(_, _, seconds)| *seconds > 0);
        let set: Vec<_> = set.collect();
        let mut call = scripts::SEND.prepare_invoke();
        call.arg(set.len());
        for (key, value, seconds) in set {
            call.arg(key).arg(value).arg(*seconds);
        }
        for message in request.messages {
            let message = self.addressed(message);
            call.arg(self.keys.list(&message.queue, message.priority))
                .arg(text(&message)?)
                .arg(message.id.as_str())
                .arg(guard(&self.keys, &message))
                .arg(GUARD_SECONDS);
        }
        let answers: Vec<String> = self.link.run(&call).await?;
        Ok(answers.into_iter().map(answered).collect())
    }

    /// Says where its result is waited for, if that is a queue and nobody else has said so.
    pub(super) fn addressed(&self, mut message: Message) -> Message {
        if message.reply_to.is_none() {
            message.reply_to = self.results.reply_to();
        }
        message
    }

    /// Counters that are in another database.
    async fn begin_chords_elsewhere(&self, request: &Enqueue) -> Result<(), BrokerError> {
        if self.beside.is_some() || request.chords.is_empty() {
            return Ok(());
        }
        let chords = self.results.chords().ok_or_else(|| {
            BrokerError::Unsupported(
                "a chord needs results that are kept: its parts are counted beside them".to_owned(),
            )
        })?;
        for (group, parts) in &request.chords {
            chords.begin(group, *parts).await?;
        }
        Ok(())
    }

    /// Tells Python of queues: whoever publishes to their exchange finds them.
    async fn declare(&self, request: &Enqueue) -> Result<(), BrokerError> {
        for message in &request.messages {
            self.declare_queue(&message.queue).await?;
        }
        Ok(())
    }

    pub(super) async fn declare_queue(&self, queue: &str) -> Result<(), BrokerError> {
        let is_known = {
            let declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
            declared.contains(queue)
        };
        if is_known {
            return Ok(());
        }
        let member = format!("{queue}\x06\x16\x06\x16{queue}");
        let mut commands = redis::pipe();
        commands
            .atomic()
            .sadd(self.keys.binding(queue), &member)
            .ignore()
            .sadd(self.keys.permanent_binding(queue), &member)
            .ignore();
        self.link.pipe::<()>(&commands).await?;
        let mut declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
        declared.insert(queue.to_owned());
        Ok(())
    }
}

fn answered(answer: String) -> Enqueued {
    if answer.is_empty() {
        Enqueued::Accepted
    } else {
        Enqueued::Duplicate(answer.into())
    }
}
