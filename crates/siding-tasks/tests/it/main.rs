//! The embedded store, on real files.

mod basics;
mod faults;
mod housekeeping;
mod model;
mod processes;
mod support;
mod tasks;
mod torn;
mod wakes;
mod workflows;
