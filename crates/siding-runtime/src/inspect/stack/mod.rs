//! Stacks of a thread, taken by another thread while it is stuck.
//!
//! [`Sampler::walk_blocked`] reads the stack of a thread that is blocked from outside, which costs that thread nothing. It
//! knows the two registers that the kernel tells of a blocked thread. The C library saves the third that a walk needs, the frame
//! pointer, before most calls that block; where it does not, the walk ends early.
//!
//! [`Sampler::capture`] costs the captured thread one signal, whose handler walks the frames into memory prepared
//! for it: for threads that compute, and for walks that ended early. Names and lines come later and on a thread of their
//! own: [`Symbols`].
//!
//! # The signal
//!
//! `SIGURG`, as Go's runtime uses to preempt: its default is to be ignored, debuggers pass it on, libraries leave
//! it alone, and a program that does use it (for urgent data on a socket) must expect strays anyway. A handler
//! that is already there is respected: then there are no stacks, and the reason says so.
//!
//! An interrupted system call is restarted (`SA_RESTART`). Those that never restart, `nanosleep`, `poll` and `epoll_wait` among them,
//! return `EINTR`, which the standard library and tokio answer by calling again. Other code may not, so take one stack a
//! conviction.
//!
//! Calls on a socket with a time limit never restart either, and there the error would reach a client that does not expect it: a
//! request would fail because it was looked at. Threads in such a call get no signal.

mod bounds;
#[cfg_attr(
    not(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    )),
    path = "elsewhere.rs"
)]
mod capture;
mod frame;
mod raw;
mod symbols;

pub(crate) use bounds::StackBounds;
pub(crate) use capture::Sampler;
pub(crate) use raw::{RawStack, Walked};
pub(crate) use symbols::Symbols;

pub use frame::{Frame, Stack};

use capture::{Functions, image};
