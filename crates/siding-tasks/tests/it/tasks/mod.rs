//! Tasks, their workers and the store together.

mod app;
mod calls;
mod canvas;
mod faulty;
mod rate;
mod worker;
