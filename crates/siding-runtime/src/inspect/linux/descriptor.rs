//! What a file descriptor of this process stands for, asked without touching the thing itself.
//!
//! The descriptor belongs to the code of another thread, which may close it at any moment: then the answer is
//! missing or about its successor, and nothing worse. No question here waits for a file system: `readlink` under
//! `/proc` and `statx` without synchronisation answer from the kernel's memory even when a network mount hangs.
#![expect(
    unsafe_code,
    reason = "safe wrappers want a descriptor that is known to stay open"
)]

use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

use super::sockaddr::SocketName;
use super::{FileKind, Target};

/// What a call on descriptor `fd` waits for.
pub(super) fn target(fd: RawFd) -> Option<Target> {
    let link = fs::read_link(format!("/proc/self/fd/{fd}")).ok()?;
    let Some(name) = link.to_str() else {
        return Some(file(fd, link));
    };
    if name.starts_with("socket:") {
        socket(fd)
    } else if name.starts_with("pipe:") {
        Some(Target::Pipe)
    } else if let Some(name) = name.strip_prefix("anon_inode:") {
        let name = name.trim_matches(['[', ']']).to_owned();
        Some(Target::Anonymous { name })
    } else {
        Some(file(fd, link))
    }
}

/// The address that the listening socket `fd` accepts on.
pub(super) fn listener(fd: RawFd) -> Option<Target> {
    name_of(fd, libc::getsockname).map(SocketName::into_local)
}

/// What sort of file `path` names, if the kernel knows without asking a file system.
pub(super) fn kind_at(path: &Path) -> Option<FileKind> {
    let handle = openat2(
        rustix::fs::CWD,
        path,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::CACHED,
    );
    kind_of(handle.ok()?.as_raw_fd())
}

/// Whether the socket `fd` has a limit on how long a call waits: `SO_RCVTIMEO` or `SO_SNDTIMEO`. What is no socket has none.
pub(super) fn has_time_limit(fd: RawFd, option: libc::c_int) -> bool {
    let mut limit = libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    };
    let mut length = size_of::<libc::timeval>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, which the structure has and of which none is invalid. A descriptor that is
    // closed or no socket is refused.
    let result = unsafe {
        libc::getsockopt(
            fd,
            libc::SOL_SOCKET,
            option,
            (&raw mut limit).cast(),
            &raw mut length,
        )
    };
    result == 0 && (limit.tv_sec != 0 || limit.tv_usec != 0)
}

fn file(fd: RawFd, path: PathBuf) -> Target {
    Target::File {
        path,
        kind: kind_of(fd),
    }
}

/// A socket by its peer. A Unix socket's peer is often unnamed: there the own name says more. A socket without a
/// peer has only its own.
fn socket(fd: RawFd) -> Option<Target> {
    match name_of(fd, libc::getpeername) {
        Some(SocketName::Unix(None)) | None => listener(fd),
        Some(peer) => Some(peer.into_peer()),
    }
}

/// `getpeername` or `getsockname`.
type NameCall =
    unsafe extern "C" fn(libc::c_int, *mut libc::sockaddr, *mut libc::socklen_t) -> libc::c_int;

fn name_of(fd: RawFd, call: NameCall) -> Option<SocketName> {
    let mut bytes = [0; size_of::<libc::sockaddr_storage>()];
    let mut length = libc::socklen_t::try_from(bytes.len()).ok()?;
    // SAFETY: the kernel writes at most `length` bytes, which the array has; a sockaddr has no invalid bytes and
    // the kernel does not mind its alignment. A descriptor that is closed or no socket is refused.
    let result = unsafe { call(fd, bytes.as_mut_ptr().cast(), &raw mut length) };
    if result != 0 {
        return None;
    }
    SocketName::parse(bytes.get(..length as usize)?)
}

fn kind_of(fd: RawFd) -> Option<FileKind> {
    let mut status = MaybeUninit::<libc::statx>::uninit();
    let flags = libc::AT_EMPTY_PATH | libc::AT_STATX_DONT_SYNC;
    // SAFETY: the path is an empty C string, and the kernel writes at most one statx to the pointer. A
    // descriptor that is closed is refused.
    let result = unsafe {
        libc::statx(
            fd,
            c"".as_ptr(),
            flags,
            libc::STATX_TYPE,
            status.as_mut_ptr(),
        )
    };
    if result != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so it filled the structure.
    let mode = libc::mode_t::from(unsafe { status.assume_init() }.stx_mode);
    match mode & libc::S_IFMT {
        libc::S_IFREG => Some(FileKind::Regular),
        libc::S_IFDIR => Some(FileKind::Directory),
        libc::S_IFIFO => Some(FileKind::Fifo),
        libc::S_IFCHR | libc::S_IFBLK => Some(FileKind::Device),
        _ => None,
    }
}
