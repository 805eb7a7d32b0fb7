//! Wakes a keeper out of its wait for its child.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};

/// Wakes a keeper out of its wait for its child, from any thread. Ringing before the wait counts too.
#[derive(Debug)]
pub(super) struct Bell {
    rope: UnixStream,
    clapper: UnixStream,
}

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        let (rope, clapper) = UnixStream::pair()?;
        rope.set_nonblocking(true)?;
        clapper.set_nonblocking(true)?;
        Ok(Self { rope, clapper })
    }

    pub(super) fn ring(&self) {
        // It fails when so many rings are unheard that the buffer is full: one would do.
        let _ = (&self.rope).write(&[1]);
    }

    /// Forgets all rings so far.
    pub(super) fn hear(&self) {
        let mut rings = [0; 64];
        while (&self.clapper)
            .read(&mut rings)
            .is_ok_and(|read| read == rings.len())
        {}
    }

    /// Waits until it is rung, or has been.
    pub(super) fn wait(&self) {
        let mut clapper = [PollFd::new(&self.clapper, PollFlags::IN)];
        // An interruption is a reason to look around as well.
        let _ = poll(&mut clapper, None);
        self.hear();
    }

    /// Readable when it was rung.
    pub(super) fn clapper(&self) -> BorrowedFd<'_> {
        self.clapper.as_fd()
    }
}
