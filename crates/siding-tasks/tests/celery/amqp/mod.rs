//! The AMQP transport by itself.

mod claims;
mod connections;
mod delays;
mod letters;
mod managing;
mod proxy;
mod python;
mod queues;
mod remote;
pub(crate) mod support;
