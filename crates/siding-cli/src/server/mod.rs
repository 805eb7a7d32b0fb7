//! The servers under test: what they are, how they start, what they cost.

mod contender;
mod cpu;
mod kind;
mod launch;
mod process;
mod program;

pub use contender::{Contender, Server};
pub use cpu::cpu_time;
pub use kind::{Endpoint, Kind};
pub use launch::{Capacity, Launch, StartError};
pub use process::ServerProcess;
pub use program::{Program, ProgramError, workspace};
