//! The log: lines for people, or JSON.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
#[cfg(feature = "otel")]
use tracing_subscriber::{Layer, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::settings::{LogFormat, Settings};
#[cfg(feature = "otel")]
use crate::traces;

/// Where lapin tells of channels, as an error of each that the server closes. A server does so to say that a queue is not
/// there, which is asked before each is made; whoever asked for something else that was refused tells the log itself.
const CHANNELS: &str = "lapin::channel=off";

/// What is logged: as it was set, and without [`CHANNELS`] unless it was set for lapin, too.
fn filter(settings: &Settings) -> EnvFilter {
    let filter = EnvFilter::builder().parse_lossy(&settings.log_level);
    if settings.log_level.contains("lapin") {
        return filter;
    }
    let no_channels = CHANNELS.parse().expect("a directive is written so");
    filter.add_directive(no_channels)
}

/// Starts the log of a child process: the parent reads it line by line, and adds time and job.
pub(super) fn start_in_child(settings: &Settings) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(settings))
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time();
    // It fails when there is a log already, which is then the application's own.
    let _ = log.try_init();
}

/// Starts the log on standard error, and the traces of the application `name`, where they are asked for. An application that has
/// set up its own before keeps that.
pub(super) fn start(name: &'static str, settings: &Settings) {
    #[cfg(feature = "otel")]
    match traces::start(&settings.traces, name) {
        Ok(None) => start_alone(settings),
        Ok(Some(layer)) => start_with(layer, settings),
        Err(why) => {
            start_alone(settings);
            tracing::warn!("there are no traces: {why}");
        }
    }
    #[cfg(not(feature = "otel"))]
    {
        let _ = name;
        start_alone(settings);
    }
}

/// The log and the traces, each with a filter of its own.
#[cfg(feature = "otel")]
fn start_with(traces: impl Layer<tracing_subscriber::Registry> + Send + Sync, settings: &Settings) {
    let log = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let log: Box<dyn Layer<tracing_subscriber::Registry> + Send + Sync> = match settings.log {
        LogFormat::Json => {
            let json = log.json().flatten_event(true);
            json.map_event_format(traces::with_trace_ids).boxed()
        }
        LogFormat::Text => log
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .boxed(),
    };
    let layers = vec![log.with_filter(filter(settings)).boxed(), traces.boxed()];
    if tracing_subscriber::registry()
        .with(layers)
        .try_init()
        .is_err()
    {
        tracing::warn!(
            "there are no traces: the application has set up a log of its own before `App::run`"
        );
    }
}

/// The log without traces.
fn start_alone(settings: &Settings) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(settings))
        .with_writer(io::stderr);
    // It fails when there is a log already, which is then the application's own.
    let _ = match settings.log {
        LogFormat::Json => log.json().flatten_event(true).try_init(),
        LogFormat::Text => log
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .try_init(),
    };
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged of an error of lapin about a channel, one of it about something else, and one of Siding.
    fn check(log_level: &str, expected: &[&str]) {
        let mut settings = Settings::default();
        log_level.clone_into(&mut settings.log_level);
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter(&settings))
            .with_writer(move || writer.clone())
            .without_time()
            .with_ansi(false)
            .with_target(false)
            .finish();
        tracing::subscriber::with_default(log, || {
            tracing::error!(target: "lapin::channel", "channel");
            tracing::error!(target: "lapin::io_loop", "connection");
            tracing::error!(target: "siding_tasks::amqp", "siding");
        });
        let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let logged: Vec<_> = lines
            .split_whitespace()
            .filter(|word| *word != "ERROR")
            .collect();
        assert_eq!(logged, expected, "{log_level}");
    }

    #[test]
    fn channels_that_the_server_closes_are_told_by_who_used_them() {
        for level in ["info", "error", "warn,siding=debug"] {
            check(level, &["connection", "siding"]);
        }
        check("lapin=error", &["channel", "connection"]);
        check(
            "error,lapin::channel=error",
            &["channel", "connection", "siding"],
        );
        check("off", &[]);
    }
}
