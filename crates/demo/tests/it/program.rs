//! The program as a child process, whatever its role.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// The program, with nothing of the environment that it would read.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(PATH);
    clean(&mut command);
    command.args(args);
    command
}

/// Where it is.
pub(crate) const PATH: &str = env!("CARGO_BIN_EXE_siding-demo");

/// Takes out of the environment what the program would read.
pub(crate) fn clean(command: &mut Command) {
    let ours = |name: &str| name.starts_with("SIDING_") || name.starts_with("OTEL_");
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    for name in [
        "RUST_LOG",
        "DATABASE_URL",
        "DEMO_FILE",
        "EXTERNAL_API_TIMEOUT",
        "EXTERNAL_API_URL",
        "INFERENCE_TIMEOUT",
        "INFERENCE_URL",
        "MONGODB_URL",
        "REDIS_TIMEOUT",
        "REDIS_URL",
    ] {
        command.env_remove(name);
    }
    // Nobody is there. Otherwise every test would start an inference service beside its own.
    command.env("INFERENCE_URL", "http://127.0.0.1:9");
}

/// Runs the program to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    command(args).output().expect("starts")
}

/// The program as it runs, and its log; killed when dropped.
pub(crate) struct Program {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Program {
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("starts");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        Self { child, log }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self::signal(self.pid(), signal);
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its log that has these words.
    #[track_caller]
    pub(crate) fn wait_for_log(&mut self, words: &str) -> String {
        let mut said = String::new();
        loop {
            let start = said.len();
            let read = self.log.read_line(&mut said).expect("text");
            assert_ne!(read, 0, "never said {words:?}, but\n{said}");
            if said[start..].contains(words) {
                return said.split_off(start);
            }
        }
    }

    /// Waits for its end.
    pub(crate) fn exit(mut self) -> ExitStatus {
        self.child.wait().expect("ends")
    }

    /// Ends it as the kernel does, and waits until it is gone.
    pub(crate) fn kill(self) {
        self.signal(Signal::KILL);
        self.exit();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already where a test waited for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that stands still, until this is dropped: also when the test fails, as nothing else would end it.
pub(crate) struct Still(u32);

impl Still {
    pub(crate) fn new(pid: u32) -> Self {
        signal(pid, Signal::STOP);
        Self(pid)
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        // A test that fails may have ended it.
        let pid = i32::try_from(self.0).ok().and_then(Pid::from_raw);
        let _ = pid.map(|pid| kill_process(pid, Signal::CONT));
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a pid"), signal).expect("is there");
}
