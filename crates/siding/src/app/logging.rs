//! The log: lines for people, or JSON.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use super::settings::{LogFormat, Settings};

/// Starts the log of a child process: the parent reads it line by line, and adds time and job.
pub(super) fn start_in_child(settings: &Settings) {
    let filter = EnvFilter::builder().parse_lossy(&settings.log_level);
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time();
    // It fails when there is a log already, which is then the application's own.
    let _ = log.try_init();
}

/// Starts the log on standard error. An application that has set up its own before keeps that.
pub(super) fn start(settings: &Settings) {
    let filter = EnvFilter::builder().parse_lossy(&settings.log_level);
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
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
