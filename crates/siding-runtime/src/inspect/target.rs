//! [`BlockedOn`] and [`Target`]: what a blocked thread waits for, in words for its developer.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::services::service;

/// The system call that a thread is blocked in, and what the call waits for.
///
/// Its `Display` reads as in "blocked in `recvfrom from 127.0.0.1:5432 (PostgreSQL)`".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockedOn {
    /// The call's name in the kernel's sources: `recvfrom`, `futex`, `clock_nanosleep`.
    pub syscall: Cow<'static, str>,
    /// What it waits for, where that could be read.
    pub target: Option<Target>,
}

/// What a system call waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// A connected socket's other end, or the address that a connection is being made to.
    Peer {
        /// The other end's address.
        address: SocketAddr,
        /// The service that its port usually means.
        service: Option<&'static str>,
    },
    /// A socket without a peer: one that listens, or waits for datagrams from anybody.
    Local {
        /// The socket's own address.
        address: SocketAddr,
    },
    /// A Unix socket, by the path of either end where one is named.
    Unix {
        /// The path; a leading `@` marks a name outside the file system.
        path: Option<PathBuf>,
    },
    /// A file, by the path it was opened with or has now.
    File {
        /// The path.
        path: PathBuf,
        /// What sort of file it is, where that could be told without waiting for a file system.
        kind: Option<FileKind>,
    },
    /// A pipe between threads or processes, which has no path.
    Pipe,
    /// A nameless object of the kernel, such as an `eventfd` or an `inotify` queue.
    Anonymous {
        /// The kernel's word for it.
        name: String,
    },
    /// A lock, a condition variable, a thread's end: all of them wait in `futex`.
    Lock,
    /// Time to pass.
    Sleep {
        /// How long, where it could be read. For a sleep until a point in time: what was left of it.
        duration: Option<Duration>,
    },
    /// A child process to change its state.
    Child,
}

/// What sort of file a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// An ordinary file.
    Regular,
    /// A directory.
    Directory,
    /// A named pipe, whose reader waits for a writer and whose writer waits for a reader.
    Fifo,
    /// A terminal, a disk, or another device.
    Device,
}

impl Target {
    pub(crate) fn peer(address: SocketAddr) -> Self {
        let service = service(address.port());
        Self::Peer { address, service }
    }
}

impl BlockedOn {
    /// Whether both wait in the same call for the same thing; two sleeps do, whatever their length.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let sleep = |on: &Self| matches!(on.target, Some(Target::Sleep { .. }));
        self.syscall == other.syscall
            && (self.target == other.target || (sleep(self) && sleep(other)))
    }
}

impl fmt::Display for BlockedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.syscall)?;
        match &self.target {
            None => Ok(()),
            Some(lock @ Target::Lock) => write!(f, " ({lock})"),
            Some(target) => write!(f, " {} {target}", preposition(&self.syscall, target)),
        }
    }
}

/// The word between a call and its target: "recv *from* a peer", "read *of* a file", "poll *on* anything".
fn preposition(syscall: &str, target: &Target) -> &'static str {
    let begins_with = |words: &[&str]| words.iter().any(|word| syscall.starts_with(word));
    match target {
        Target::Sleep { .. } | Target::Child => "for",
        _ if begins_with(&["poll", "ppoll", "select", "pselect", "epoll", "accept"]) => "on",
        Target::File { .. } | Target::Pipe | Target::Anonymous { .. } | Target::Lock => "of",
        Target::Peer { .. } | Target::Local { .. } | Target::Unix { .. } => {
            if begins_with(&["recv", "read", "pread"]) {
                "from"
            } else if begins_with(&["send", "write", "pwrite", "connect"]) {
                "to"
            } else {
                "on"
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer { address, service } => match service {
                Some(service) => write!(f, "{address} ({service})"),
                None => write!(f, "{address}"),
            },
            Self::Local { address } => write!(f, "{address}"),
            Self::Unix { path: Some(path) } => write!(f, "{} (Unix socket)", path.display()),
            Self::Unix { path: None } => f.write_str("an unnamed Unix socket"),
            Self::File { path, kind } => match kind.and_then(FileKind::remark) {
                Some(remark) => write!(f, "{} ({remark})", path.display()),
                None => write!(f, "{}", path.display()),
            },
            Self::Pipe => f.write_str("a pipe"),
            Self::Anonymous { name } => f.write_str(name),
            Self::Lock => f.write_str("a lock or condition variable"),
            Self::Sleep {
                duration: Some(duration),
            } => f.write_str(&humane(*duration)),
            Self::Sleep { duration: None } => f.write_str("some time"),
            Self::Child => f.write_str("a child process"),
        }
    }
}

impl FileKind {
    /// A word beside the path, where a reader would expect a regular file.
    fn remark(self) -> Option<&'static str> {
        match self {
            Self::Regular => None,
            Self::Directory => Some("directory"),
            Self::Fifo => Some("FIFO"),
            Self::Device => Some("device"),
        }
    }
}

/// `1 s`, `1.5 s`, `20 ms`, `300 µs`: at most three decimals and no trailing zeros.
fn humane(duration: Duration) -> String {
    let (value, unit) = if duration >= Duration::from_secs(1) {
        (duration.as_secs_f64(), "s")
    } else if duration >= Duration::from_millis(1) {
        (duration.as_secs_f64() * 1e3, "ms")
    } else {
        (duration.as_secs_f64() * 1e6, "µs")
    };
    let rounded = (value * 1e3).round() / 1e3;
    format!("{rounded} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(syscall: &'static str, target: Target, expected: &str) {
        let on = BlockedOn {
            syscall: syscall.into(),
            target: Some(target),
        };
        assert_eq!(on.to_string(), expected);
    }

    #[test]
    fn reads_as_a_phrase() {
        let postgres = Target::peer("127.0.0.1:5432".parse().unwrap());
        check(
            "recvfrom",
            postgres.clone(),
            "recvfrom from 127.0.0.1:5432 (PostgreSQL)",
        );
        check(
            "connect",
            postgres,
            "connect to 127.0.0.1:5432 (PostgreSQL)",
        );
        let dns = Target::peer("127.0.0.1:53".parse().unwrap());
        check("poll", dns, "poll on 127.0.0.1:53 (DNS)");
        check(
            "futex",
            Target::Lock,
            "futex (a lock or condition variable)",
        );
        check("wait4", Target::Child, "wait4 for a child process");
        check("read", Target::Pipe, "read of a pipe");
        let fifo = Target::File {
            path: "/tmp/x".into(),
            kind: Some(FileKind::Fifo),
        };
        check("read", fifo, "read of /tmp/x (FIFO)");
        let file = Target::File {
            path: "/tmp/x".into(),
            kind: Some(FileKind::Regular),
        };
        check("fsync", file, "fsync of /tmp/x");
    }

    #[test]
    fn sleeps_have_a_readable_length() {
        for (duration, expected) in [
            (Duration::from_secs(1), "clock_nanosleep for 1 s"),
            (Duration::from_millis(1_500), "clock_nanosleep for 1.5 s"),
            (Duration::from_millis(20), "clock_nanosleep for 20 ms"),
            (Duration::from_micros(300), "clock_nanosleep for 300 µs"),
        ] {
            check(
                "clock_nanosleep",
                Target::Sleep {
                    duration: Some(duration),
                },
                expected,
            );
        }
    }

    #[test]
    fn an_unknown_target_leaves_the_call() {
        let on = BlockedOn {
            syscall: "io_getevents".into(),
            target: None,
        };
        assert_eq!(on.to_string(), "io_getevents");
    }
}
