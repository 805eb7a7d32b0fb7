//! What is asked, kept and answered.

pub(crate) mod address;
pub(crate) mod document;
pub(crate) mod external;
pub(crate) mod key;
pub(crate) mod prediction;
pub(crate) mod query;
pub(crate) mod user;
