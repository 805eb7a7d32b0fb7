//! Sending tasks.

mod apply_async;
mod canvas;

pub use apply_async::ApplyAsync;
pub use canvas::{Canvas, Group, chain, chord, group};

use tracing::{Instrument as _, Span};

use crate::broker::{BrokerError, Enqueue, Enqueued};
use crate::canvas::CanvasError;
use crate::result::AsyncResult;
use crate::task::{IntoArguments, Task, TaskContext, WriteArguments};
use crate::tasks::Tasks;

/// Why a task was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Nothing keeps messages yet.
    #[error(
        "the tasks are not connected to a broker yet; call `Tasks::connect` first, or start the app"
    )]
    NotConnected,
    /// An argument has no form in JSON, such as a map whose keys are not strings.
    #[error("argument {} of {task} has no form in JSON", .place + 1)]
    Argument {
        /// The task.
        task: String,
        /// Which argument, from 0.
        place: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// A signature says something that makes no sense.
    #[error(transparent)]
    Canvas(#[from] CanvasError),
    /// The broker did not take it.
    #[error("the broker did not take it")]
    Broker(#[from] BrokerError),
}

impl<A: WriteArguments, T> Task<A, T> {
    /// Sends a call, which is durable when this returns.
    ///
    /// # Errors
    /// When there is no broker yet, an argument has no form in JSON, or the broker does not take it.
    ///
    /// # Cancellation
    /// Dropping the future gives up the answer; the call may have been sent.
    pub async fn delay(
        &self,
        arguments: impl IntoArguments<A>,
    ) -> Result<AsyncResult<T>, SendError> {
        self.apply_async(arguments).send().await
    }

    /// A call with options of its own, sent when it is awaited.
    pub fn apply_async(&self, arguments: impl IntoArguments<A>) -> ApplyAsync<T> {
        let message = self.write(arguments.into_arguments()).map(|args| {
            let mut message = self.definition.message();
            message.args = args;
            message
        });
        let priority = self.definition.options().priority;
        ApplyAsync::new(self.tasks.clone(), message, priority)
    }
}

impl<A, T> Task<A, T> {
    fn write<P: WriteArguments>(
        &self,
        arguments: P,
    ) -> Result<Vec<crate::message::RawJson>, SendError> {
        arguments
            .write()
            .map_err(|(place, source)| SendError::Argument {
                task: self.name().to_owned(),
                place,
                source,
            })
    }

    /// A call to be sent later, or as part of a [chain](chain), [group](group) or [chord](chord): Celery's `.s()`. The result
    /// of what comes before it is put before `arguments`, which is a tuple of those that are left.
    pub fn s<P: WriteArguments>(&self, arguments: P) -> Canvas<T> {
        let signature = self.write(arguments).map(|args| {
            let mut signature = self.definition.signature();
            signature.args = args;
            signature
        });
        Canvas::new(self.tasks.clone(), signature)
    }

    /// Like [`s`](Self::s), but it takes no result of what comes before it.
    pub fn si<P: WriteArguments>(&self, arguments: P) -> Canvas<T> {
        self.s(arguments).immutable()
    }
}

/// Sends, and answers what became of each message.
pub(crate) async fn enqueue(
    tasks: &Tasks,
    mut request: Enqueue,
) -> Result<Vec<Enqueued>, SendError> {
    let tracer = tasks.tracer();
    let span = tracer.map_or_else(Span::none, |tracer| tracer.send(&mut request.messages));
    send(tasks, request).instrument(span).await
}

async fn send(tasks: &Tasks, request: Enqueue) -> Result<Vec<Enqueued>, SendError> {
    let ids: Vec<_> = request
        .messages
        .iter()
        .map(|message| message.id.clone())
        .collect();
    let broker = tasks.broker()?;
    let watched = tasks.sent_events().is_enabled();
    let told = watched.then(|| request.messages.clone());
    let names: Vec<_> = request
        .messages
        .iter()
        .map(|message| message.task.clone())
        .collect();
    let answers = broker.enqueue(request).await?;
    for (name, answer) in names.iter().zip(&answers) {
        if *answer == Enqueued::Accepted {
            tasks.counted().sent(name);
        }
    }
    if let Some(messages) = told {
        let sent = messages.into_iter().zip(&answers);
        let sent = sent.filter(|(_, answer)| **answer == Enqueued::Accepted);
        let sent = sent.map(|(message, _)| message).collect();
        tasks.sent_events().tell(&**broker, sent);
    }
    if let Some(context) = TaskContext::try_current() {
        let sent = ids.into_iter().zip(&answers);
        let sent = sent.filter(|(_, answer)| !matches!(answer, Enqueued::Duplicate(_)));
        context.add_children(sent.map(|(id, _)| id));
    }
    Ok(answers)
}
