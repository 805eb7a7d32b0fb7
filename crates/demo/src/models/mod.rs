//! What is asked, kept and answered.

pub(crate) mod query;
