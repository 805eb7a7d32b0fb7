//! The program as a service, on ports that it chooses itself.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Program, command};

/// Nothing here takes this long unless it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The program as it serves; killed when dropped.
pub(crate) struct Service {
    program: Program,
    address: SocketAddr,
    _data: Option<TempDir>,
}

impl Service {
    /// Starts it with a data directory of its own.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(command(args))
    }

    /// The same, of a command that may have an environment.
    pub(crate) fn spawn(command: Command) -> Self {
        let data = TempDir::new().expect("a place for tasks");
        let service = Self::spawn_on(data.path(), command);
        Self {
            _data: Some(data),
            ..service
        }
    }

    /// Starts it with a data directory that others may use too.
    #[track_caller]
    pub(crate) fn start_on(data: &Path, args: &[&str]) -> Self {
        Self::spawn_on(data, command(args))
    }

    /// Starts it on a free port, and reads from its log which. It has an admin listener only where it is told so.
    #[track_caller]
    pub(crate) fn spawn_on(data: &Path, mut command: Command) -> Self {
        command
            .args(["--bind", "127.0.0.1:0"])
            .arg("--data")
            .arg(data);
        if !command.get_args().any(|arg| arg == "--admin") {
            command.args(["--admin", "off"]);
        }
        let mut program = Program::spawn(command);
        let address = address_in(&program.wait_for_log("http://"));
        Self {
            program,
            address,
            _data: None,
        }
    }

    /// Where its admin listener is: the next thing that it says, when it has one.
    pub(crate) fn admin_address(&mut self) -> SocketAddr {
        address_in(&self.wait_for_log("admin listener"))
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
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}"
        )))
    }

    /// Status and JSON of the answer to one request.
    #[track_caller]
    pub(crate) fn get_json(&self, path: &str) -> (u16, Value) {
        get_json(self.address, path)
    }

    /// The same of a request with this JSON.
    #[track_caller]
    pub(crate) fn post_json(&self, path: &str, body: &str) -> (u16, Value) {
        let (status, body) = self.post(path, body);
        (status, json(&body))
    }

    /// Status and body of the answer to a request with this body.
    pub(crate) fn put(&self, path: &str, body: &str) -> (u16, String) {
        let length = body.len();
        answer(self.send(&format!(
            "PUT {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )))
    }

    /// Checks that a request is answered with a problem that has these words in its detail.
    #[track_caller]
    pub(crate) fn check_problem(&self, path: &str, status: u16, words: &str) {
        let (answered, body) = self.get(path);
        assert_problem(&(answered, json(&body)), status, words);
    }

    /// Sends a request, and leaves its answer to be read.
    pub(crate) fn ask(&self, path: &str) -> TcpStream {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        ))
    }

    fn send(&self, request: &str) -> TcpStream {
        send(self.address, request)
    }

    /// What became of a task, once it is ready.
    #[track_caller]
    pub(crate) fn outcome(&self, id: &str) -> (u16, Value) {
        eventually("the task is ready", || {
            let (status, body) = self.get(&format!("/result/{id}"));
            let body = json(&body);
            (body["status"] != "processing").then_some((status, body))
        })
    }

    /// Starts a task, and returns its id.
    #[track_caller]
    pub(crate) fn start_task(&self, name: &str, call: &str) -> String {
        let (status, body) = self.post(&format!("/tasks/{name}"), call);
        assert_eq!(status, 202, "{body}");
        json(&body)["task_id"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn exit(self) -> ExitStatus {
        self.program.exit()
    }

    pub(crate) fn kill(self) {
        self.program.kill();
    }
}

impl Deref for Service {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for Service {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}

/// The address in a line of the log.
fn address_in(line: &str) -> SocketAddr {
    let (_, address) = line.split_once("http://").expect("the address");
    let end = address
        .find(|c: char| c != '.' && c != ':' && !c.is_ascii_digit())
        .unwrap_or(address.len());
    address[..end].parse().expect("an address")
}

/// Sends a request, and leaves its answer to be read.
pub(crate) fn send(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("takes a timeout");
    stream.write_all(request.as_bytes()).expect("sends");
    stream
}

/// Status and JSON of the answer to one request.
#[track_caller]
pub(crate) fn get_json(address: SocketAddr, path: &str) -> (u16, Value) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let (status, body) = answer(send(address, &request));
    (status, json(&body))
}

#[track_caller]
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Checks that an answer is a problem with these words in its detail.
#[track_caller]
pub(crate) fn assert_problem(answer: &(u16, Value), status: u16, words: &str) {
    assert_eq!(answer.0, status, "{}", answer.1);
    assert_eq!(answer.1["status"], status, "{}", answer.1);
    let detail = answer.1["detail"].as_str().expect("a detail");
    assert!(detail.contains(words), "{detail:?} lacks {words:?}");
}

/// Says that a test was left out, and fails it where none may be.
#[track_caller]
pub(crate) fn leave_out(why: &str) {
    assert!(
        std::env::var("SIDING_TEST_SERVICES").as_deref() != Ok("required"),
        "{why}"
    );
    say_left_out(why);
}

/// Says that a test was left out.
pub(crate) fn say_left_out(why: &str) {
    #[expect(
        clippy::print_stderr,
        reason = "the only way to tell whoever runs the tests"
    )]
    {
        eprintln!("left out: {why}");
    }
}

/// Asks again until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    eventually_within(DEADLINE, what, ask)
}

/// The same, of what takes a debug build longer.
#[track_caller]
pub(crate) fn eventually_within<T>(
    deadline: Duration,
    what: &str,
    mut ask: impl FnMut() -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < deadline, "never happened: {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Status and body of an answer.
pub(crate) fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("is answered");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).expect("a status");
    (status.parse().expect("a number"), body.to_owned())
}

/// A port that nobody listens on.
pub(crate) fn nobody() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("has one").port()
}
