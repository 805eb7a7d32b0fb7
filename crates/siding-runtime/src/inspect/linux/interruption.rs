//! Which system calls a signal would cut short, even one whose handler is installed to restart them.

use super::{Syscall, descriptor};

impl Syscall {
    /// Whether a signal would end this call with `EINTR` where its caller does not expect that: on a socket with a time limit
    /// (`SO_RCVTIMEO`, `SO_SNDTIMEO`), as blocking clients set it, the kernel never restarts a call (signal(7)), and neither
    /// [`TcpStream`](std::net::TcpStream) nor many a client calls again. Sleeps and `poll` are never restarted either, which is in their
    /// manuals, and those who call them know.
    pub(crate) fn is_cut_short_by_signals(&self) -> bool {
        let limit = match &*self.name() {
            "read" | "readv" | "recvfrom" | "recvmsg" | "recvmmsg" | "accept" | "accept4" => {
                libc::SO_RCVTIMEO
            }
            "write" | "writev" | "sendto" | "sendmsg" | "sendmmsg" | "connect" => libc::SO_SNDTIMEO,
            _ => return false,
        };
        i32::try_from(self.args[0]).is_ok_and(|fd| descriptor::has_time_limit(fd, limit))
    }
}
