//! Channels that the server closes, told to the log with what to do about it.

use futures_core::Stream;
use lapin::Event;
use lapin::protocol::AMQPSoftError;

use super::error::refusal;
use super::{Task, spawn};

/// What RabbitMQ says when a delivery was not acknowledged within its consumer timeout.
const TIMED_OUT: &str = "timed out";

/// Tells the log of channels that the server closes, until there will be no more.
pub(super) fn watch(events: impl Stream<Item = Event> + Send + 'static) -> Task {
    spawn(async move {
        let mut events = Box::pin(events);
        while let Some(event) =
            std::future::poll_fn(|context| events.as_mut().poll_next(context)).await
        {
            if let Event::Error(error) = event {
                tell(&error);
            }
        }
    })
}

fn tell(error: &lapin::Error) {
    let why = error.to_string();
    match refusal(error) {
        Some(AMQPSoftError::PRECONDITIONFAILED) if why.contains(TIMED_OUT) => tracing::warn!(
            why,
            "a task runs, or waits here for its eta, longer than RabbitMQ's consumer timeout: RabbitMQ has closed the channel \
             that it came on, and delivers it again, to this worker or another. Set consumer_timeout in rabbitmq.conf, in \
             milliseconds, above the longest task (from RabbitMQ 3.12 on, for a queue by its argument x-consumer-timeout or \
             by a policy)"
        ),
        Some(AMQPSoftError::PRECONDITIONFAILED) => {
            tracing::warn!(
                why,
                "RabbitMQ has closed a channel; what came on it is delivered again"
            );
        }
        // Whoever asked for what was refused says so, and the link tells of a lost connection.
        _ => tracing::debug!(why, "RabbitMQ has closed a channel"),
    }
}
