//! What Linux tells about a thread, and how it is asked.

mod arguments;
mod clock;
mod descriptor;
mod interruption;
pub(super) mod memory;
mod probe;
mod sockaddr;
mod syscall_names;
mod wait_set;

pub(crate) use probe::ThreadProbe;

use super::activity::Syscall;
use super::{Account, Activity, BlockedOn, FileKind, Target, Tid, Unknown};
