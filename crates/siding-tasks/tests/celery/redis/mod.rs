//! The Redis transport by itself.

mod claims;
mod connections;
mod managing;
mod restoring;
pub(crate) mod servers;
pub(crate) mod support;
