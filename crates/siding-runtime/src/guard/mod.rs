//! The guard: per-poll bookkeeping, and the monitor thread that sees stalls while they last.

mod doorbell;
mod here;
mod poll;
mod slot;
mod sync;

pub(crate) use here::{Entered, attach, enter};
pub(crate) use poll::Guarded;
pub(crate) use slot::Slots;
