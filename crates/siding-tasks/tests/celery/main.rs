//! The Celery peer, on the machine's Redis and RabbitMQ and beside real Celery.

mod amqp;
mod control;
mod fleet;
mod from_python;
mod mixed;
mod redis;
mod to_python;
