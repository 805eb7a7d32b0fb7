//! A RabbitMQ of the tests' own, which may be stopped, and whose consumer timeout is short.
//!
//! One serves all tests of this program, one at a time: it takes seconds to start.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lapin::{Connection, ConnectionProperties};

/// After how long the server closes a channel with a delivery that is not acknowledged.
pub(crate) const CONSUMER_TIMEOUT: Duration = Duration::from_secs(3);

/// Debian's scripts for everybody else become another user first.
const SERVERS: [&str; 2] = ["/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server"];

static NODE: Mutex<Option<Node>> = Mutex::new(None);

/// The server's guard, which ends with this program, however that ends.
pub(crate) struct Node {
    port: u16,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    _guard: Child,
}

/// The server, for one test. It runs when the test gets it.
pub(crate) struct Lent(MutexGuard<'static, Option<Node>>);

/// How it is stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    /// As an operator does it.
    Orderly,
    /// In the middle of whatever it does.
    Kill,
}

impl Lent {
    /// Waits for whoever has it, starts it if nobody had it before, or says why there is none.
    pub(crate) fn wait() -> Result<Self, String> {
        // A test that failed left it running, or not: it is not lent again.
        let mut node = NODE.lock().unwrap_or_else(PoisonError::into_inner);
        if node.is_none() {
            *node = Some(Node::start()?);
        }
        Ok(Self(node))
    }

    fn node(&mut self) -> &mut Node {
        self.0.as_mut().unwrap()
    }

    pub(crate) fn port(&mut self) -> u16 {
        self.node().port
    }

    /// Stops the server, and returns once it has ended.
    pub(crate) fn stop(&mut self, how: Stop) {
        let order = match how {
            Stop::Orderly => "stop",
            Stop::Kill => "kill",
        };
        self.node().tell(order);
    }

    /// Starts the server again, and returns once it answers.
    pub(crate) async fn start(&mut self) {
        self.node().tell("start");
        self.answers().await;
    }

    /// Returns once the server answers.
    pub(crate) async fn answers(&mut self) {
        let url = format!("amqp://guest:guest@127.0.0.1:{}/%2F", self.port());
        while Connection::connect(&url, ConnectionProperties::default())
            .await
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Whatever state the test has left it in.
            *self.0 = None;
        }
    }
}

impl Node {
    /// Starts it, and does not wait until it answers.
    fn start() -> Result<Self, String> {
        let server = SERVERS.into_iter().find(|server| can_run(server));
        let server = server.ok_or("there is no rabbitmq-server, or no epmd, to start")?;
        let [port, distribution, epmd] = free_ports();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/celery/node/guard.sh");
        let mut guard = Command::new("sh")
            .arg(script)
            .args([server, &*port.to_string()])
            .env("DIST_PORT", distribution.to_string())
            .env("ERL_EPMD_PORT", epmd.to_string())
            .env(
                "CONSUMER_TIMEOUT_MS",
                CONSUMER_TIMEOUT.as_millis().to_string(),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What is typed at the terminal is for this program.
            .process_group(0)
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut node = Self {
            port,
            orders: guard.stdin.take().unwrap(),
            answers: BufReader::new(guard.stdout.take().unwrap()),
            _guard: guard,
        };
        node.tell("start");
        Ok(node)
    }

    /// Returns once it is done.
    fn tell(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim_end(), order);
    }
}

/// Whether there is this server, and what its nodes need.
fn can_run(server: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v epmd && command -v \"$0\"", server])
        .stdout(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

/// Ports that nobody listens on now.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
