//! Sending messages.

use std::sync::PoisonError;
use std::time::Duration;

use super::keys::Keys;
use super::place::{self, Place};
use super::writes::Push;
use super::{Shared, Writes, held, scripts};
use crate::broker::{BrokerError, Enqueue, Enqueued};
use crate::celery::envelope::{self, Address};
use crate::celery::pack;
use crate::message::{Message, Timestamp};

/// How long a unique key, or an id that is not random, is held at most: a task that a Python worker runs gives none back.
const GUARD_SECONDS: u64 = 24 * 3_600;

/// A message as it goes into a list, and its delivery tag.
pub(super) fn text(message: &Message) -> Result<(String, String), BrokerError> {
    let parcel = pack::pack(message).map_err(|error| {
        BrokerError::Unsupported(format!(
            "the message of {} cannot be written for Celery: {error}",
            message.task
        ))
    })?;
    let (exchange, routing_key) = message.address();
    let address = Address {
        exchange: exchange.to_owned(),
        routing_key: routing_key.to_owned(),
        delivery_tag: uuid::Uuid::new_v4().to_string(),
        redelivered: false,
    };
    Ok((envelope::seal(&parcel, &address), address.delivery_tag))
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
    pub(super) async fn send(&self, mut request: Enqueue) -> Result<Vec<Enqueued>, BrokerError> {
        for message in &mut request.messages {
            self.route(message);
        }
        self.declare(&request).await?;
        if let ([message], []) = (&*request.messages, &*request.chords)
            && message.destination.is_none()
            && guard(&self.keys, message).is_empty()
            && self.settings.resend_lost.is_none()
        {
            let push = self.push_of(message.clone())?;
            let mut command = redis::cmd("LPUSH");
            let list = self.keys.list(&message.queue, message.priority);
            command.arg(list).arg(push.text);
            self.link.query::<()>(&command).await?;
            return Ok(vec![Enqueued::Accepted]);
        }
        self.begin_chords_elsewhere(&request).await?;
        self.send_all(request).await
    }

    /// Sends all of it, or nothing when a message leads nowhere.
    async fn send_all(&self, request: Enqueue) -> Result<Vec<Enqueued>, BrokerError> {
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
        if self.settings.resend_lost.is_some() {
            call.key(self.keys.sent_texts()).key(self.keys.sent_looks());
        }
        let mut places = Vec::with_capacity(request.messages.len());
        for message in request.messages {
            let guard = guard(&self.keys, &message);
            let push = self.push_of(message)?;
            push.place.add_to(&mut call);
            call.arg(&push.text)
                .arg(push.id.as_str())
                .arg(guard)
                .arg(GUARD_SECONDS);
            push.add_look(&mut call);
            places.push(push.place);
        }
        let (answers, lost): (Vec<String>, Vec<usize>) = self.link.run(&call).await?;
        match lost.first().and_then(|number| places.get(number - 1)) {
            Some(place) => Err(unroutable(place)),
            None => Ok(answers.into_iter().map(answered).collect()),
        }
    }

    /// Says where it goes if it says neither a queue nor an exchange, and which exchange if its queue is a broadcast.
    fn route(&self, message: &mut Message) {
        self.settings.routes.apply(message);
        self.settings.task_queues.apply(message);
    }

    /// What goes into which list for `message`.
    pub(super) fn push_of(&self, message: Message) -> Result<Push, BrokerError> {
        let message = self.addressed(message);
        let (text, tag) = text(&message)?;
        // Without a result nothing tells whether it has ended.
        let look = self
            .settings
            .resend_lost
            .filter(|_| !message.ignore_result && self.beside.is_some())
            // Each queue may have a copy, and one result does not tell which has ended.
            .filter(|_| message.destination.is_none());
        let wait = message
            .eta
            .map_or(Duration::ZERO, |eta| eta.since(Timestamp::now()));
        Ok(Push {
            place: Place::of(&self.keys, &message),
            text,
            tag,
            id: message.id,
            look: look.map(|after| held::moment(wait + after)),
        })
    }

    /// Says which queue it goes to, and where its result is waited for, if that is a queue and nobody else has said so.
    pub(super) fn addressed(&self, mut message: Message) -> Message {
        self.route(&mut message);
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
    pub(super) async fn declare(&self, request: &Enqueue) -> Result<(), BrokerError> {
        for message in &request.messages {
            match &message.destination {
                None => self.declare_queue(&message.queue).await?,
                Some(to) => {
                    for queue in self.settings.task_queues.bound_to(&to.exchange) {
                        self.declare_queue(queue).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The exchanges that a queue is bound to, and how: that of its own name, unless there are others.
    fn bindings(&self, queue: &str) -> Vec<(String, String)> {
        let bound = self.settings.task_queues.bindings(queue).map(|bound| {
            let key = &bound.routing_key;
            let member = self.keys.binding_member(key, &place::pattern(bound), queue);
            (bound.exchange.name.clone(), member)
        });
        let bound: Vec<_> = bound.collect();
        match bound.is_empty() {
            true => {
                let member = self.keys.binding_member(queue, "", queue);
                vec![(queue.to_owned(), member)]
            }
            false => bound,
        }
    }

    pub(super) async fn declare_queue(&self, queue: &str) -> Result<(), BrokerError> {
        let is_known = {
            let declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
            declared.contains(queue)
        };
        if is_known {
            return Ok(());
        }
        let mut commands = redis::pipe();
        commands.atomic();
        for (exchange, member) in self.bindings(queue) {
            commands
                .sadd(self.keys.binding(&exchange), &member)
                .ignore()
                .sadd(self.keys.permanent_binding(&exchange), &member)
                .ignore();
        }
        self.link.pipe::<()>(&commands).await?;
        let mut declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
        declared.insert(queue.to_owned());
        Ok(())
    }
}

fn unroutable(place: &Place) -> BrokerError {
    BrokerError::Unroutable(format!(
        "{place} has no queue for it; start the worker that serves one, or bind one in `task_queues`. Nothing was sent"
    ))
}

fn answered(answer: String) -> Enqueued {
    if answer.is_empty() {
        Enqueued::Accepted
    } else {
        Enqueued::Duplicate(answer.into())
    }
}
