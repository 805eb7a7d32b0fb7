//! Which kind of file something is: the service as a process of the demo's, and answers that agree with Magika's own.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::children::{children, is_running};
use crate::program::{Still, command, signal};
use crate::support::{DEADLINE, Service, assert_problem, eventually, json, leave_out, nobody};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/identify.py");

/// Python with Magika, where it is installed.
fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/venvs/magika/bin/python");
    if !python.exists() {
        leave_out("Magika for Python is missing (crates/demo/tests/python/venv.sh installs it)");
        return None;
    }
    Some(python)
}

/// The demo with a service of its own.
fn with_service() -> Service {
    let mut command = command(&[]);
    command.env_remove("INFERENCE_URL");
    // It is a build for tests, on a machine that runs others.
    command.env("INFERENCE_TIMEOUT", LONG.as_secs().to_string());
    Service::spawn(command)
}

/// A deadline that a service which runs does not miss.
const LONG: Duration = Duration::from_secs(30);

/// Status and JSON of the answer to a file.
pub(crate) fn predict(service: &Service, file: &[u8]) -> (u16, Value) {
    let (head, body) = ask(service, file);
    (status(&head), json(&body))
}

/// Head and body of the answer to a file.
fn ask(service: &Service, file: &[u8]) -> (String, String) {
    let head = format!(
        "POST /predict HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        file.len()
    );
    let mut stream = crate::support::send(service.address(), &head);
    stream.write_all(file).expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("is answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_ascii_lowercase(), body.to_owned())
}

fn status(head: &str) -> u16 {
    let status = head.split(' ').nth(1).expect("a status");
    status.parse().expect("a number")
}

/// Waits until a service other than `before` answers, and returns its process.
pub(crate) fn wait_for_service(service: &Service, before: Option<u32>) -> u32 {
    let process = eventually("it is started", || {
        let children = children(service.pid());
        children.into_iter().find(|child| Some(*child) != before)
    });
    eventually("the model answers", || {
        (predict(service, PYTHON).0 == 200).then_some(())
    });
    process
}

pub(crate) const PYTHON: &[u8] =
    b"import sys\n\ndef main():\n    print(sys.argv)\n\nif __name__ == '__main__':\n    main()\n";

/// Files of several kinds, short, long, padded and random.
fn files() -> Vec<Vec<u8>> {
    let own = |path: &str| std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
    let mut files: Vec<Vec<u8>> = vec![
        vec![],
        b"short".to_vec(),
        b"\xff\x00\x01".to_vec(),
        b"   \n\x0b\x0c  tiny \r\n\t".to_vec(),
        vec![b' '; 9_000],
        PYTHON.to_vec(),
        [&b" \n\t".repeat(1_000), PYTHON, &b"\n".repeat(5_000)].concat(),
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n%%EOF\n".to_vec(),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89".to_vec(),
        b"<!DOCTYPE html><html><head><title>Hello</title></head><body><p>Hello</p></body></html>"
            .to_vec(),
        br#"{"name": "siding", "values": [1, 2, 3], "nested": {"a": null}}"#.to_vec(),
        b"#!/bin/sh\nset -e\nfor i in 1 2 3; do\n  echo \"$i\"\ndone\n".to_vec(),
        b"PK\x03\x04\x14\0\0\0\x08\0".repeat(40),
        b"name,age\nAnn,30\nBob,40\n".repeat(300),
        "Grüße aus Köln. Das ist ein ganz gewöhnlicher Text.\n"
            .repeat(200)
            .into_bytes(),
    ];
    let random = (0..10_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]);
    files.push(random.collect());
    for path in [
        "Cargo.toml",
        "src/main.rs",
        "src/app.rs",
        "tests/python/identify.py",
    ] {
        files.push(own(path).expect("is in the repository"));
    }
    files
}

#[test]
fn predictions_agree_with_magikas_own() {
    let Some(python) = python() else { return };
    let service = with_service();
    let place = TempDir::new().expect("a place");
    wait_for_service(&service, None);
    let files = files();
    let mut identify = Command::new(python);
    identify.arg(SCRIPT);
    for (number, file) in files.iter().enumerate() {
        let path = place.path().join(number.to_string());
        std::fs::write(&path, file).expect("is written");
        identify.arg(path);
    }
    let said = identify.output().expect("runs");
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    let said = String::from_utf8(said.stdout).expect("text");
    let expected: Vec<Value> = said.lines().map(json).collect();
    assert_eq!(expected.len(), files.len());
    for (file, expected) in files.iter().zip(expected) {
        let (status, mut predicted) = predict(&service, file);
        assert_eq!(status, 200, "{predicted}");
        let scores = [&predicted, &expected].map(|said| said["score"].as_f64().expect("a score"));
        assert!(
            (scores[0] - scores[1]).abs() < 1e-5,
            "{predicted} {expected}"
        );
        predicted["score"] = expected["score"].clone();
        assert_eq!(predicted, expected);
    }
}

#[test]
fn a_service_that_is_killed_comes_back_and_ends_with_the_demo() {
    let mut service = with_service();
    let first = wait_for_service(&service, None);
    signal(first, Signal::KILL);
    let line = service.wait_for_log("ended: ");
    assert!(line.contains(&first.to_string()), "{line}");
    assert_eq!(service.get("/health").0, 200);
    let second = wait_for_service(&service, Some(first));
    // As the kernel ends the demo itself: it cannot say goodbye.
    service.signal(Signal::KILL);
    eventually("the service ends too", || {
        (!is_running(second, None)).then_some(())
    });
}

/// Callers that ask all the time.
struct Load {
    /// What they may be answered.
    statuses: &'static [u16],
    /// The client's deadline.
    deadline: Duration,
    is_over: AtomicBool,
    answered: AtomicU64,
    /// Told to come back, or that it took too long.
    refused: AtomicU64,
}

/// Ends a load also when the test fails: its callers would ask for ever.
struct EndOf<'a>(&'a Load);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

impl Load {
    fn new(statuses: &'static [u16], deadline: Duration) -> Self {
        Self {
            statuses,
            deadline,
            is_over: AtomicBool::default(),
            answered: AtomicU64::default(),
            refused: AtomicU64::default(),
        }
    }

    /// Asks for predictions. Each is right, or says when to come back, or that the deadline passed, and none hangs beyond it: the machine
    /// may be busy, and is given the time that a test has.
    fn predict(&self, service: &Service) {
        while !self.is_over.load(Ordering::Relaxed) {
            let began = Instant::now();
            let (head, body) = ask(service, PYTHON);
            assert!(began.elapsed() < self.deadline + DEADLINE, "{head}");
            let status = status(&head);
            assert!(self.statuses.contains(&status), "{head} {body}");
            let counter = match status {
                200 => {
                    assert_eq!(json(&body)["label"], "python", "{body}");
                    &self.answered
                }
                503 => {
                    assert!(head.contains("\r\nretry-after: "), "{head}");
                    &self.refused
                }
                _ => &self.refused,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Asks for `/health`, which is well whatever happens.
    fn health(&self, service: &Service) {
        while !self.is_over.load(Ordering::Relaxed) {
            assert_eq!(service.get("/health").0, 200);
        }
    }

    /// Runs it beside `work`.
    fn during(&self, service: &Service, work: impl FnOnce()) {
        std::thread::scope(|scope| {
            let _end = EndOf(self);
            for _ in 0..4 {
                scope.spawn(|| self.predict(service));
            }
            scope.spawn(|| self.health(service));
            work();
        });
    }
}

/// Waits until one more is answered, or refused.
fn wait_for_more(what: &str, counter: &AtomicU64) {
    let before = counter.load(Ordering::Relaxed);
    eventually(what, || {
        (counter.load(Ordering::Relaxed) > before).then_some(())
    });
}

#[test]
fn under_load_a_killed_service_costs_refusals_until_it_is_back() {
    let service = with_service();
    let first = wait_for_service(&service, None);
    let load = Load::new(&[200, 503], LONG);
    load.during(&service, || {
        wait_for_more("a prediction", &load.answered);
        signal(first, Signal::KILL);
        wait_for_more("a refusal", &load.refused);
        wait_for_service(&service, Some(first));
        wait_for_more("a prediction of the new one", &load.answered);
    });
}

#[test]
fn under_load_a_service_that_stands_still_costs_refusals_until_it_goes_on() {
    let mut command = command(&[]);
    command.env_remove("INFERENCE_URL");
    command.env("INFERENCE_TIMEOUT", "2");
    let service = Service::spawn(command);
    let process = wait_for_service(&service, None);
    // Whoever asks before the breaker opens waits in vain.
    let load = Load::new(&[200, 503, 504], Duration::from_secs(2));
    load.during(&service, || {
        let still = Still::new(process);
        wait_for_more("a refusal", &load.refused);
        drop(still);
        wait_for_more("a prediction", &load.answered);
    });
}

#[test]
fn a_demo_that_drains_stops_its_service() {
    let service = with_service();
    let process = wait_for_service(&service, None);
    service.signal(Signal::TERM);
    assert!(service.exit().success());
    assert!(!is_running(process, None));
}

#[test]
fn a_service_that_is_down_is_503_and_nothing_else_notices() {
    let mut command = command(&["--admin", "127.0.0.1:0"]);
    command.env(
        "INFERENCE_URL",
        format!("http://me:hush@127.0.0.1:{}", nobody()),
    );
    let mut service = Service::spawn(command);
    let admin = service.admin_address();
    for _ in 0..5 {
        let answer = predict(&service, PYTHON);
        assert_problem(&answer, 503, "not available at the moment");
        assert_eq!(service.get("/health").0, 200);
    }
    // What needs no model is answered without it.
    assert_eq!(predict(&service, b"short").1["label"], "txt");
    let upstream = crate::support::get_json(admin, "/api/upstreams").1["upstreams"][0].clone();
    assert_eq!(upstream["state"], "open", "{upstream}");
    assert!(!upstream.to_string().contains("hush"), "{upstream}");
    assert_eq!(crate::support::get_json(admin, "/ready").0, 200);
}

#[test]
fn a_service_that_says_nothing_is_given_up_at_the_deadline() {
    // The kernel takes its connections, and nobody reads from them.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("has one");
    let mut command = command(&[]);
    command.env("INFERENCE_URL", format!("http://{address}"));
    command.env("INFERENCE_TIMEOUT", "0.2");
    let service = Service::spawn(command);
    for _ in 0..3 {
        let began = Instant::now();
        assert_problem(&predict(&service, PYTHON), 504, "deadline");
        assert!(began.elapsed() < DEADLINE);
        assert_eq!(service.get("/health").0, 200);
    }
    assert_problem(
        &predict(&service, PYTHON),
        503,
        "not available at the moment",
    );
}
