//! What children print.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};

use super::support::{call, runtime};
use crate::support::eventually;

/// The log of this process; every test's.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let start = || {
        let log = Log::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        log
    };
    LOG.get_or_init(start).clone()
}

/// The first line of the log that has these words.
#[track_caller]
fn line(words: &str) -> String {
    let log = log();
    eventually(words, || {
        let bytes = log.0.lock().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        text.lines()
            .find(|line| line.contains(words))
            .map(str::to_owned)
    })
}

#[test]
fn a_line_goes_to_the_log_with_its_jobs_number() {
    log();
    let runtime = runtime(|_| {});
    let child: u32 = call(&runtime, "pid", ()).unwrap();
    let print = |out: &str, err: &str| call::<()>(&runtime, "print", (out, err)).unwrap();
    print("first to out\nsecond to out\n", "first to err\n");
    print("half a line to out", "");
    print("third to out\n", "");
    for (words, job, stream) in [
        ("first to out", 2, "stdout"),
        ("second to out", 2, "stdout"),
        ("first to err", 2, "stderr"),
        ("half a line to out", 3, "stdout"),
        ("third to out", 4, "stdout"),
    ] {
        let line = line(words);
        for field in [
            format!("job={job} "),
            format!("child={child} "),
            format!("stream=\"{stream}\""),
        ] {
            assert!(line.contains(&field), "{line:?} lacks {field:?}");
        }
    }
}

#[test]
fn a_panic_is_in_the_log_with_its_jobs_number() {
    log();
    let runtime = runtime(|_| {});
    drop(call::<()>(&runtime, "panic", "a panic for the log"));
    assert!(line("a panic for the log").contains("job=1 "));
}
