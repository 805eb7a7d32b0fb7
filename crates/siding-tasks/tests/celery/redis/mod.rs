//! The Redis transport by itself.

mod claims;
mod connections;
mod exchanges;
mod managing;
mod restoring;
pub(crate) mod servers;
pub(crate) mod support;
