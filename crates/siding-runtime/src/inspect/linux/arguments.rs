//! From a system call's arguments to what it waits for.

use std::ffi::OsString;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use super::sockaddr::SocketName;
use super::{BlockedOn, Syscall, Target, clock, descriptor, memory, wait_set};

impl BlockedOn {
    /// Reads what `call` waits for. The call's arguments may be out of date, as the thread runs on meanwhile: then
    /// the target is missing, or that of its next call.
    pub(crate) fn read(call: &Syscall) -> Self {
        let syscall = call.name();
        let target = target(&syscall, call.args);
        Self { syscall, target }
    }
}

fn target(syscall: &str, args: [u64; 6]) -> Option<Target> {
    let [first, second, third, ..] = args;
    match syscall {
        "read" | "pread64" | "readv" | "preadv" | "preadv2" | "recvfrom" | "recvmsg"
        | "recvmmsg" | "write" | "pwrite64" | "writev" | "pwritev" | "pwritev2" | "sendto"
        | "sendmsg" | "sendmmsg" | "sendfile" | "splice" | "tee" | "vmsplice"
        | "copy_file_range" | "fsync" | "fdatasync" | "sync_file_range" | "sync_file_range2"
        | "syncfs" | "fallocate" | "ftruncate" | "flock" | "fcntl" | "ioctl" | "fstat"
        | "getdents64" | "getdents" | "close" | "shutdown" => descriptor::target(fd(first)?),
        "accept" | "accept4" => descriptor::listener(fd(first)?),
        "connect" => address(second, third),
        "poll" | "ppoll" => wait_set::polled(first, second),
        "select" | "pselect6" => wait_set::selected(first, [second, third]),
        "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => wait_set::watched(fd(first)?),
        "open" | "creat" | "stat" | "lstat" | "access" | "truncate" | "unlink" | "mkdir"
        | "rmdir" | "rename" | "execve" | "statfs" => path(first),
        "openat" | "openat2" | "newfstatat" | "statx" | "faccessat" | "faccessat2" | "unlinkat"
        | "mkdirat" | "renameat" | "renameat2" => path(second),
        "nanosleep" => sleep(first),
        "clock_nanosleep" => clock_sleep(first, second, third),
        "futex" | "futex_wait" | "futex_waitv" => Some(Target::Lock),
        "wait4" | "waitid" => Some(Target::Child),
        _ => None,
    }
}

fn fd(argument: u64) -> Option<RawFd> {
    RawFd::try_from(argument).ok()
}

fn address(pointer: u64, length: u64) -> Option<Target> {
    let mut bytes = [0; size_of::<libc::sockaddr_storage>()];
    let length = usize::try_from(length).ok()?.min(bytes.len());
    let read = memory::read(pointer, &mut bytes[..length]);
    SocketName::parse(&bytes[..read]).map(SocketName::into_peer)
}

/// A path argument as the call gave it: a relative one stays relative, to whatever directory.
fn path(pointer: u64) -> Option<Target> {
    let path = PathBuf::from(OsString::from_vec(memory::read_c_string(pointer)?));
    let kind = path
        .is_absolute()
        .then(|| descriptor::kind_at(&path))
        .flatten();
    Some(Target::File { path, kind })
}

/// `clock_nanosleep`: with the absolute flag its time is a point on the clock, otherwise a length.
fn clock_sleep(id: u64, flags: u64, request: u64) -> Option<Target> {
    const ABSOLUTE: u64 = libc::TIMER_ABSTIME.unsigned_abs() as u64;
    if flags & ABSOLUTE == 0 {
        return sleep(request);
    }
    let clock = libc::clockid_t::try_from(id).ok().and_then(clock::now);
    let duration = timespec(request)
        .zip(clock)
        .map(|(end, now)| end.saturating_sub(now));
    Some(Target::Sleep { duration })
}

fn sleep(request: u64) -> Option<Target> {
    Some(Target::Sleep {
        duration: timespec(request),
    })
}

/// The kernel's 64-bit `timespec` at `pointer`.
fn timespec(pointer: u64) -> Option<Duration> {
    let bytes = memory::read_array::<16>(pointer)?;
    let (seconds, rest) = bytes.split_first_chunk()?;
    let nanos = u64::from_ne_bytes(*rest.first_chunk()?);
    let seconds = u64::from_ne_bytes(*seconds);
    Duration::from_secs(seconds).checked_add(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_sleep_has_its_length_and_an_absolute_one_what_is_left() {
        let second = [1_u64, 500_000_000];
        let request = second.as_ptr() as u64;
        let half = Some(Target::Sleep {
            duration: Some(Duration::from_millis(1_500)),
        });
        assert_eq!(target("clock_nanosleep", [1, 0, request, 0, 0, 0]), half);
        assert_eq!(target("nanosleep", [request, 0, 0, 0, 0, 0]), half);
        let over = Some(Target::Sleep {
            duration: Some(Duration::ZERO),
        });
        assert_eq!(target("clock_nanosleep", [1, 1, request, 0, 0, 0]), over);
    }

    #[test]
    fn arguments_that_make_no_sense_leave_the_target_out() {
        let nonsense = [u64::MAX; 6];
        for syscall in [
            "read",
            "connect",
            "poll",
            "select",
            "epoll_wait",
            "openat",
            "accept",
        ] {
            assert_eq!(target(syscall, nonsense), None, "{syscall}");
        }
    }
}
