//! The tasks that Python calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use siding_tasks::python::{Bytes, DateTime, Float};
use siding_tasks::{RawJson, TaskContext, TaskError};
use tokio::sync::Semaphore;

use crate::fleet::Fleet;

/// What the tasks share with the test.
#[derive(Clone, Default)]
pub(crate) struct Marks {
    /// How often `rust.count` ran, which has no other effect.
    pub(crate) runs: Arc<AtomicUsize>,
    /// Has a permit for each time that `rust.gate` has begun.
    pub(crate) began: Arc<Began>,
    /// `rust.gate` ends when it gets a permit.
    pub(crate) gate: Arc<Gate>,
}

pub(crate) struct Began(pub(crate) Semaphore);

pub(crate) struct Gate(pub(crate) Semaphore);

impl Default for Began {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Marks {
    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    /// Waits until `rust.gate` has begun once more.
    pub(crate) async fn gate_began(&self) {
        self.began.0.acquire().await.unwrap().forget();
    }
}

/// Registers them.
pub(crate) fn register(fleet: &Fleet) -> Marks {
    let tasks = &fleet.tasks;
    let marks = Marks::default();
    let _ = tasks
        .register("rust.add", |x: i64, y: i64| async move { x + y })
        .arguments(["x", "y"]);
    tasks.register("rust.total", |numbers: Vec<i64>| async move {
        numbers.into_iter().sum::<i64>()
    });
    tasks.register("rust.echo", |value: RawJson| async move { value });
    let _ = tasks
        .register("rust.types", types)
        .arguments(["at", "bytes", "number", "decimal"]);
    tasks.register("rust.fail", |kind: String, message: String| async move {
        Err::<(), _>(
            TaskError::new(message)
                .named(kind)
                .with_traceback("in src/lib.rs, line 7"),
        )
    });
    let _ = tasks
        .register(
            "rust.again",
            |context: TaskContext, times: u32| async move {
                match context.retries() < times {
                    true => Err(TaskError::new("not yet")
                        .named("ConnectionError")
                        .retry_in(std::time::Duration::ZERO)),
                    false => Ok(context.retries()),
                }
            },
        )
        .max_retries(2);
    tasks.register("rust.later", || async {
        let error = TaskError::new("not yet").named("TimeoutError");
        Err::<(), _>(error.retry_in(std::time::Duration::from_secs(3_600)))
    });
    let runs = Arc::clone(&marks.runs);
    tasks.register("rust.count", move || {
        let runs = Arc::clone(&runs);
        async move { runs.fetch_add(1, Ordering::SeqCst) + 1 }
    });
    let Marks { began, gate, .. } = marks.clone();
    tasks.register("rust.gate", move || {
        let (began, gate) = (Arc::clone(&began), Arc::clone(&gate));
        async move {
            began.0.add_permits(1);
            gate.0.acquire().await.unwrap().forget();
            "through"
        }
    });
    tasks.register("rust.about", |context: TaskContext| async move {
        let parent = context.parent_id().map(ToString::to_string);
        (
            context.id().to_string(),
            context.root_id().to_string(),
            parent,
        )
    });
    marks
}

/// What Python's types are here.
async fn types(
    at: DateTime,
    bytes: Bytes,
    number: Float,
    decimal: String,
) -> Result<Value, TaskError> {
    let back = RawJson::of(&(at, bytes.clone(), number, number.0.is_nan()))?;
    Ok(
        serde_json::json!({"at": at.0.to_string(), "bytes": bytes.0, "decimal": decimal, "back": back}),
    )
}
