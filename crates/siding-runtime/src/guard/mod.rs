//! The guard: per-poll bookkeeping, and the monitor thread that sees stalls while they last.

mod case;
mod doorbell;
mod here;
mod monitor;
mod poll;
mod slot;
mod stacks;
mod stalls;
mod sync;
mod watch;

pub use stalls::Stall;

pub(crate) use here::{attach, enter, is_rested, note_rest};
pub(crate) use monitor::{MonitorHandle, Parts, start};
pub(crate) use poll::Guarded;
pub(crate) use slot::Slots;
pub(crate) use stalls::StallLog;
