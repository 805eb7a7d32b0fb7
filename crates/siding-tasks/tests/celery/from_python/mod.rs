//! Python calls tasks of Siding workers.

pub(crate) mod app;
mod calls;
mod endings;
mod malformed;
mod replies;
mod waiting;
mod workflows;
