//! Tasks, their workers and the store together.

mod app;
mod calls;
mod canvas;
mod faulty;
mod processes;
mod rate;
mod worker;
