//! The question "does anybody notice?", asked every few milliseconds beside a load.

mod log;
mod pace;
mod prober;

pub use log::{Probe, ProbeLog};
pub use prober::{Prober, ProberError};
