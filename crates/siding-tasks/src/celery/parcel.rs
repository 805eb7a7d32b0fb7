//! A message as a transport carries it.

use std::collections::BTreeMap;

use crate::message::{RawJson, TaskId};

/// A message as a transport carries it: what AMQP keeps apart, and Redis wraps in one envelope.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parcel {
    pub(crate) headers: BTreeMap<String, RawJson>,
    pub(crate) properties: Properties,
    /// `application/json`.
    pub(crate) content_type: String,
    /// `utf-8`.
    pub(crate) content_encoding: String,
    /// Serialized, and compressed if the header `compression` says so.
    pub(crate) body: Vec<u8>,
}

/// The properties that Celery gives a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    pub(crate) correlation_id: Option<String>,
    pub(crate) reply_to: Option<String>,
    /// 2 is durable.
    pub(crate) delivery_mode: u8,
    /// As the broker counts.
    pub(crate) priority: u8,
    /// Milliseconds, as text.
    pub(crate) expiration: Option<String>,
}

/// A parcel that is no message: what is known of it, and why it was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Refusal {
    /// The task's id, if that could be read.
    pub(crate) id: Option<TaskId>,
    /// The task's name, if that could be read.
    pub(crate) task: Option<String>,
    /// What was wrong, and what would be right.
    pub(crate) why: String,
}
