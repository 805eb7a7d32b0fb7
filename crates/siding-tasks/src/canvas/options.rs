//! The options of a signature that canvas and sending give a meaning to.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::shape::json;
use super::{CanvasError, Kind};
use crate::message::{
    Destination, Exchange, ExchangeKind, Message, Priority, RawJson, Signature, TaskId, Timestamp,
};

/// The options that say where a message goes.
const PLACE: [&str; 4] = ["queue", "exchange", "exchange_type", "routing_key"];

/// A place in a group or in a chord's header.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    /// The group.
    pub(crate) group: String,
    /// The place; of several leaves, the first one's.
    pub(crate) index: u32,
    /// The chord's body, in its header.
    pub(crate) chord: Option<Signature>,
}

/// When something expires: seconds from now, or a moment.
#[derive(Deserialize)]
#[serde(untagged)]
enum SecondsOrMoment {
    Moment(String),
    Seconds(serde::de::IgnoredAny),
}

impl Signature {
    fn option<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, CanvasError> {
        self.options
            .read(name)
            .map_err(CanvasError::option(&self.task, name))
    }

    pub(crate) fn set<T: serde::Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.options.others.insert(name.to_owned(), json(value));
    }

    /// A list of signatures that Celery writes alone when it is one.
    pub(super) fn list(&self, name: &'static str) -> Result<Vec<Self>, CanvasError> {
        let Some(raw) = self.options.others.get(name) else {
            return Ok(Vec::new());
        };
        let error = || CanvasError::option(&self.task, name);
        match raw.get().as_bytes().first() {
            Some(b'[') => raw.read().map_err(error()),
            Some(b'{') => raw.read().map(|one| vec![one]).map_err(error()),
            _ => Ok(raw
                .read::<Option<Vec<Self>>>()
                .map_err(error())?
                .unwrap_or_default()),
        }
    }

    /// Adds `more` to a list of signatures.
    pub(crate) fn extend(&mut self, name: &'static str, more: &[Self]) -> Result<(), CanvasError> {
        if more.is_empty() {
            return Ok(());
        }
        let mut list = self.list(name)?;
        list.extend_from_slice(more);
        self.set(name, &list);
        Ok(())
    }

    /// What follows it, the next one last.
    pub(super) fn rest(&self) -> Result<Vec<Self>, CanvasError> {
        self.list("chain")
    }

    pub(super) fn set_rest(&mut self, rest: &[Self]) {
        if rest.is_empty() {
            self.options.others.remove("chain");
        } else {
            self.set("chain", rest);
        }
    }

    /// Its place in a group, if it has one.
    pub(super) fn member(&self) -> Result<Option<Member>, CanvasError> {
        let Some(group) = self.option("group_id")? else {
            return Ok(None);
        };
        Ok(Some(Member {
            group,
            index: self.option("group_index")?.unwrap_or(0),
            chord: self.option("chord")?,
        }))
    }

    pub(super) fn take_member(&mut self) -> Result<Option<Member>, CanvasError> {
        let member = self.member()?;
        for name in ["group_id", "group_index", "chord"] {
            self.options.others.remove(name);
        }
        Ok(member)
    }

    /// Gives a place to the last of what this and what follows it stand for.
    pub(super) fn join(&mut self, member: &Member) -> Result<(), CanvasError> {
        let mut rest = self.rest()?;
        if let Some(last) = rest.first_mut() {
            last.join(member)?;
            self.set_rest(&rest);
            return Ok(());
        }
        self.set("group_id", &member.group);
        self.set("group_index", &member.index);
        match &member.chord {
            Some(body) => self.set("chord", body),
            None => drop(self.options.others.remove("chord")),
        }
        Ok(())
    }

    /// Puts `args` before its own, unless it wants none.
    pub(super) fn prepend(&mut self, args: &[RawJson]) {
        if !self.immutable {
            self.args.splice(0..0, args.iter().cloned());
        }
    }

    /// Where it goes if that is an exchange: Celery's rules, which take an exchange without a routing key for none unless it is
    /// said to be of another kind than direct.
    fn destination(&self) -> Result<Option<Destination>, CanvasError> {
        let name: Option<String> = self.option("exchange")?;
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let kind = match self.option::<String>("exchange_type")? {
            None => ExchangeKind::Direct,
            // The broker may know more kinds, which choose queues by themselves.
            Some(kind) => ExchangeKind::parse(&kind).unwrap_or(ExchangeKind::Topic),
        };
        let key = self.option::<String>("routing_key")?.unwrap_or_default();
        let exchange = Exchange { name, kind };
        let is_named = !key.is_empty() || kind != ExchangeKind::Direct;
        Ok(is_named.then(|| Destination::new(exchange, key)))
    }

    /// Has it sent to an exchange, and to no queue that it named before.
    pub(crate) fn send_to(&mut self, destination: &Destination) {
        self.options.others.remove("queue");
        self.set("exchange", &destination.exchange.name);
        self.set("exchange_type", destination.exchange.kind.as_str());
        self.set("routing_key", &destination.routing_key);
    }

    /// Has it wait in a queue, and sent to no exchange that it named before.
    pub(crate) fn wait_in(&mut self, queue: &str) {
        for name in &PLACE[1..] {
            self.options.others.remove(*name);
        }
        self.set("queue", queue);
    }

    /// Says where it goes as `whole` does, unless it says so itself.
    pub(super) fn go_with(&mut self, whole: &Self) {
        let others = &mut self.options.others;
        if PLACE.iter().any(|name| others.contains_key(*name)) {
            return;
        }
        for name in PLACE {
            if let Some(value) = whole.options.others.get(name) {
                others.insert(name.to_owned(), value.clone());
            }
        }
    }

    /// Writes its options into the message that it becomes.
    pub(super) fn apply_to(
        &self,
        message: &mut Message,
        now: Timestamp,
    ) -> Result<(), CanvasError> {
        if let Some(queue) = self.option("queue")? {
            message.queue = queue;
        }
        message.destination = self.destination()?;
        if let Some(number) = self.option::<u8>("priority")? {
            message.priority = Priority::new(number)
                .ok_or_else(|| self.refuse("priority", number.to_string(), "number up to 9"))?;
        }
        message.eta = self.moment("eta", now)?;
        if let Some(countdown) = self.seconds("countdown")? {
            message.eta = Some(now.after(countdown));
        }
        message.expires = self.moment("expires", now)?;
        message.time_limits.hard = self.seconds("time_limit")?;
        message.time_limits.soft = self.seconds("soft_time_limit")?;
        message.retries = self.option("retries")?.unwrap_or(0);
        message.ignore_result = self.option("ignore_result")?.unwrap_or(false);
        message.unique_key = self.option("unique_key")?;
        if let Some(reply_to) = self.option("reply_to")? {
            message.reply_to = Some(reply_to);
        }
        if let Some(root) = self.option::<TaskId>("root_id")? {
            message.root_id = Some(root);
        }
        if let Some(parent) = self.option::<TaskId>("parent_id")? {
            message.parent_id.get_or_insert(parent);
        }
        let headers: Option<std::collections::BTreeMap<String, RawJson>> =
            self.option("headers")?;
        message.headers.extend(headers.unwrap_or_default());
        Ok(())
    }

    fn refuse(&self, option: &'static str, value: String, expected: &'static str) -> CanvasError {
        let kind = Kind::Value {
            option,
            value,
            expected,
        };
        CanvasError::new(&self.task, kind)
    }

    fn seconds(&self, name: &'static str) -> Result<Option<Duration>, CanvasError> {
        let Some(seconds) = self.option::<f64>(name)? else {
            return Ok(None);
        };
        Duration::try_from_secs_f64(seconds.max(0.0))
            .map(Some)
            .map_err(|_| self.refuse(name, seconds.to_string(), "number of seconds"))
    }

    fn moment(&self, name: &'static str, now: Timestamp) -> Result<Option<Timestamp>, CanvasError> {
        match self.option::<SecondsOrMoment>(name)? {
            None => Ok(None),
            Some(SecondsOrMoment::Seconds(_)) => {
                let seconds = self.seconds(name)?.unwrap_or_default();
                Ok(Some(now.after(seconds)))
            }
            Some(SecondsOrMoment::Moment(text)) => match Timestamp::parse(&text) {
                Some(moment) => Ok(Some(moment)),
                None => Err(self.refuse(name, text, "moment as ISO 8601 has it")),
            },
        }
    }
}
