//! A server process that ends with its owner.

use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to drain before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// Between two looks at whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A child process that is ended when this is dropped, on every path: the end of a case, an
/// error, Ctrl-C.
///
/// It gets SIGTERM, five seconds to drain, then SIGKILL; both go to exactly this process. Dropping
/// blocks the thread until it is gone, so that the next server finds the machine quiet.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
}

impl ServerProcess {
    /// Takes over `child`.
    #[must_use]
    pub fn new(child: Child) -> Self {
        Self { child }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    fn ends_within(&mut self, limit: Duration) -> bool {
        let asked = Instant::now();
        while asked.elapsed() < limit {
            if self.ended().is_some() {
                return true;
            }
            thread::park_timeout(LOOK);
        }
        false
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        // The child has not been waited for, so its id still is its own.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        if !self.ends_within(GRACE) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn is_alive(pid: u32) -> bool {
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::test_kill_process(pid).is_ok()
    }

    #[test]
    fn dropping_ends_the_child() {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        let process = ServerProcess::new(child);
        let pid = process.id();
        assert!(is_alive(pid));
        drop(process);
        assert!(!is_alive(pid));
    }

    #[test]
    fn tells_how_a_child_ended() {
        let mut process = ServerProcess::new(Command::new("true").spawn().unwrap());
        assert!(process.ends_within(GRACE));
        assert_eq!(process.ended().as_deref(), Some("exit status: 0"));
    }
}
