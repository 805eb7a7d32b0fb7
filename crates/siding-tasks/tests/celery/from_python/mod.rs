//! Python calls tasks of Siding workers.

mod app;
mod calls;
mod endings;
mod malformed;
mod waiting;
mod workflows;
