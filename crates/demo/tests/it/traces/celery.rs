//! One trace with Celery, whose workers and clients are instrumented by OpenTelemetry's own package.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use super::collector::{Collector, Kind};
use super::{ask, assert_below, trace, traced};
use crate::program::Program;
use crate::support::{Service, leave_out};

const REDIS: &str = "redis://127.0.0.1:6379/7";

/// The script's interpreter, with a broker to talk over.
fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/telemetry/bin/python");
    if !python.exists() {
        leave_out("no target/telemetry: run crates/siding/tests/python/telemetry_venv.sh");
        return None;
    }
    if std::net::TcpStream::connect("127.0.0.1:6379").is_err() {
        leave_out("nothing answers on 127.0.0.1:6379");
        return None;
    }
    Some(python)
}

fn script(python: &Path, role: &str, collector: &Collector, broker: &Broker) -> Command {
    let mut command = Command::new(python);
    command
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/traces/traced_celery.py"
        ))
        .args([role, REDIS, &broker.prefix, &collector.url()])
        .stdin(Stdio::null());
    command
}

/// Keys of the test's own on the broker, which are taken away at its end.
struct Broker {
    prefix: String,
    python: PathBuf,
}

impl Broker {
    fn new(python: &Path) -> Self {
        Self {
            prefix: format!("traces-{}:", uuid::Uuid::new_v4()),
            python: python.to_owned(),
        }
    }

    fn flags(&self) -> [&str; 4] {
        ["--broker", REDIS, "--key-prefix", &self.prefix]
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let clean = "import sys, redis; r = redis.Redis.from_url(sys.argv[1]); \
                     [r.delete(key) for key in r.scan_iter(sys.argv[2] + '*')]";
        let args = ["-c", clean, REDIS, &self.prefix];
        // Nobody is left to be told.
        let _ = Command::new(&self.python).args(args).status();
    }
}

#[test]
fn a_python_worker_joins_the_request_that_sent_its_task() {
    let Some(python) = python() else { return };
    let (collector, broker) = (Collector::start(), Broker::new(&python));
    let args = [&broker.flags()[..], &["--no-worker"]].concat();
    let service = Service::spawn(traced(&args, &collector));
    let _worker = Program::spawn(script(&python, "worker", &collector, &broker));
    let call = r#"{"args": ["traced"], "queue": "python"}"#;
    assert_eq!(
        ask(&service, "POST /tasks/python.echo", &trace(1), call),
        202
    );
    let request = collector.span(&trace(1), "POST /tasks/{name}");
    let sent = collector.span(&trace(1), "apply_async/python.echo");
    assert_below(&sent, &request);
    let ran = collector.span(&trace(1), "run/python.echo");
    assert_below(&ran, &sent);
    assert_eq!((ran.kind, &*ran.service), (Kind::Consumer, "python"));
}

#[test]
fn a_python_client_is_joined_by_the_task_that_it_sent() {
    let Some(python) = python() else { return };
    let (collector, broker) = (Collector::start(), Broker::new(&python));
    let data = TempDir::new().expect("a place for the users");
    let mut worker = traced(&[&["worker"][..], &broker.flags()].concat(), &collector);
    worker.arg("--data").arg(data.path());
    let _worker = Program::spawn(worker);
    let client = script(&python, "client", &collector, &broker).output();
    let client = client.expect("starts");
    assert!(
        client.status.success(),
        "{}",
        String::from_utf8_lossy(&client.stderr)
    );
    let said = String::from_utf8_lossy(&client.stdout);
    let trace = said.trim();
    let root = collector.span(trace, "client");
    let sent = collector.span(trace, "apply_async/add");
    assert_below(&sent, &root);
    let ran = collector.span(trace, "run/add");
    assert_below(&ran, &sent);
    assert_eq!((ran.kind, &*ran.service), (Kind::Consumer, "siding-demo"));
    assert_eq!(ran.attribute("messaging.system"), json!("redis"));
}
