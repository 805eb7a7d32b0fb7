//! The Celery peer, on the machine's Redis and RabbitMQ and beside real Celery.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod amqp;
mod control;
mod exchanges;
mod fleet;
mod from_python;
mod mixed;
mod node;
mod proxy;
mod redis;
mod sentinel;
mod to_python;
