//! Durable tasks in an application: how they are shown and handled from outside. What a task is, `siding_tasks` says.

mod command;
mod progress;
pub(crate) mod wire;

pub(crate) use command::{CommandError, TaskCommand};
