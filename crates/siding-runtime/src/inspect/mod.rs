//! Looking into a thread of this process from another one, while it is stuck.
//!
//! The guard's monitor knows *that* a poll has held its thread too long. This module tells what the thread does
//! meanwhile:
//!
//! - [`ThreadProbe::account`]: its time on a CPU and its time waiting for one,
//! - [`ThreadProbe::activity`]: whether it runs, or which system call it is blocked in,
//! - [`BlockedOn::read`]: what that call waits for, by name: a peer, a file, a lock,
//! - [`Sampler::capture`] and [`Sampler::walk_blocked`]: where in the program it is, and [`Symbols`] to give that its names.
//!
//! Nothing here takes part in the inspected thread's work. Everything but a stack is read behind its back; a stack
//! costs it one signal if that cannot be read from outside. Nothing panics, and nothing waits for the thread or for a file system: what cannot be
//! learnt is an [`Unknown`] with its reason.

mod account;
mod activity;
#[cfg_attr(not(target_os = "linux"), path = "elsewhere.rs")]
mod linux;
mod services;
mod stack;
mod target;
mod tid;
mod unknown;

#[cfg(test)]
mod tests;

pub(crate) use account::Account;
pub(crate) use activity::Activity;
pub(crate) use linux::ThreadProbe;
pub(crate) use stack::{RawStack, Sampler, StackBounds, Symbols, Walked};
pub(crate) use tid::Tid;

pub use stack::{Frame, Stack};
pub use target::{BlockedOn, FileKind, Target};
pub use unknown::Unknown;
