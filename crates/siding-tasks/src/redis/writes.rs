//! What is written in one step.

use redis::ScriptInvocation;

use super::place::Place;
use crate::message::TaskId;

/// What is written in one step: the arguments of `settle.lua`.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Keys and the values that they must have, or nothing is written.
    pub(super) guards: Vec<(String, String)>,
    /// Keys of results, how many seconds they are kept, and the documents.
    pub(super) results: Vec<(String, u64, String)>,
    /// Messages that are sent.
    pub(super) pushes: Vec<Push>,
    /// Keys, their values, and how many seconds they are kept; 0 deletes the key, -1 if it has the value.
    pub(super) values: Vec<(String, String, i64)>,
}

/// A message on its way.
#[derive(Debug)]
pub(super) struct Push {
    pub(super) place: Place,
    pub(super) text: String,
    /// Its delivery tag.
    pub(super) tag: String,
    pub(super) id: TaskId,
    /// When it is looked for, if somebody looks after it.
    pub(super) look: Option<String>,
}

impl Push {
    /// Its tag, its member among the looks and when that is.
    pub(super) fn add_look(&self, call: &mut ScriptInvocation<'_>) {
        let member = format!("{} {}", self.tag, self.id);
        call.arg(&self.tag)
            .arg(member)
            .arg(self.look.as_deref().unwrap_or(""));
    }
}

impl Writes {
    pub(super) fn delete(&mut self, key: String) {
        self.values.push((key, String::new(), 0));
    }

    /// Deletes a key if it has this value.
    pub(super) fn delete_if(&mut self, key: String, value: String) {
        self.values.push((key, value, -1));
    }

    pub(super) fn add_to(&self, call: &mut ScriptInvocation<'_>) {
        call.arg(self.guards.len());
        for (key, value) in &self.guards {
            call.arg(key).arg(value);
        }
        call.arg(self.results.len());
        for (key, seconds, document) in &self.results {
            call.arg(key).arg(*seconds).arg(document);
        }
        call.arg(self.pushes.len());
        for push in &self.pushes {
            push.place.add_to(call);
            call.arg(&push.text);
            push.add_look(call);
        }
        call.arg(self.values.len());
        for (key, value, seconds) in &self.values {
            call.arg(key).arg(value).arg(*seconds);
        }
    }
}
