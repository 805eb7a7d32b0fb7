//! `tasks list`.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use siding_tasks::{Broker, BrokerError, ListFilter, Listed, QueueCount, State, Timestamp};

use super::{CommandError, Which, state};
use crate::tasks::wire;

/// List tasks, the newest first.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    /// Only tasks in this state: pending, started, retry, success, failure, revoked
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<State>,
    #[command(flatten)]
    which: Which,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Only tasks older than this: `next` of the JSON before
    #[arg(long, value_name = "POSITION")]
    before: Option<u64>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, broker: &dyn Broker) -> Result<(), CommandError> {
        let filter = ListFilter {
            id: None,
            state: self.state,
            task: self.which.task.clone(),
            queue: self.which.queue.clone(),
            before: self.before,
            limit: self.limit,
        };
        let overview = broker.overview().await?;
        let tasks = match broker.list(filter).await {
            Ok(tasks) => tasks,
            Err(BrokerError::Unsupported(why)) => return self.write_unlisted(overview, why),
            Err(error) => return Err(error.into()),
        };
        let mut out = io::stdout().lock();
        if self.json {
            return write_json(&wire::Tasks::page(overview, tasks, self.limit), &mut out);
        }
        write_table(&tasks, Timestamp::now(), &mut out)?;
        writeln!(out)?;
        write_counts(&overview, &mut out)?;
        Ok(out.flush()?)
    }

    /// Of a broker that cannot list its tasks, the numbers.
    fn write_unlisted(&self, overview: Vec<QueueCount>, why: String) -> Result<(), CommandError> {
        let mut out = io::stdout().lock();
        if self.json {
            return write_json(&wire::Tasks::counted(overview, why), &mut out);
        }
        writeln!(out, "{why}\n")?;
        write_counts(&overview, &mut out)?;
        Ok(out.flush()?)
    }
}

fn write_json(tasks: &wire::Tasks, out: &mut impl Write) -> Result<(), CommandError> {
    serde_json::to_writer_pretty(&mut *out, tasks).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

fn write_table(tasks: &[Listed], now: Timestamp, out: &mut impl Write) -> io::Result<()> {
    let name = tasks.iter().map(|task| task.meta.task.len());
    let queue = tasks.iter().map(|task| task.queue.len());
    let (name, queue) = (
        name.max().unwrap_or(0).max("TASK".len()),
        queue.max().unwrap_or(0).max("QUEUE".len()),
    );
    writeln!(
        out,
        "{:36}  {:name$}  {:7}  {:queue$}  PRIORITY  RETRIES  {:>4}  WHY",
        "ID", "TASK", "STATE", "QUEUE", "SENT"
    )?;
    for task in tasks {
        let meta = &task.meta;
        let why = meta.exception.as_ref().map_or_else(String::new, |error| {
            format!("{}: {}", error.exc_type, first_line(&error.message))
        });
        let row = format!(
            "{:36}  {:name$}  {:7}  {:queue$}  {:>8}  {:>7}  {:>4}  {why}",
            meta.id,
            meta.task,
            meta.state,
            task.queue,
            task.priority.get(),
            meta.retries,
            wire::known(task.sent_at).map_or_else(String::new, |sent_at| age(now.since(sent_at))),
        );
        writeln!(out, "{}", row.trim_end())?;
    }
    Ok(())
}

fn write_counts(overview: &[QueueCount], out: &mut impl Write) -> io::Result<()> {
    if overview.is_empty() {
        return writeln!(out, "no tasks");
    }
    let counts = overview
        .iter()
        .map(|count| format!("{} {} in {}", count.tasks, count.state, count.queue));
    writeln!(out, "{}", counts.collect::<Vec<_>>().join(", "))
}

/// The first line of a message, cut where a terminal would break it.
fn first_line(message: &str) -> String {
    const CHARS_MAX: usize = 80;
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// How long ago, in the largest unit that fits: `12s`, `3m`, `2h`, `4d`.
fn age(age: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let seconds = age.as_secs();
    UNITS
        .into_iter()
        .find(|(unit, _)| seconds >= *unit)
        .map_or_else(
            || format!("{seconds}s"),
            |(unit, name)| format!("{}{name}", seconds / unit),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (7_300, "2h"),
            (200_000, "2d"),
        ] {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        assert_eq!(first_line("short\nand more"), "short");
        assert_eq!(first_line(&"ä".repeat(81)), format!("{}…", "ä".repeat(80)));
    }
}
