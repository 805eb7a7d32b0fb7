//! A terminal for a program, which sees what it writes and presses its keys.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// Nothing here takes this long unless it is broken.
const DEADLINE: Duration = Duration::from_secs(30);

/// A pseudo-terminal of 80 × 24 and the program that runs in it, which is killed when this is dropped.
pub(crate) struct Terminal {
    keys: File,
    /// The program's end: kept open, so that what the program left can be read, and its settings be looked at.
    inner: File,
    written: mpsc::Receiver<Vec<u8>>,
    seen: Vec<u8>,
    child: Child,
}

impl Terminal {
    pub(crate) fn run(command: &mut Command) -> Self {
        let outer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&outer).unwrap();
        unlockpt(&outer).unwrap();
        let name = ptsname(&outer, Vec::new()).unwrap();
        let inner = File::options()
            .read(true)
            .write(true)
            .open(OsStr::from_bytes(name.as_bytes()))
            .unwrap();
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&inner, size).unwrap();
        let end = || OwnedFd::from(inner.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end());
        let child = command.env("TERM", "xterm-256color").spawn().unwrap();
        let outer = File::from(outer);
        Self {
            written: read(outer.try_clone().unwrap()),
            keys: outer,
            inner,
            seen: Vec::new(),
            child,
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the program has written `text`. Only what it wrote after the last text waited for counts.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + DEADLINE;
        loop {
            let found = self
                .seen
                .windows(text.len())
                .position(|seen| seen == text.as_bytes());
            if let Some(found) = found {
                self.seen.drain(..found + text.len());
                return;
            }
            match self.written.recv_timeout(until - Instant::now()) {
                Ok(more) => self.seen.extend(more),
                Err(_) => panic!(
                    "{text:?} is not in {:?}",
                    String::from_utf8_lossy(&self.seen)
                ),
            }
        }
    }

    /// Whether the terminal hands over lines and shows what is typed, as a shell wants it.
    pub(crate) fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.inner).unwrap().local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    pub(crate) fn child(&self) -> &Child {
        &self.child
    }

    pub(crate) fn end(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads on a thread of its own, which ends with the terminal.
fn read(mut outer: File) -> mpsc::Receiver<Vec<u8>> {
    let (to_test, written) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = outer.read(&mut buffer) {
            if to_test.send(buffer[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    written
}
