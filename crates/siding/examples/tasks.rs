//! Durable tasks: `cargo run --example tasks -p siding`, then
//!
//! ```text
//! curl -s -X POST 127.0.0.1:8000/reports/7      # the id of a task
//! curl -s 127.0.0.1:8000/reports/of/ID          # PENDING, STARTED, SUCCESS, and what it returned
//! ```
//!
//! Kill it with `kill -9` in between: the report is made after the next start. `… -- --no-worker` serves only, `… -- worker`
//! only works, and `… -- tasks list` shows what there is.

use std::time::Duration;

use siding::extract::{Path, State};
use siding::tasks::{Task, TaskContext, TaskError, Tasks};
use siding::{App, ExitCode, Problem, compute, get, post};

/// The tasks that handlers send.
#[derive(Clone)]
struct Jobs {
    tasks: Tasks,
    collect: Task<(u64,), Vec<u64>>,
    report: Task<(Vec<u64>,), String>,
}

/// On a thread: it may block. An error of this type is tried again, up to five times.
fn collect(customer: u64) -> Result<Vec<u64>, std::io::Error> {
    let machine = std::fs::read_to_string("/proc/uptime")?;
    Ok(vec![customer, machine.len() as u64])
}

/// On the compute lane. What it does must bear to be done twice: after a crash it is.
fn report(figures: Vec<u64>) -> Result<String, TaskError> {
    let sum: u64 = figures.into_iter().sum();
    Ok(format!("{}: {sum}", TaskContext::current().id()))
}

/// Sends a chain: what `collect` returns is the argument of `report`. It is on the disk when this answers.
async fn order(State(jobs): State<Jobs>, Path(customer): Path<u64>) -> Result<String, Problem> {
    let chain = jobs.collect.s((customer,)).then(jobs.report.s(()));
    Ok(chain.delay().await?.id().to_string())
}

async fn fetch(State(jobs): State<Jobs>, Path(id): Path<String>) -> Result<String, Problem> {
    let result = jobs.tasks.result::<String>(id);
    let state = result.state().await?;
    match state.is_ready() {
        true => Ok(result.get(Duration::from_secs(1)).await?),
        false => Ok(state.to_string()),
    }
}

fn main() -> ExitCode {
    let tasks = Tasks::new();
    let jobs = Jobs {
        collect: tasks
            .register("collect", collect)
            .retry_on::<std::io::Error>()
            .max_retries(5)
            .backoff(Duration::from_secs(1), Duration::from_secs(60)),
        report: tasks.register("report", compute(report)),
        tasks: tasks.clone(),
    };
    App::new("reports")
        .route("/reports/{customer}", post(order))
        .route("/reports/of/{id}", get(fetch))
        .with_state(jobs)
        .with_tasks(tasks)
        .run()
}
