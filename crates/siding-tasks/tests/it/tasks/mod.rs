//! Tasks, their workers and the store together.

mod app;
mod calls;
mod canvas;
pub(crate) mod faulty;
mod lanes;
mod limits;
mod processes;
mod rate;
mod support;
mod worker;
