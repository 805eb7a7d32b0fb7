//! The Celery peer, on the machine's Redis and RabbitMQ and beside real Celery.

mod amqp;
mod fleet;
mod mixed;
mod redis;
mod to_python;
