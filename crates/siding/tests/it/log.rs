//! What the tests of this process log. Each asks for lines that only it causes.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

use crate::support::eventually;

static LINES: Mutex<String> = Mutex::new(String::new());

/// Begins to keep what is logged.
pub(crate) fn keep() {
    static START: Once = Once::new();
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(|| Writer)
            .init();
    });
}

/// The first line that has all of these words, once there is one.
#[track_caller]
pub(crate) fn line(words: &[&str]) -> String {
    eventually(&format!("a line with {words:?}"), || {
        let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        let has_all = |line: &&str| words.iter().all(|words| line.contains(words));
        lines.lines().find(has_all).map(str::to_owned)
    })
}

/// How many lines have these words, of those that are there.
pub(crate) fn count(words: &str) -> usize {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.lines().filter(|line| line.contains(words)).count()
}

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
