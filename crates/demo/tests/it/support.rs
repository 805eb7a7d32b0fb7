//! The program as a child process, on ports that it chooses itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Nothing here takes this long unless it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The program, with nothing of the environment that it would read.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_siding-demo"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SIDING_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").args(args);
    command
}

/// Runs the program to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    command(args).output().expect("starts")
}

/// The program as it serves; killed when dropped.
pub(crate) struct Service {
    child: Child,
    log: BufReader<ChildStderr>,
    address: SocketAddr,
    _data: TempDir,
}

impl Service {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(command(args))
    }

    /// Starts it on a free port, and reads from its log which.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let data = TempDir::new().expect("a place for tasks");
        command
            .args(["--bind", "127.0.0.1:0", "--admin", "off"])
            .arg("--data")
            .arg(data.path())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut log = BufReader::new(child.stderr.take().expect("piped"));
        let mut said = String::new();
        while !said.contains("http://") {
            let read = log.read_line(&mut said).expect("text");
            assert!(read > 0, "it ended before it listened: {said}");
        }
        let (_, address) = said.split_once("http://").expect("the address");
        let end = address
            .find(|c: char| c != '.' && c != ':' && !c.is_ascii_digit())
            .unwrap_or(address.len());
        let address = address[..end].parse().expect("an address");
        Self {
            child,
            log,
            address,
            _data: data,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Status and body of the answer to one request.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        answer(self.ask(path))
    }

    /// Status and body of the answer to a request with this JSON.
    pub(crate) fn post(&self, path: &str, json: &str) -> (u16, String) {
        let length = json.len();
        answer(self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}"
        )))
    }

    /// Sends a request, and leaves its answer to be read.
    pub(crate) fn ask(&self, path: &str) -> TcpStream {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"
        ))
    }

    fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).expect("connects");
        stream
            .set_read_timeout(Some(DEADLINE))
            .expect("takes a timeout");
        stream.write_all(request.as_bytes()).expect("sends");
        stream
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self::signal(self.pid(), signal);
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its log that has these words.
    pub(crate) fn wait_for_log(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.log.read_line(&mut line).expect("text"),
                0,
                "never said: {words}"
            );
            if line.contains(words) {
                return line;
            }
        }
    }

    pub(crate) fn exit(mut self) -> ExitStatus {
        self.child.wait().expect("ends")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already where a test waited for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a pid"), signal).expect("is there");
}

/// Status and body of an answer.
pub(crate) fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("is answered");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).expect("a status");
    (status.parse().expect("a number"), body.to_owned())
}
