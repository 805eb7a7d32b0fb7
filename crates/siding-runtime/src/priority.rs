//! Which thread the scheduler prefers: the event loop, or the compute lane.
#![expect(
    unsafe_code,
    reason = "neither the standard library nor rustix has sched_setattr"
)]

#[cfg(target_os = "linux")]
use std::io;

/// The nice value of the compute lane: see the table in its documentation.
#[cfg(target_os = "linux")]
const COMPUTE_NICE: i32 = 15;

/// How long the scheduler would like to let a thread of the compute lane run at a time, the longest that it accepts. A thread
/// that wakes up with a shorter wish need not wait for the end of a slice (Linux 6.12; older ones ignore it).
#[cfg(target_os = "linux")]
const COMPUTE_SLICE_NS: u64 = 100_000_000;

/// The same for the event loop, the shortest that it accepts: a poll is short, and should run before whatever else is as
/// important. Its share of the machine stays what it was.
#[cfg(target_os = "linux")]
const EVENT_LOOP_SLICE_NS: u64 = 100_000;

/// Lowers the calling thread's priority. Where that is refused, it computes at normal priority.
#[cfg(target_os = "linux")]
pub(crate) fn give_way() {
    let lowered = set(COMPUTE_NICE, COMPUTE_SLICE_NS, 0).or_else(|_| {
        // Some containers allow only this. On Linux it is for the calling thread, whatever its name says.
        rustix::process::setpriority_process(None, COMPUTE_NICE).map_err(io::Error::from)
    });
    if let Err(error) = lowered {
        tracing::debug!(%error, "a thread of the compute lane runs at normal priority");
    }
}

/// Lets the calling thread run soon after it wakes up, and not those that it starts. Where that is refused, it runs in its turn.
#[cfg(target_os = "linux")]
pub(crate) fn run_soon() {
    let set = rustix::process::getpriority_process(None)
        .map_err(io::Error::from)
        .and_then(|nice| set(nice, EVENT_LOOP_SLICE_NS, libc::SCHED_FLAG_RESET_ON_FORK));
    if let Err(error) = set {
        tracing::debug!(%error, "a thread of the event loop runs with the usual slice");
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn give_way() {
    tracing::debug!("the compute lane runs at normal priority on this platform");
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn run_soon() {}

#[cfg(target_os = "linux")]
fn set(nice: i32, slice_ns: u64, flags: libc::c_int) -> io::Result<()> {
    let attributes = libc::sched_attr {
        size: u32::try_from(size_of::<libc::sched_attr>()).expect("a small struct"),
        sched_policy: libc::SCHED_OTHER.unsigned_abs(),
        sched_flags: u64::from(flags.unsigned_abs()),
        sched_nice: nice,
        sched_priority: 0,
        sched_runtime: slice_ns,
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

    fn nice() -> i32 {
        rustix::process::getpriority_process(None).expect("a thread may ask for its own")
    }

    #[test]
    fn only_the_calling_thread_gives_way() {
        let before = nice();
        let lowered = thread::spawn(move || {
            give_way();
            nice()
        });
        assert_eq!(lowered.join().unwrap(), COMPUTE_NICE);
        assert_eq!(nice(), before);
    }

    #[test]
    fn a_short_slice_leaves_the_priority_as_it_was() {
        let before = nice();
        let after = thread::spawn(move || {
            set(before, EVENT_LOOP_SLICE_NS, libc::SCHED_FLAG_RESET_ON_FORK).unwrap();
            nice()
        });
        assert_eq!(after.join().unwrap(), before);
    }
}
