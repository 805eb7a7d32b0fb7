//! The body of Celery's message protocol version 2: `[args, kwargs, embed]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Embed, Message, RawJson, Signature};

/// A body to be written.
#[derive(Debug, Serialize)]
pub(crate) struct BodyRef<'a>(&'a [RawJson], &'a BTreeMap<String, RawJson>, EmbedRef<'a>);

impl<'a> BodyRef<'a> {
    pub(crate) fn of(message: &'a Message) -> Self {
        Self(&message.args, &message.kwargs, EmbedRef::of(&message.embed))
    }
}

/// Empty lists are `null`, as Python sends them.
#[derive(Debug, Serialize)]
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

/// A body that was read.
#[derive(Debug, Deserialize)]
pub(crate) struct Body(
    pub(crate) Option<Vec<RawJson>>,
    pub(crate) Option<BTreeMap<String, RawJson>>,
    pub(crate) Option<ReadEmbed>,
);

impl Body {
    /// Puts it into `message`.
    pub(crate) fn fill(self, message: &mut Message) {
        message.args = self.0.unwrap_or_default();
        message.kwargs = self.1.unwrap_or_default();
        message.embed = self.2.unwrap_or_default().into();
    }
}

/// What follows a task's end, when each of it may be `null` or missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ReadEmbed {
    pub(crate) callbacks: Option<Vec<Signature>>,
    pub(crate) errbacks: Option<Vec<Signature>>,
    pub(crate) chain: Option<Vec<Signature>>,
    pub(crate) chord: Option<Signature>,
}

impl From<ReadEmbed> for Embed {
    fn from(read: ReadEmbed) -> Self {
        Self {
            callbacks: read.callbacks.unwrap_or_default(),
            errbacks: read.errbacks.unwrap_or_default(),
            chain: read.chain.unwrap_or_default(),
            chord: read.chord,
        }
    }
}
