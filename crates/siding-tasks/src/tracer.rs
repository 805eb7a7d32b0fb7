//! Spans of calls: whoever collects them says what they are, and how a message carries them.

use std::fmt;

use tracing::Span;

use crate::broker::Settlement;
use crate::message::Message;

/// Opens the spans of calls, and carries them in messages from who sends to who runs: what
/// [`Tasks::trace`](crate::Tasks::trace) takes.
pub trait Tracer: fmt::Debug + Send + Sync {
    /// The span of sending `messages`, which are to carry it. It ends when the broker has answered.
    fn send(&self, messages: &mut [Message]) -> Span;

    /// The span of running the task of `message`, where that says that it belongs.
    fn run(&self, message: &Message) -> Span;

    /// The task whose span this is has ended.
    fn ended(&self, span: &Span, settlement: &Settlement);

    /// What follows the task whose span this is: `messages` are to carry that.
    fn pass_on(&self, span: &Span, messages: &mut [Message]);
}

/// Writes what a task's end says into its span, and the span into what follows it.
pub(crate) fn end(tracer: &dyn Tracer, span: &Span, settlement: &mut Settlement) {
    tracer.ended(span, settlement);
    match settlement {
        Settlement::Success { successors, .. }
        | Settlement::Failure { successors, .. }
        | Settlement::Revoked { successors, .. } => {
            tracer.pass_on(span, &mut successors.messages);
        }
        // The next try belongs where the first does: to whoever sent it.
        Settlement::Retry { .. } => {}
    }
}
