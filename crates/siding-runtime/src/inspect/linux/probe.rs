//! [`ThreadProbe`]: asks the kernel about one thread of this process, from outside and without disturbing it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use super::{Account, Activity, Tid, Unknown, clock};

/// Longer than any content of either file: nine numbers of at most 18 digits.
const CONTENT_MAX: usize = 256;

/// Reads a thread's account and activity from `/proc/self/task/<tid>`.
///
/// The two files are opened at the first question and kept, so that a repeated question costs one `pread`. An
/// open file stays bound to its thread: after the thread's end it answers with an error, even if a new thread
/// got the same id.
#[derive(Debug)]
pub(crate) struct ThreadProbe {
    thread: Tid,
    schedstat: TaskFile,
    syscall: TaskFile,
}

impl ThreadProbe {
    pub(crate) fn open(thread: Tid) -> Self {
        Self {
            thread,
            schedstat: TaskFile::new(thread, "schedstat"),
            syscall: TaskFile::new(thread, "syscall"),
        }
    }

    /// How the thread spent its life so far.
    pub(crate) fn account(&self) -> Result<Account, Unknown> {
        let mut account = self.schedstat.read(Account::parse)?;
        if let Some(precise) = clock::cpu_time_of(self.thread) {
            account.on_cpu = precise;
        }
        Ok(account)
    }

    /// What the thread does now.
    pub(crate) fn activity(&self) -> Result<Activity, Unknown> {
        self.syscall.read(Activity::parse)
    }
}

/// One of a thread's files under `/proc`, opened when first read.
#[derive(Debug)]
struct TaskFile {
    path: String,
    file: OnceLock<File>,
}

impl TaskFile {
    fn new(thread: Tid, name: &str) -> Self {
        Self {
            path: format!("/proc/self/task/{}/{name}", thread.as_raw()),
            file: OnceLock::new(),
        }
    }

    fn read<T>(&self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Unknown> {
        let mut buffer = [0; CONTENT_MAX];
        let length = self
            .content(&mut buffer)
            .map_err(|error| self.unreadable(&error))?;
        str::from_utf8(&buffer[..length])
            .ok()
            .and_then(parse)
            .ok_or_else(|| Unknown::because(format!("{} has an unknown form", self.path)))
    }

    fn content(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let file = match self.file.get() {
            Some(file) => file,
            None => {
                let opened = File::open(&self.path)?;
                self.file.get_or_init(|| opened)
            }
        };
        file.read_at(buffer, 0)
    }

    fn unreadable(&self, error: &io::Error) -> Unknown {
        match error.raw_os_error() {
            Some(libc::ESRCH) => Unknown::because("the thread has ended"),
            _ => Unknown::failed(&format!("read {}", self.path), error),
        }
    }
}
