//! The headers of Celery's message protocol version 2, as far as [`Message`] has fields for them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::{Message, RawJson, TaskId, TimeLimits, Timestamp};

const UNIQUE_KEY: &str = "siding_unique_key";

/// What Python always sends and Siding has no use for, with the value that says nothing.
pub(crate) const NEUTRAL: [(&str, &str); 4] = [
    ("replaced_task_nesting", "0"),
    ("shadow", "null"),
    ("stamped_headers", "null"),
    ("stamps", "{}"),
];

/// The headers that [`Message`] has fields for.
const FIELDS: [&str; 14] = [
    "task",
    "id",
    "eta",
    "expires",
    "group",
    "group_index",
    "retries",
    "timelimit",
    "root_id",
    "parent_id",
    "origin",
    "ignore_result",
    UNIQUE_KEY,
    "lang",
];

/// Why headers are not those of a message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeaderError {
    /// A header that must be there is not.
    #[error("the message has no header `{0}`")]
    Missing(&'static str),
    /// A header holds something else than it should.
    #[error("the header `{name}` is not {wanted}: {found}")]
    Other {
        name: &'static str,
        wanted: &'static str,
        found: String,
    },
}

/// The headers of a message, to be written.
#[derive(Debug)]
pub(crate) struct Headers<'a>(pub(crate) &'a Message);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = self.0;
        let limits = message.time_limits;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("lang", "rs")?;
        map.serialize_entry("task", &message.task)?;
        map.serialize_entry("id", &message.id)?;
        map.serialize_entry("eta", &message.eta.map(text))?;
        map.serialize_entry("expires", &message.expires.map(text))?;
        map.serialize_entry("group", &message.group)?;
        map.serialize_entry("group_index", &message.group_index)?;
        map.serialize_entry("retries", &message.retries)?;
        map.serialize_entry("timelimit", &(seconds(limits.hard), seconds(limits.soft)))?;
        map.serialize_entry("root_id", &message.root_id)?;
        map.serialize_entry("parent_id", &message.parent_id)?;
        map.serialize_entry("origin", &message.origin)?;
        map.serialize_entry("ignore_result", &message.ignore_result)?;
        if let Some(key) = &message.unique_key {
            map.serialize_entry(UNIQUE_KEY, key)?;
        }
        for (name, value) in &message.headers {
            if !FIELDS.contains(&name.as_str()) {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

/// A moment as text; the end of time is the year 9999, which Python knows no later one than.
fn text(moment: Timestamp) -> String {
    const END: Timestamp = Timestamp::from_millis(253_402_300_799_000);
    moment.min(END).to_string()
}

/// A whole number of seconds as one, anything else as a float; Python takes both.
fn seconds(limit: Option<Duration>) -> Option<serde_json::Number> {
    let limit = limit?;
    if limit.subsec_nanos() == 0 {
        return Some(limit.as_secs().into());
    }
    serde_json::Number::from_f64(limit.as_secs_f64())
}

/// Headers that nobody has asked for yet. Reads as Python does, which takes a number for its text, and the text of a number
/// for it.
#[derive(Debug)]
pub(crate) struct Taken(pub(crate) BTreeMap<String, RawJson>);

impl Taken {
    /// The message that all of them say. Its arguments, what follows it and its properties are for the caller to fill in.
    pub(crate) fn message(mut self) -> Result<Message, HeaderError> {
        let id: TaskId = self.text("id")?.ok_or(HeaderError::Missing("id"))?.into();
        let task = self.text("task")?.ok_or(HeaderError::Missing("task"))?;
        Ok(Message {
            id,
            eta: self.moment("eta")?,
            expires: self.moment("expires")?,
            retries: self.whole("retries")?.unwrap_or(0),
            time_limits: self.time_limits()?,
            root_id: self.text("root_id")?.map(TaskId::from),
            parent_id: self.text("parent_id")?.map(TaskId::from),
            group: self.text("group")?,
            group_index: self.whole("group_index")?,
            ignore_result: self.boolean("ignore_result")?,
            unique_key: self.text(UNIQUE_KEY)?,
            origin: self.text("origin")?,
            headers: self.rest(),
            ..Message::new(task)
        })
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>, HeaderError> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        match value.get().as_bytes().first() {
            Some(b'n') => Ok(None),
            Some(b'"') => value
                .read()
                .map(Some)
                .map_err(|_| other(name, "a string", &value)),
            Some(b'[' | b'{') => Err(other(name, "a string", &value)),
            _ => Ok(Some(value.get().to_owned())),
        }
    }

    fn whole(&mut self, name: &'static str) -> Result<Option<u32>, HeaderError> {
        const WANTED: &str = "a whole number from 0 to 4294967295";
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        let number = number(&value).map_err(|()| other(name, WANTED, &value))?;
        match number {
            None => Ok(None),
            Some(number)
                if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number) =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it was compared"
                )]
                let whole = number as u32;
                Ok(Some(whole))
            }
            Some(_) => Err(other(name, WANTED, &value)),
        }
    }

    fn boolean(&mut self, name: &'static str) -> Result<bool, HeaderError> {
        match self.0.remove(name) {
            None => Ok(false),
            Some(value) => match value.get() {
                "true" | "1" => Ok(true),
                "false" | "0" | "null" => Ok(false),
                _ => Err(other(name, "a boolean", &value)),
            },
        }
    }

    fn moment(&mut self, name: &'static str) -> Result<Option<Timestamp>, HeaderError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let moment = Timestamp::parse(&text).ok_or(HeaderError::Other {
            name,
            wanted: "a date and time as ISO 8601 has it",
            found: text,
        })?;
        Ok(Some(moment))
    }

    fn time_limits(&mut self) -> Result<TimeLimits, HeaderError> {
        let Some(value) = self.0.remove("timelimit") else {
            return Ok(TimeLimits::default());
        };
        let error = || other("timelimit", "[hard, soft] in seconds", &value);
        let pair: Option<(RawJson, RawJson)> = value.read().map_err(|_| error())?;
        let Some((hard, soft)) = pair else {
            return Ok(TimeLimits::default());
        };
        let duration = |limit: &RawJson| {
            let seconds = number(limit).map_err(|()| error())?;
            let duration = seconds.map(Duration::try_from_secs_f64).transpose();
            duration.map_err(|_| error())
        };
        Ok(TimeLimits {
            hard: duration(&hard)?,
            soft: duration(&soft)?,
        })
    }

    /// What remains, but for what says nothing.
    fn rest(mut self) -> BTreeMap<String, RawJson> {
        self.0.remove("lang");
        for (name, neutral) in NEUTRAL {
            if self.0.get(name).is_some_and(|value| value.get() == neutral) {
                self.0.remove(name);
            }
        }
        self.0
    }
}

/// A number, or the text of one; `None` is `null`.
fn number(value: &RawJson) -> Result<Option<f64>, ()> {
    match value.get().as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') => {
            let text: String = value.read().map_err(drop)?;
            text.trim().parse().map(Some).map_err(drop)
        }
        _ => value.read().map(Some).map_err(drop),
    }
}

fn other(name: &'static str, wanted: &'static str, found: &RawJson) -> HeaderError {
    HeaderError::Other {
        name,
        wanted,
        found: found.get().chars().take(80).collect(),
    }
}
