//! Where results go.

use std::fmt;

use crate::broker::{BrokerFuture, Found};
use crate::message::{Message, Meta, RawJson, State, TaskId};

/// Where results go, and come from.
pub(crate) trait Results: fmt::Debug + Send + Sync {
    /// Stores what became of `message`'s task, or of one that fails with it, and tells who waits for it. A success that is
    /// there already stays.
    fn store<'a>(&'a self, message: &'a Message, meta: &'a Meta) -> BrokerFuture<'a, ()>;

    /// What is known of a task.
    fn find(&self, id: TaskId) -> BrokerFuture<'_, Found>;

    /// Resolves when the task is ready.
    fn finished(&self, id: TaskId) -> BrokerFuture<'_, Meta>;

    /// Where workers should send results for this process: the `reply_to` of its messages.
    fn reply_to(&self) -> Option<String> {
        None
    }

    /// Who counts the parts of chords, if this can.
    fn chords(&self) -> Option<&dyn Chords> {
        None
    }
}

/// Counts the parts of chords.
pub(crate) trait Chords: Send + Sync {
    /// A chord's header of `parts` tasks is about to be sent.
    fn begin<'a>(&'a self, group: &'a str, parts: u32) -> BrokerFuture<'a, ()>;

    /// A part has ended. Whoever gets [`Counted::Complete`] sends the body, and then calls [`end`](Self::end); asked again
    /// for the last part, it says so again unless that was called, or somebody else is at it.
    fn count<'a>(&'a self, part: &'a Part) -> BrokerFuture<'a, Counted>;

    /// The body has been sent, or has failed.
    fn end<'a>(&'a self, group: &'a str, claim: &'a str) -> BrokerFuture<'a, ()>;
}

/// A part of a chord that has ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) group: String,
    pub(crate) index: Option<u32>,
    pub(crate) id: TaskId,
    pub(crate) state: State,
    /// The result, or the exception as a document has it.
    pub(crate) value: RawJson,
}

/// What a part's end means for its chord.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    not(feature = "redis"),
    expect(dead_code, reason = "only results in Redis are counted")
)]
pub(crate) enum Counted {
    /// Others are missing, or somebody else has sent the body.
    Waiting,
    /// It was the last: all parts, by their place.
    Complete {
        /// The result of the group, if it was saved because the header is not flat.
        shape: Option<RawJson>,
        parts: Vec<Part>,
        /// What [`Chords::end`] is to be given.
        claim: String,
    },
}
