//! A Siding application that calls the tasks of a Celery application, and has tasks that the Celery application calls.
//!
//! `README.md` says how to start both.

use std::time::Duration;

use siding::extract::{Path, State};
use siding::tasks::{RawJson, Task, TaskError, Tasks};
use siding::{App, ExitCode, Problem, Settings, compute, get};

/// Each language has a queue of its own, as each worker knows only its own tasks.
const RUST: &str = "rust";
const PYTHON: &str = "python";
/// How long a request waits for a task.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the handlers send.
#[derive(Clone)]
struct Jobs {
    tasks: Tasks,
    sum_of_squares: Task<(u64,), u64>,
}

/// On the compute lane: one thread a core, and no lock that holds the others up. Python calls it.
fn sum_of_squares(n: u64) -> Result<u64, TaskError> {
    (0..n)
        .try_fold(0_u64, |sum, term| sum.checked_add(term.checked_mul(term)?))
        // Python catches it as its own `OverflowError`.
        .ok_or_else(|| {
            TaskError::new(format!("the squares below {n} do not fit 64 bits"))
                .named("OverflowError")
        })
}

/// `GET /greet/{name}`: runs a task of the Celery application, and answers with its result.
async fn greet(State(jobs): State<Jobs>, Path(name): Path<String>) -> Result<String, Problem> {
    let name = argument(&name)?;
    let sent = jobs
        .tasks
        .send_task::<String>("python.greet", vec![name], [])
        .queue(PYTHON)
        .await?;
    Ok(sent.get(PATIENCE).await?)
}

/// `GET /report/{n}`: a chain through both. Rust computes; Python, which gets the result, describes it.
async fn report(State(jobs): State<Jobs>, Path(n): Path<u64>) -> Result<String, Problem> {
    let describe = jobs
        .tasks
        .signature::<String>("python.describe", vec![], [])
        .queue(PYTHON);
    let sent = (jobs.sum_of_squares.s((n,)).then(describe)).delay().await?;
    Ok(sent.get(PATIENCE).await?)
}

fn argument(value: &str) -> Result<RawJson, Problem> {
    RawJson::of(value).map_err(|error| Problem::internal(&error))
}

fn main() -> ExitCode {
    let tasks = Tasks::new();
    let sum_of_squares = tasks
        .register("rust.sum_of_squares", compute(sum_of_squares))
        .arguments(["n"])
        .queue(RUST);
    let mut settings = Settings::default();
    settings.tasks.queues = vec![RUST.to_owned()];
    App::new("celery-example")
        .route("/greet/{name}", get(greet))
        .route("/report/{n}", get(report))
        .with_state(Jobs {
            tasks: tasks.clone(),
            sum_of_squares,
        })
        .with_tasks(tasks)
        .with_settings(settings)
        .run()
}
