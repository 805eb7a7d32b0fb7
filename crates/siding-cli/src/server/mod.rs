//! The servers under test: what they are, how they start, what they cost.

mod contender;
mod cpu;
mod demo;
mod kind;
mod launch;
mod process;

pub use contender::{Contender, Server};
pub use cpu::cpu_time;
pub use demo::{DemoError, demo};
pub use kind::{Endpoint, Kind};
pub use launch::{Capacity, Launch, StartError};
pub use process::ServerProcess;
