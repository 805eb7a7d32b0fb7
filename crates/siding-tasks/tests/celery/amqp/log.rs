//! What the transport tells the log, of all tests that run meanwhile.

use std::fmt::{self, Write as _};
use std::sync::{Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::support::eventually;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The log from some moment on.
pub(super) struct Log {
    begin: usize,
}

impl Log {
    /// From now on.
    pub(super) fn listen() -> Self {
        static LISTENS: Once = Once::new();
        LISTENS.call_once(|| tracing::subscriber::set_global_default(Lines).unwrap());
        Self {
            begin: lines().len(),
        }
    }

    /// How many lines have this text.
    pub(super) fn count(&self, text: &str) -> usize {
        let lines = lines();
        let here = lines[self.begin..].iter();
        here.filter(|line| line.contains(text)).count()
    }

    /// Returns once so many lines have this text.
    pub(super) async fn says(&self, text: &str, times: usize) {
        eventually(async || (self.count(text) >= times).then_some(())).await;
    }
}

fn lines() -> std::sync::MutexGuard<'static, Vec<String>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps what is said.
struct Lines;

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("siding_tasks::amqp")
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        lines().push(line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A text takes everything.
        let _ = write!(self.0, "{field}={value:?} ");
    }
}
