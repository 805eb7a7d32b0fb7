//! Makes the calling thread give way to the event loop.
#![expect(
    unsafe_code,
    reason = "neither the standard library nor rustix has sched_setattr"
)]

#[cfg(target_os = "linux")]
use std::io;

/// See the table in the lane's documentation.
#[cfg(target_os = "linux")]
const NICE: i32 = 15;

/// How long the scheduler would like to let the thread run at a time, the longest that it accepts. A thread that wakes up
/// with a shorter wish, as all others have, need not wait for the end of a slice (Linux 6.12; older ones ignore it).
#[cfg(target_os = "linux")]
const SLICE_NS: u64 = 100_000_000;

/// Lowers the calling thread's priority. Where that is refused, it computes at normal priority.
#[cfg(target_os = "linux")]
pub(super) fn give_way() {
    let lowered = set_nice_and_slice().or_else(|_| {
        // Some containers allow only this. On Linux it is for the calling thread, whatever its name says.
        rustix::process::setpriority_process(None, NICE).map_err(io::Error::from)
    });
    if let Err(error) = lowered {
        tracing::debug!(%error, "a thread of the compute lane runs at normal priority");
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn give_way() {
    tracing::debug!("the compute lane runs at normal priority on this platform");
}

#[cfg(target_os = "linux")]
fn set_nice_and_slice() -> io::Result<()> {
    let attributes = libc::sched_attr {
        size: u32::try_from(size_of::<libc::sched_attr>()).expect("a small struct"),
        sched_policy: libc::SCHED_OTHER.unsigned_abs(),
        sched_flags: 0,
        sched_nice: NICE,
        sched_priority: 0,
        sched_runtime: SLICE_NS,
        sched_deadline: 0,
        sched_period: 0,
    };
    let (calling_thread, no_flags) = (0, 0);
    // SAFETY: the kernel reads a struct of the size that it names, which lives until the call returns.
    let result = unsafe {
        libc::syscall(
            libc::SYS_sched_setattr,
            calling_thread,
            &raw const attributes,
            no_flags,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn only_the_calling_thread_gives_way() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let lowered = thread::spawn(move || {
            give_way();
            nice()
        });
        assert_eq!(lowered.join().unwrap(), NICE);
        assert_eq!(nice(), before);
    }
}
