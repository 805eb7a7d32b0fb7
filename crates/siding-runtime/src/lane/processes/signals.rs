//! What signals do to a child.
#![expect(
    unsafe_code,
    reason = "neither the standard library nor rustix installs signal handlers"
)]

use std::ptr;

/// Lets SIGINT and SIGTERM pass by: stopping is the parent's business. Ctrl-C does not reach a child's process group, but
/// a supervisor that sends SIGTERM to every process of a service does, and the parent's drain needs its children.
///
/// They are handled by doing nothing rather than ignored, because what a function starts inherits the latter: a program
/// that nothing but SIGKILL stops.
pub(super) fn leave_stopping_to_the_parent() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: `sigaction` is made of numbers and pointers, for which zeros are valid.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = do_nothing as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = libc::SA_RESTART;
        // SAFETY: `action` outlives the call and has an empty mask; the handler touches nothing, so it may run anywhere.
        // It fails for no signal that exists.
        unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    }
}

extern "C" fn do_nothing(_signal: libc::c_int) {}
