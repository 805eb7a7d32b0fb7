//! The embedded store on real files, and tasks on it.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod basics;
mod compile_fail;
mod crash;
mod faults;
mod housekeeping;
mod model;
mod processes;
mod stopped;
mod support;
mod tasks;
mod torn;
mod wakes;
mod workflows;
