//! [`Tid`]: the kernel's name of a thread.

/// A thread's id in the kernel, which names it in `/proc/self/task` and in `tgkill`.
///
/// It is unique while the thread lives and may be given out again afterwards. Zero, the value where there is no
/// such id (other platforms than Linux), names no thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tid(u32);

impl Tid {
    /// The calling thread's id. It makes one system call and touches neither `errno` nor thread-locals, so a
    /// signal handler may call it.
    #[cfg(target_os = "linux")]
    pub(crate) fn current() -> Self {
        Self(
            rustix::thread::gettid()
                .as_raw_nonzero()
                .get()
                .unsigned_abs(),
        )
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn current() -> Self {
        Self(0)
    }

    pub(crate) const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    pub(crate) const fn as_raw(self) -> u32 {
        self.0
    }
}
