//! The AMQP transport, by itself and beside Celery.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![expect(
    clippy::disallowed_methods,
    reason = "most of these tests run on a runtime of tokio alone"
)]
#![expect(
    clippy::print_stderr,
    reason = "what was left out, and what a worker of Celery says"
)]

mod claims;
mod connections;
mod delays;
mod letters;
mod log;
mod managing;
mod poison;
pub(crate) mod python;
mod queues;
mod remote;
mod restarts;
pub(crate) mod support;
mod timeouts;
mod tls;
