//! The signal that makes a thread walk its own stack: installing it, sending it, and handling it.
#![expect(unsafe_code, reason = "signals are a C interface")]

use std::ffi::{c_int, c_void};
use std::io;
use std::mem;
use std::ptr;
use std::sync::OnceLock;

use super::super::super::{Tid, Unknown};
use super::bell::Bell;
use super::loan::Loan;
use super::registers::Registers;
use super::walker::Walker;

const SIGNAL: c_int = libc::SIGURG;

/// What the handler works with: all it finds it finds here.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) walker: Loan<Walker>,
    pub(super) bell: Bell,
}

static DESK: OnceLock<Desk> = OnceLock::new();

/// Puts the desk up, if need be, and the handler in place.
pub(super) fn install() -> Result<&'static Desk, Unknown> {
    if !matches!(present_handler()?, libc::SIG_DFL | libc::SIG_IGN) {
        return Err(Unknown::because(
            "the program has a SIGURG handler of its own, which stacks would need",
        ));
    }
    let desk = DESK.get_or_init(|| Desk {
        walker: Loan::new(Walker::new()),
        bell: Bell::default(),
    });
    // SAFETY: zeroes are a valid `sigaction`: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
    action.sa_sigaction = handle as *const () as libc::sighandler_t;
    // SAFETY: the handler has the type that SA_SIGINFO asks for and is safe to run at any point of the program.
    let result = unsafe { libc::sigaction(SIGNAL, &raw const action, ptr::null_mut()) };
    check(result, "install the SIGURG handler")?;
    Ok(desk)
}

/// Sends the signal to `thread` of this process.
pub(super) fn send(thread: Tid) -> Result<(), Unknown> {
    // SAFETY: the call reads its arguments only. A thread that has ended is refused; a handler that is not there
    // does no harm, as the signal's default is to be ignored.
    let result =
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread.as_raw(), SIGNAL) };
    check(if result == 0 { 0 } else { -1 }, "signal the thread")
}

fn present_handler() -> Result<libc::sighandler_t, Unknown> {
    // SAFETY: zeroes are a valid `sigaction`.
    let mut present: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: with no new action the call only writes the present one to the pointer.
    let result = unsafe { libc::sigaction(SIGNAL, ptr::null(), &raw mut present) };
    check(result, "look for a SIGURG handler")?;
    Ok(present.sa_sigaction)
}

fn check(result: c_int, attempt: &str) -> Result<(), Unknown> {
    match result {
        0 => Ok(()),
        _ => Err(Unknown::failed(attempt, &io::Error::last_os_error())),
    }
}

/// Walks the interrupted thread's stack, if that is what the thread was signalled for.
///
/// It may interrupt anything, the allocator and the loader included, so everything below this point keeps to
/// atomics, the borrowed walker and the stack: no allocation, no lock, no thread-local with a destructor, no panic.
extern "C" fn handle(_signal: c_int, _info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: every thread has its `errno`, at the same place while the thread lives.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above; the interrupted code may be about to read what it holds.
    let before = unsafe { *errno };
    // A desk that is being put up is not there yet: looking does not wait for it.
    if let Some(desk) = DESK.get()
        && let Some(mut walker) = desk.walker.take(Tid::current())
    {
        // SAFETY: this is the signal handler, and that is its third argument.
        walker.walk(unsafe { Registers::interrupted(context.cast()) });
        drop(walker);
        desk.bell.ring();
    }
    // SAFETY: as above.
    unsafe { *errno = before };
}
