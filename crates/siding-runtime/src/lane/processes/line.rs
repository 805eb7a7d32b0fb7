//! Lines of children in the parent's log.

use rustix::process::Pid;

use super::output::Stream;

/// Writes a line to the log, under the number of the job that it is of.
///
/// What a child prints to its standard output is information. Its standard error is a warning, unless it begins with a level, as
/// the lines of the child's own log do.
pub(super) fn log(child: Pid, job: Option<u64>, stream: Stream, line: &str) {
    let (level, text) = level(stream, line);
    // The level of a line is part of its call, so that it costs nothing where it is not logged.
    macro_rules! at {
        ($level:ident) => {
            match job {
                Some(job) => tracing::$level!(job, %child, stream = stream.as_str(), "{text}"),
                None => tracing::$level!(%child, stream = stream.as_str(), "{text}"),
            }
        };
    }
    match level {
        Level::Error => at!(error),
        Level::Warn => at!(warn),
        Level::Info => at!(info),
        Level::Debug => at!(debug),
        Level::Trace => at!(trace),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

fn level(stream: Stream, line: &str) -> (Level, &str) {
    if stream == Stream::Stdout {
        return (Level::Info, line);
    }
    let (word, text) = line.trim_start().split_once(' ').unwrap_or((line, ""));
    let level = match word {
        "ERROR" => Level::Error,
        "WARN" => Level::Warn,
        "INFO" => Level::Info,
        "DEBUG" => Level::Debug,
        "TRACE" => Level::Trace,
        _ => return (Level::Warn, line),
    };
    (level, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_level_that_it_begins_with() {
        for (line, expected) in [
            ("ERROR it failed", (Level::Error, "it failed")),
            (" INFO so it is", (Level::Info, "so it is")),
            ("TRACE x", (Level::Trace, "x")),
            (
                "thread 'main' panicked",
                (Level::Warn, "thread 'main' panicked"),
            ),
            ("INFO", (Level::Info, "")),
            ("  0: main", (Level::Warn, "  0: main")),
        ] {
            assert_eq!(level(Stream::Stderr, line), expected);
        }
        let line = "ERROR is a word";
        assert_eq!(level(Stream::Stdout, line), (Level::Info, line));
    }
}
