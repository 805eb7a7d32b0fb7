//! Celery's protocol, whatever carries it: messages, results, and the values of Python in them.
//!
//! Source: Celery 5.7 (`celery/app/amqp.py`, `celery/backends/base.py`) and kombu 5.7 (`kombu/utils/json.py`,
//! `kombu/compression.py`).

pub(crate) mod backend;
pub(crate) mod broadcast;
mod compression;
pub(crate) mod document;
pub(crate) mod ending;
#[cfg(feature = "redis")]
pub(crate) mod envelope;
pub(crate) mod pack;
pub(crate) mod parcel;
pub(crate) mod python;
pub(crate) mod results;
pub(crate) mod unpack;
