//! Stand-ins for platforms that cannot be looked into: the same interface, and a reason for every question.

use std::borrow::Cow;

use super::{Account, Activity, BlockedOn, Tid, Unknown, activity::Syscall};

/// A probe without `/proc`.
#[derive(Debug)]
pub(crate) struct ThreadProbe;

impl ThreadProbe {
    pub(crate) fn open(_thread: Tid) -> Self {
        Self
    }

    pub(crate) fn account(&self) -> Result<Account, Unknown> {
        Err(Unknown::because(
            "threads' accounts are read from Linux's /proc only",
        ))
    }

    pub(crate) fn activity(&self) -> Result<Activity, Unknown> {
        Err(Unknown::because(
            "system calls in progress are read from Linux's /proc only",
        ))
    }
}

impl Syscall {
    pub(crate) fn name(&self) -> Cow<'static, str> {
        format!("syscall {}", self.number).into()
    }

    pub(crate) fn is_cut_short_by_signals(&self) -> bool {
        false
    }
}

impl BlockedOn {
    pub(crate) fn read(call: &Syscall) -> Self {
        Self {
            syscall: call.name(),
            target: None,
        }
    }
}
