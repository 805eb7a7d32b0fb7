//! The thread that hears other processes, and looks around now and then.
//!
//! It sleeps until another process sends it something. While somebody waits it also looks, each second, whether anybody
//! has written to the file: a datagram may have been lost. And each minute it has what has outlived its time deleted.

use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::manage;
use super::patience::Patience;
use super::wake::Wake;
use super::writer::WeakWriter;

/// Ends the thread when it is dropped.
#[derive(Debug)]
pub(super) struct Bell {
    wake: Arc<Wake>,
    stopped: Arc<AtomicBool>,
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.wake.interrupt();
    }
}

/// What the thread listens to.
pub(super) struct Ears {
    /// Other processes.
    pub(super) socket: Option<UnixDatagram>,
    /// This one.
    pub(super) doorbell: UnixDatagram,
    /// Says whether anybody has written.
    pub(super) conn: Connection,
    pub(super) patience: Patience,
    pub(super) safety_net: Option<Duration>,
    pub(super) tidy: Duration,
}

pub(super) fn start(ears: Ears, wake: Arc<Wake>, writer: WeakWriter) -> std::io::Result<Bell> {
    let stopped = Arc::new(AtomicBool::new(false));
    let thread = BellThread {
        ears,
        wake: Arc::clone(&wake),
        writer,
        stopped: Arc::clone(&stopped),
        tidied: Instant::now(),
        version: None,
    };
    thread::Builder::new()
        .name("tasks-bell".to_owned())
        .spawn(move || thread.run())?;
    Ok(Bell { wake, stopped })
}

struct BellThread {
    ears: Ears,
    wake: Arc<Wake>,
    writer: WeakWriter,
    stopped: Arc<AtomicBool>,
    tidied: Instant,
    version: Option<i64>,
}

impl BellThread {
    fn run(mut self) {
        self.ears.patience.here();
        while !self.stopped.load(Ordering::SeqCst) {
            self.listen();
            if self.ears.safety_net.is_some() && self.wake.is_awaited() {
                self.look();
            }
            if self.tidied.elapsed() >= self.ears.tidy {
                self.tidy();
                self.tidied = Instant::now();
            }
        }
    }

    /// Until there is something to hear, or time to look.
    fn listen(&self) {
        let until_tidy = self.ears.tidy.saturating_sub(self.tidied.elapsed());
        let patience = match self.ears.safety_net {
            Some(net) if self.wake.is_awaited() => net.min(until_tidy),
            _ => until_tidy,
        };
        let timeout = Timespec::try_from(patience).ok();
        let socket = self.ears.socket.as_ref();
        let mut fds = [Some(&self.ears.doorbell), socket]
            .into_iter()
            .flatten()
            .map(|fd| PollFd::new(fd, PollFlags::IN))
            .collect::<Vec<_>>();
        // A signal ends it early, which does no harm.
        let _ = poll(&mut fds, timeout.as_ref());
        let mut datagram = [0; 8_192];
        while self.ears.doorbell.recv(&mut datagram).is_ok() {}
        while let Some(length) = socket.and_then(|socket| socket.recv(&mut datagram).ok()) {
            self.wake.hear(&datagram[..length]);
        }
    }

    fn look(&mut self) {
        // Reading it costs no read of the file; an error shows where somebody asks for something.
        let version = self
            .ears
            .conn
            .pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0))
            .ok();
        if version != self.version {
            self.version = version;
            self.wake.tell_everything();
        }
    }

    fn tidy(&self) {
        loop {
            let Some(writer) = self.writer.upgrade() else {
                return;
            };
            // Others get their turn between two batches.
            match writer.call_blocking(|tx| manage::tidy(tx)) {
                Ok(manage::TIDIED) => {}
                Ok(_) | Err(_) => return,
            }
        }
    }
}
