//! What is asked, kept and answered.

pub(crate) mod address;
pub(crate) mod query;
pub(crate) mod user;
