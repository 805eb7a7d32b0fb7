//! Tasks, their workers and the store together.

mod app;
mod calls;
mod canvas;
mod control;
mod early;
mod events;
pub(crate) mod faulty;
mod lanes;
mod limits;
mod peers;
mod processes;
mod rate;
mod scripted;
mod support;
mod wire;
mod worker;
