//! What several tests need. Order is forced by channels; a deadline only keeps a broken test from hanging.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use siding::{App, Drained, Running, Settings};

/// Nothing here takes this long unless it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Settings for tests: free ports, and a runtime that starts quickly.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings {
        bind: (Ipv4Addr::LOCALHOST, 0).into(),
        admin: None,
        ..Settings::default()
    };
    settings.runtime.event_loop_threads = 2;
    settings.runtime.relief_threads = 4;
    settings.limits.max_connections = 1_000;
    settings.limits.drain_grace = Duration::from_millis(20);
    settings.limits.drain_limit = DEADLINE;
    settings
}

/// Starts an application with the settings for tests.
pub(crate) fn start(app: App) -> Service {
    start_with(app, |_| {})
}

/// Starts an application with settings of its own.
pub(crate) fn start_with(app: App, change: impl FnOnce(&mut Settings)) -> Service {
    let mut settings = settings();
    change(&mut settings);
    let running = app.with_settings(settings).start().expect("starts");
    Service(Some(running))
}

/// A running application, drained when it is dropped, so that a request left hanging fails its test.
pub(crate) struct Service(Option<Running>);

impl Service {
    pub(crate) fn running(&self) -> &Running {
        self.0.as_ref().expect("running until it is drained")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running().address()
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address()).expect("connects")
    }

    /// One request on a connection of its own.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.connect().get(path)
    }

    pub(crate) fn drain(mut self) -> Drained {
        let running = self.0.take().expect("running until it is drained");
        running.drain(std::future::pending())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(running) = self.0.take()
            && !std::thread::panicking()
        {
            assert_eq!(running.drain(std::future::pending()), Drained::Complete);
        }
    }
}

/// An HTTP/1.1 client that sends what it is told, byte by byte.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    #[track_caller]
    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
        self.reply()
    }

    #[track_caller]
    pub(crate) fn post(&mut self, path: &str, body: &str) -> Reply {
        let length = body.len();
        self.send(format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
        self.reply()
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("sends");
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    #[track_caller]
    pub(crate) fn reply(&mut self) -> Reply {
        self.try_reply().expect("is answered")
    }

    pub(crate) fn try_reply(&mut self) -> io::Result<Reply> {
        let mut reply = self.try_head()?;
        let length = reply
            .header("content-length")
            .map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        reply.body = String::from_utf8(body).expect("text");
        Ok(reply)
    }

    /// Status and headers of a response, whose body is left unread.
    pub(crate) fn try_head(&mut self) -> io::Result<Reply> {
        let status_line = self.line()?;
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Reply {
            status,
            headers,
            body: String::new(),
        })
    }

    /// The next chunk of a body that comes in chunks; `None` at its end.
    #[track_caller]
    pub(crate) fn chunk(&mut self) -> Option<String> {
        let length = self.line().expect("a chunk");
        let length = usize::from_str_radix(&length, 16).expect("the length of a chunk");
        let mut chunk = vec![0; length + "\r\n".len()];
        self.stream.read_exact(&mut chunk).expect("arrives");
        chunk.truncate(length);
        (length > 0).then(|| String::from_utf8(chunk).expect("text"))
    }

    /// Reads so many bytes of a body, and throws them away.
    #[track_caller]
    pub(crate) fn skip(&mut self, bytes: usize) {
        let body = (&mut self.stream).take(bytes as u64);
        let read = io::copy(&mut { body }, &mut io::sink()).expect("arrives");
        assert_eq!(read, bytes as u64);
    }

    /// Whether the server closes the connection without another byte.
    #[track_caller]
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    /// Everything until the server closes the connection.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).expect("text");
        rest
    }

    /// Whether an answer arrives within a moment. A `false` is no proof, so it only ever supports another fact.
    pub(crate) fn is_answered_within(&mut self, moment: Duration) -> bool {
        let stream = self.stream.get_ref();
        stream.set_read_timeout(Some(moment)).expect("a timeout");
        let answered = self.stream.fill_buf().is_ok();
        let stream = self.stream.get_ref();
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        answered
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// That this is a problem with this status, and a detail with these words.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string());
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(words), "{detail:?} lacks {words:?}");
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
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// An address that nobody listens on.
#[cfg(feature = "inference")]
pub(crate) fn nobody() -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("has one")
}

/// Says that a test was left out, and fails it where none may be.
#[track_caller]
pub(crate) fn leave_out(why: &str) {
    assert!(
        std::env::var("SIDING_TEST_SERVICES").as_deref() != Ok("required"),
        "{why}"
    );
    #[expect(
        clippy::print_stderr,
        reason = "the only way to tell whoever runs the tests"
    )]
    {
        eprintln!("left out: {why}");
    }
}
