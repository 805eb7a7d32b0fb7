//! Threads that are really stuck, in every way that a handler gets stuck.

use std::cell::Cell;
use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::*;

/// Longer than any machine takes, so that running out of it is a fact about the code.
const PATIENCE: Duration = Duration::from_secs(30);

/// A thread that does `work`, known as the guard knows its workers. It is not waited for: most are stuck for good.
struct Subject {
    tid: Tid,
    bounds: StackBounds,
}

impl Subject {
    fn doing(work: impl FnOnce() + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            sender
                .send((Tid::current(), StackBounds::current().unwrap()))
                .unwrap();
            work();
        });
        let (tid, bounds) = receiver.recv().unwrap();
        Self { tid, bounds }
    }

    fn probe(&self) -> ThreadProbe {
        ThreadProbe::open(self.tid)
    }

    fn blocked_on(&self) -> Option<String> {
        match self.probe().activity().unwrap() {
            Activity::InSyscall(call) => Some(BlockedOn::read(&call).to_string()),
            Activity::Running | Activity::BlockedElsewhere => None,
        }
    }
}
