//! What several tests need. A deadline only keeps a broken test from hanging.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use siding::{Running, Settings};
use siding_inference::{Runtime, Service};

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The models that are committed with the tests.
pub(crate) fn test_models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

/// The models that the repository ships.
pub(crate) fn shipped_models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

/// A server that is quick to end, and takes a megabyte at most.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings {
        bind: (Ipv4Addr::LOCALHOST, 0).into(),
        admin: None,
        ..Settings::default()
    };
    settings.limits.drain_grace = Duration::from_millis(20);
    settings.limits.max_body_bytes = 1024 * 1024;
    settings.limits.max_connections = 100;
    settings
}

/// Serves the models in a directory, and looks at it all the time.
pub(crate) fn serve(models: &Path) -> Running {
    serve_with(models, siding_inference::runtime::built_in())
}

/// Serves the models in a directory with these runtimes.
pub(crate) fn serve_with(models: &Path, runtimes: Vec<Arc<dyn Runtime>>) -> Running {
    let mut service = Service::new(models);
    service.runtimes = runtimes;
    service.look_every = Duration::from_millis(5);
    service
        .app()
        .with_settings(settings())
        .start()
        .expect("starts")
}

/// What the Python packages of the tests are in, if they are there.
pub(crate) fn python() -> Option<PathBuf> {
    let environment = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/inference/venv");
    environment.exists().then_some(environment)
}

/// ONNX Runtime's library: the one that the environment names, or the one that Python's package brings along.
#[cfg(feature = "ort")]
pub(crate) fn onnx_runtime_library() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("ORT_DYLIB_PATH") {
        return Some(named.into());
    }
    let beside = |folder: PathBuf, prefix: &str| {
        let entries = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
        let mut paths = entries.map(|entry| entry.path());
        paths.find(|path| {
            let name = path.file_name().map(std::ffi::OsStr::to_string_lossy);
            name.is_some_and(|name| name.starts_with(prefix))
        })
    };
    let packages = beside(python()?.join("lib"), "python3")?.join("site-packages");
    beside(
        packages.join("onnxruntime/capi"),
        &format!("{}onnxruntime.", std::env::consts::DLL_PREFIX),
    )
}

/// Copies models, so that a test may change them.
pub(crate) fn copy(model: &str, to: &Path) {
    let from = test_models().join(model);
    for version in std::fs::read_dir(&from).expect("is there") {
        let version = version.expect("can be read").path();
        if version.is_dir() {
            let folder = to
                .join(model)
                .join(version.file_name().expect("has a name"));
            std::fs::create_dir_all(&folder).expect("made");
            std::fs::copy(version.join("model.onnx"), folder.join("model.onnx")).expect("copied");
        }
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: Vec<String>,
    pub(crate) body: Value,
}

impl Reply {
    /// A header's value; its name is in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut fields = self.head.iter().filter_map(|line| line.split_once(": "));
        let field = fields.find(|(found, _)| found.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.trim_end().to_owned())
    }
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Reply {
    exchange(address, &format!("GET {path} HTTP/1.1\r\n"), b"")
}

pub(crate) fn post(address: SocketAddr, path: &str, body: &[u8]) -> Reply {
    exchange(address, &format!("POST {path} HTTP/1.1\r\n"), body)
}

/// One request, whose head so far lacks the host, the length and the end.
pub(crate) fn exchange(address: SocketAddr, head: &str, body: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    let end = format!(
        "host: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(&[head.as_bytes(), end.as_bytes(), body].concat())
        .expect("sent");
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).expect("a status");
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status");
    let mut head = Vec::new();
    while line != "\r\n" {
        head.push(std::mem::take(&mut line));
        stream.read_line(&mut line).expect("a head");
    }
    let mut body = Vec::new();
    stream.read_to_end(&mut body).expect("a body");
    Reply {
        status,
        head,
        body: serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned())),
    }
}

/// Asks again until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < DEADLINE, "never happened: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Says that a test is left out; fails where nothing may be.
#[expect(clippy::print_stderr, reason = "for those who run the tests")]
pub(crate) fn leave_out(reason: &str) {
    let required = std::env::var("SIDING_TEST_SERVICES").is_ok_and(|value| value == "required");
    assert!(
        !required,
        "left out although SIDING_TEST_SERVICES=required: {reason}"
    );
    eprintln!("left out: {reason}");
}
