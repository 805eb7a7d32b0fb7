//! One sample as text, for scripts and for CI.

#![expect(
    clippy::print_stdout,
    reason = "a command's results go to standard output"
)]

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::TopError;
use super::client::{Client, ClientError, Sample};
use super::model::Model;
use super::text::{ago, millis, rate};
use super::wire::Stall;

/// Takes two samples, `interval` apart, for the rates between them, and prints the second one.
///
/// # Errors
///
/// When the admin listener does not answer.
pub async fn print(client: &Client, interval: Duration) -> Result<(), TopError> {
    let failed = |source: ClientError| TopError::Client {
        site: client.site().to_string(),
        source,
    };
    let mut model = Model::new(client.site().to_string());
    model.sampled(client.sample().await.map_err(failed)?);
    tokio::time::sleep(interval).await;
    model.sampled(client.sample().await.map_err(failed)?);
    print!("{}", Text(&model));
    Ok(())
}

/// A model as plain text, one line for each thing.
#[derive(Debug)]
pub struct Text<'a>(pub &'a Model);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(sample) = &self.0.sample else {
            return Ok(());
        };
        writeln!(f, "{} {}", self.0.source, sample.name)?;
        self.lanes(sample, f)?;
        self.routes(f)?;
        stalls(sample, f)?;
        upstreams(sample, f)?;
        if !sample.queues.is_empty() {
            writeln!(f, "\n{:20} {:10} {:>8}", "QUEUE", "STATE", "TASKS")?;
        }
        for queue in &sample.queues {
            writeln!(
                f,
                "{:20} {:10} {:>8}",
                queue.queue, queue.state, queue.tasks
            )?;
        }
        Ok(())
    }
}

impl Text<'_> {
    fn lanes(&self, sample: &Sample, f: &mut Formatter<'_>) -> fmt::Result {
        let head = "RUNNING THREADS    MAX WAITING   DONE/s REFUSED/s";
        writeln!(f, "\n{:12} {head}", "LANE")?;
        for lane in &sample.lanes {
            let rates = self.0.rates.lane(&lane.name);
            write!(
                f,
                "{:12} {:>7} {:>7}",
                lane.name, lane.running, lane.threads
            )?;
            write!(f, " {:>6} {:>7}", lane.threads_max, lane.waiting)?;
            let done = rate(rates.map(|rates| rates.completed));
            let refused = rate(rates.map(|rates| rates.refused));
            let overloaded = if lane.overloaded { " overloaded" } else { "" };
            writeln!(f, " {done:>8} {refused:>9}{overloaded}")?;
        }
        Ok(())
    }

    fn routes(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = "   REQ/s       p50       p99 STALLS  LANE";
        writeln!(f, "\n{:32} {head}", "ROUTE")?;
        for route in self.0.routes() {
            let per_second = rate(self.0.rates.requests(route.id));
            write!(f, "{:32} {per_second:>8}", route.name)?;
            let (p50, p99) = (millis(route.p50_ms), millis(route.p99_ms));
            write!(f, " {p50:>9} {p99:>9} {:>6}", route.stalls)?;
            write!(f, "  {}", route.lane())?;
            writeln!(
                f,
                "{}{}",
                if route.verdict.is_empty() { "" } else { "  " },
                route.verdict
            )?;
        }
        Ok(())
    }
}

fn upstreams(sample: &Sample, f: &mut Formatter<'_>) -> fmt::Result {
    if !sample.upstreams.is_empty() {
        let head = "STATE     RUNNING    MAX WAITING  REFUSED";
        writeln!(f, "\n{:20} {head}", "UPSTREAM")?;
    }
    for client in &sample.upstreams {
        write!(
            f,
            "{:20} {:9} {:>7}",
            client.name, client.state, client.running
        )?;
        let (most, waiting) = (client.running_max, client.waiting);
        writeln!(f, " {most:>6} {waiting:>7} {:>8}", client.refused)?;
        for replica in &client.alone {
            writeln!(f, "  open: {replica}")?;
        }
    }
    Ok(())
}

fn stalls(sample: &Sample, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "\nSTALLS")?;
    if sample.stalls.is_empty() {
        writeln!(f, "none")?;
    }
    for Stall {
        route,
        over,
        evidence,
        ..
    } in &sample.stalls
    {
        let when = ago(sample.unix_ms - evidence.began_unix_ms);
        let lasted = millis(evidence.lasted_ms);
        let lasts = if *over { "lasted" } else { "lasts for" };
        writeln!(
            f,
            "{route}: {when} ago, {lasts} {lasted}, {}",
            evidence.summary
        )?;
    }
    Ok(())
}
