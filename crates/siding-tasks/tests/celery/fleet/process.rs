//! A Python process, and the lines that it says.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::sync::mpsc;

use super::space::REDIS;
use super::{SOON, Space};

/// A process in a group of its own, all of which is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    /// What it has said so far on its standard error.
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts Python with these arguments. Both of its outputs are its lines.
    pub(super) fn start(space: &Space, role: &str, arguments: &[&str]) -> Self {
        Self::start_with(&space.python, space, role, arguments)
    }

    /// The same with another Python than the space's.
    pub(super) fn start_with(python: &Path, space: &Space, role: &str, arguments: &[&str]) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/celery/python");
        let mut child = Command::new(python)
            .args(arguments)
            .current_dir(directory)
            .env("SIDING_TEST_CONF", space.conf().to_string())
            .env("SIDING_TEST_REDIS", REDIS)
            .env("SIDING_TEST_PREFIX", &space.settings.key_prefix)
            .env("SIDING_TEST_ROLE", role)
            .env("FLOWER_UNAUTHENTICATED_API", "true")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let (said, lines) = mpsc::unbounded_channel();
        let log = Arc::new(Mutex::new(String::new()));
        read(child.stdout.take().unwrap(), said.clone(), None);
        read(child.stderr.take().unwrap(), said, Some(Arc::clone(&log)));
        Self { child, lines, log }
    }

    pub(super) fn tell(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
    }

    /// The next line that `wanted` makes something of.
    pub(crate) async fn hear<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> T {
        loop {
            let Some(line) = self.lines.recv().await else {
                panic!("the process has ended; it said:\n{}", self.log());
            };
            if let Some(found) = wanted(&line) {
                return found;
            }
        }
    }

    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends a signal to it alone, and not to its children.
    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// How it ended, once it and its children have.
    pub(super) async fn ended(&mut self) -> ExitStatus {
        let silent = async { while self.lines.recv().await.is_some() {} };
        tokio::time::timeout(SOON, silent)
            .await
            .unwrap_or_else(|_| panic!("the process does not end; it said:\n{}", self.log()));
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("a Python process said:\n{}", self.log());
        }
    }
}

fn read(
    pipe: impl Read + Send + 'static,
    said: mpsc::UnboundedSender<String>,
    log: Option<Arc<Mutex<String>>>,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            if let Some(log) = &log {
                let mut log = log.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
            // Nobody may be listening any more.
            let _ = said.send(line);
        }
    });
}
