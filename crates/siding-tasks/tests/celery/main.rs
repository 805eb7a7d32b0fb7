//! Tests of the Celery peer against real servers and real Celery.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod control;
mod fleet;
mod redis;
mod to_python;
