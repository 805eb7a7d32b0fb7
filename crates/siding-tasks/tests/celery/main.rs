//! Tests of the Celery peer against real servers.

mod amqp;
mod redis;
