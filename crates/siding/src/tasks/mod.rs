//! Durable tasks: work that outlives the request and the process.
//!
//! [`App::with_tasks`](crate::App::with_tasks) gives them to an application. [`BackgroundTasks`](crate::BackgroundTasks) says
//! when they are the right choice.

mod command;
mod progress;
pub(crate) mod wire;

pub use siding_tasks::{
    ApplyAsync, AsyncResult, Canvas, Exception, GetError, Group, GroupResult, Meta, Priority,
    RawJson, Revocation, SendError, State, Task, TaskContext, TaskError, TaskId, Tasks, chain,
    chord, group,
};

pub(crate) use command::{CommandError, TaskCommand};
