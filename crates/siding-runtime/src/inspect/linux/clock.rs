//! Clocks that the standard library does not offer: another thread's CPU time, and any clock by its number.
#![expect(
    unsafe_code,
    reason = "no safe wrapper takes a clock id computed from a thread id"
)]

use std::mem::MaybeUninit;
use std::time::Duration;

use super::Tid;

/// The time that a thread of this process spent on a CPU. Precise to the nanosecond even while it runs, whereas
/// its `schedstat` only moves at the scheduler's ticks.
pub(super) fn cpu_time_of(thread: Tid) -> Option<Duration> {
    now(cpu_clock_of(thread)?)
}

/// What the clock `id` shows. The caller's `errno` may change.
pub(super) fn now(id: libc::clockid_t) -> Option<Duration> {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the kernel writes at most one timespec to the pointer, and refuses an id that names no clock.
    let result = unsafe { libc::clock_gettime(id, time.as_mut_ptr()) };
    if result != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so it wrote the time.
    let time = unsafe { time.assume_init() };
    Some(Duration::new(
        time.tv_sec.try_into().ok()?,
        time.tv_nsec.try_into().ok()?,
    ))
}

/// The id of a thread's CPU clock: what `pthread_getcpuclockid` computes, which wants a `pthread_t`. Its layout
/// is part of the kernel's stable interface (`include/linux/posix-timers_types.h`): the inverted thread id above
/// three bits, of which bit 2 says "one thread" and the low two choose the scheduler's clock.
fn cpu_clock_of(thread: Tid) -> Option<libc::clockid_t> {
    const PER_THREAD: libc::clockid_t = 4;
    const SCHEDULER: libc::clockid_t = 2;
    let tid = libc::clockid_t::try_from(thread.as_raw()).ok()?;
    Some((!tid << 3) | PER_THREAD | SCHEDULER)
}
