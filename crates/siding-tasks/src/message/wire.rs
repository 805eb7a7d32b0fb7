//! A message as text: Celery's message protocol version 2, `{"headers", "properties", "body"}`.
//!
//! The body stands there as it is, `[args, kwargs, embed]`, not as text within text. A header that [`Message`] has no field
//! for is kept and written again. What is Siding's own is a header that starts with `siding_`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use super::{Embed, Message, Priority, RawJson, Signature, TaskId, TimeLimits, Timestamp};

const UNIQUE_KEY: &str = "siding_unique_key";

/// What Python always sends and Siding has no use for, with the value that says nothing.
const NEUTRAL: [(&str, &str); 5] = [
    ("replaced_task_nesting", "0"),
    ("shadow", "null"),
    ("stamped_headers", "null"),
    ("stamps", "{}"),
    ("lang", r#""rs""#),
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

/// Why a text is not a message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// It is not JSON of that shape.
    #[error("not a message: {0}")]
    Shape(#[from] serde_json::Error),
    /// A header that must be there is not.
    #[error("the message has no header `{0}`")]
    Missing(&'static str),
    /// A header holds something else than it should.
    #[error("the header `{name}` is not {wanted}: {found}")]
    Header {
        name: &'static str,
        wanted: &'static str,
        found: String,
    },
}

/// The text of `message`.
pub(crate) fn write(message: &Message) -> Result<String, serde_json::Error> {
    serde_json::to_string(&WireRef {
        headers: Headers(message),
        properties: PropertiesRef {
            correlation_id: &message.id,
            delivery_mode: 2,
            priority: message.priority.get(),
            reply_to: message.reply_to.as_deref(),
            delivery_info: DeliveryInfoRef {
                exchange: "",
                routing_key: &message.queue,
            },
        },
        body: (&message.args, &message.kwargs, EmbedRef::of(&message.embed)),
    })
}

/// The message that `text` is.
pub(crate) fn read(text: &str) -> Result<Message, WireError> {
    let wire: Wire = serde_json::from_str(text)?;
    let mut headers = Taken(wire.headers);
    let id = headers
        .read("id", "a string")?
        .ok_or(WireError::Missing("id"))?;
    let task = headers
        .read("task", "a string")?
        .ok_or(WireError::Missing("task"))?;
    let (args, kwargs, embed) = wire.body;
    let message = Message {
        id,
        task,
        args,
        kwargs,
        embed: embed.unwrap_or_default().into(),
        queue: wire
            .properties
            .delivery_info
            .map(|info| info.routing_key)
            .unwrap_or_else(|| Message::DEFAULT_QUEUE.to_owned()),
        priority: Priority::new(wire.properties.priority.unwrap_or(0)).unwrap_or(Priority::MAX),
        eta: headers.moment("eta")?,
        expires: headers.moment("expires")?,
        retries: headers.read("retries", "a number")?.unwrap_or(0),
        time_limits: headers.time_limits()?,
        root_id: headers.read("root_id", "a string")?,
        parent_id: headers.read("parent_id", "a string")?,
        group: headers.read("group", "a string")?,
        group_index: headers.read("group_index", "a number")?,
        ignore_result: headers.read("ignore_result", "a boolean")?.unwrap_or(false),
        unique_key: headers.read(UNIQUE_KEY, "a string")?,
        origin: headers.read("origin", "a string")?,
        reply_to: wire.properties.reply_to,
        headers: headers.rest(),
    };
    Ok(message)
}

#[derive(Serialize)]
struct WireRef<'a> {
    headers: Headers<'a>,
    properties: PropertiesRef<'a>,
    body: (&'a [RawJson], &'a BTreeMap<String, RawJson>, EmbedRef<'a>),
}

#[derive(Serialize)]
struct PropertiesRef<'a> {
    correlation_id: &'a TaskId,
    delivery_mode: u8,
    priority: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<&'a str>,
    delivery_info: DeliveryInfoRef<'a>,
}

#[derive(Serialize)]
struct DeliveryInfoRef<'a> {
    exchange: &'a str,
    routing_key: &'a str,
}

/// Empty lists are `null`, as Python sends them.
#[derive(Serialize)]
struct EmbedRef<'a> {
    callbacks: Option<&'a [Signature]>,
    errbacks: Option<&'a [Signature]>,
    chain: Option<&'a [Signature]>,
    chord: Option<&'a Signature>,
}

impl<'a> EmbedRef<'a> {
    fn of(embed: &'a Embed) -> Self {
        let list = |list: &'a [Signature]| (!list.is_empty()).then_some(list);
        Self {
            callbacks: list(&embed.callbacks),
            errbacks: list(&embed.errbacks),
            chain: list(&embed.chain),
            chord: embed.chord.as_ref(),
        }
    }
}

struct Headers<'a>(&'a Message);

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

#[derive(Deserialize)]
struct Wire {
    headers: BTreeMap<String, RawJson>,
    #[serde(default)]
    properties: Properties,
    body: (Vec<RawJson>, BTreeMap<String, RawJson>, Option<WireEmbed>),
}

#[derive(Default, Deserialize)]
struct Properties {
    priority: Option<u8>,
    reply_to: Option<String>,
    delivery_info: Option<DeliveryInfo>,
}

#[derive(Deserialize)]
struct DeliveryInfo {
    routing_key: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireEmbed {
    callbacks: Option<Vec<Signature>>,
    errbacks: Option<Vec<Signature>>,
    chain: Option<Vec<Signature>>,
    chord: Option<Signature>,
}

impl From<WireEmbed> for Embed {
    fn from(wire: WireEmbed) -> Self {
        Self {
            callbacks: wire.callbacks.unwrap_or_default(),
            errbacks: wire.errbacks.unwrap_or_default(),
            chain: wire.chain.unwrap_or_default(),
            chord: wire.chord,
        }
    }
}

/// The headers that nobody has asked for yet.
struct Taken(BTreeMap<String, RawJson>);

impl Taken {
    fn read<T: serde::de::DeserializeOwned>(
        &mut self,
        name: &'static str,
        wanted: &'static str,
    ) -> Result<Option<T>, WireError> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        value.read().map_err(|_| WireError::Header {
            name,
            wanted,
            found: value.get().to_owned(),
        })
    }

    fn moment(&mut self, name: &'static str) -> Result<Option<Timestamp>, WireError> {
        const WANTED: &str = "a date and time as ISO 8601 has it";
        let Some(text) = self.read::<String>(name, WANTED)? else {
            return Ok(None);
        };
        let moment = Timestamp::parse(&text).ok_or(WireError::Header {
            name,
            wanted: WANTED,
            found: text,
        })?;
        Ok(Some(moment))
    }

    fn time_limits(&mut self) -> Result<TimeLimits, WireError> {
        const WANTED: &str = "[hard, soft] in seconds";
        let limits: Option<(Option<f64>, Option<f64>)> = self.read("timelimit", WANTED)?;
        let (hard, soft) = limits.unwrap_or_default();
        let duration = |seconds: Option<f64>| {
            seconds
                .map(Duration::try_from_secs_f64)
                .transpose()
                .map_err(|error| WireError::Header {
                    name: "timelimit",
                    wanted: WANTED,
                    found: error.to_string(),
                })
        };
        Ok(TimeLimits {
            hard: duration(hard)?,
            soft: duration(soft)?,
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

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
