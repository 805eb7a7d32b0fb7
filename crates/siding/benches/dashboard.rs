//! Requests a second to `/hello` while the dashboard listens, over those while nobody does, in an application of 1,000 routes.
//!
//! `cargo bench -p siding --bench dashboard [-- PAIRS]` (10 unless given) measures alternately for two seconds each, prints the median of the
//! ratios, and fails when that is below 0.97.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark reports on the terminal, and panics when it cannot go on"
)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use siding::{App, Running, Settings, get};

const ROUTES: usize = 1_000;
/// Connections with one request each under way.
const CONNECTIONS: usize = 32;
const SPAN: Duration = Duration::from_secs(2);
const AT_LEAST: f64 = 0.97;

fn main() -> ExitCode {
    let pairs = std::env::args().find_map(|argument| argument.parse().ok());
    let running = start();
    // So that there is something to tell of each route.
    for route in 0..ROUTES {
        Asking::begin(running.address(), &format!("/routes/{route}")).again();
    }
    let rate = || rate(running.address());
    rate();
    let mut ratios: Vec<f64> = (0..pairs.unwrap_or(10))
        .map(|pair| {
            let (open, closed) = if pair % 2 == 0 {
                (listening(&running, rate), rate())
            } else {
                let closed = rate();
                (listening(&running, rate), closed)
            };
            println!(
                "  open {open:8.0} /s  closed {closed:8.0} /s  ratio {:.3}",
                open / closed
            );
            open / closed
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    println!("median {median:.3}, must be at least {AT_LEAST}");
    if median >= AT_LEAST {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn start() -> Running {
    let app = (0..ROUTES).fold(App::new("bench"), |app, route| {
        app.route(&format!("/routes/{route}"), get(|| async { "route" }))
    });
    let settings = Settings {
        bind: (Ipv4Addr::LOCALHOST, 0).into(),
        admin: Some((Ipv4Addr::LOCALHOST, 0).into()),
        ..Settings::default()
    };
    let app = app.route("/hello", get(|| async { "hello" }));
    app.with_settings(settings).start().unwrap()
}

/// What `measure` finds while somebody listens, who takes all events.
fn listening(running: &Running, measure: impl FnOnce() -> f64) -> f64 {
    let stream = TcpStream::connect(running.admin_address().unwrap()).unwrap();
    (&stream)
        .write_all(b"GET /api/live HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    let mut taken = stream.try_clone().unwrap();
    let taking = thread::spawn(move || std::io::copy(&mut taken, &mut std::io::sink()));
    let measured = measure();
    stream.shutdown(Shutdown::Both).unwrap();
    let bytes = taking.join().unwrap().unwrap();
    assert!(bytes > 100_000, "a snapshot of so many routes is longer");
    measured
}

/// Answers a second of `/hello`.
fn rate(address: SocketAddr) -> f64 {
    let began = Instant::now();
    let asking: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            thread::spawn(move || {
                let mut asking = Asking::begin(address, "/hello");
                let mut answers = 1_u32;
                while began.elapsed() < SPAN {
                    asking.again();
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    let answers: u32 = asking
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    f64::from(answers) / began.elapsed().as_secs_f64()
}

/// A connection that asks for one path again and again.
struct Asking {
    stream: TcpStream,
    request: String,
    answer: Vec<u8>,
}

impl Asking {
    /// Asks once, to learn how long the answers are.
    fn begin(address: SocketAddr, path: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = vec![0; 4_096];
        let length = stream.read(&mut answer).unwrap();
        answer.truncate(length);
        assert!(answer.starts_with(b"HTTP/1.1 200"));
        Self {
            stream,
            request,
            answer,
        }
    }

    fn again(&mut self) {
        self.stream.write_all(self.request.as_bytes()).unwrap();
        self.stream.read_exact(&mut self.answer).unwrap();
    }
}
