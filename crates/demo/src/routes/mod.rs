//! The handlers, a module for each purpose.

pub(crate) mod cache;
pub(crate) mod compute;
pub(crate) mod documents;
pub(crate) mod external;
pub(crate) mod file;
pub(crate) mod health;
pub(crate) mod hello;
pub(crate) mod notify;
pub(crate) mod predict;
pub(crate) mod tasks;
pub(crate) mod users;
pub(crate) mod wait;
