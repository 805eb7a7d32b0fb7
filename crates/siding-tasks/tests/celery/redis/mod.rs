//! The Redis transport by itself.

mod claims;
mod connections;
mod managing;
mod restoring;
mod servers;
pub(crate) mod support;
