//! Runs the work of one list, piece after piece, each on its lane.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use siding_runtime::{JobError, Refusal, Route, RouteId};

use super::list::{Item, List};
use super::task::{Call, Failure, Form, Task};
use crate::respond::{self, Chain};

/// The shortest pause before a lane that refused is asked again.
const PAUSE_MIN: Duration = Duration::from_millis(10);

/// How the work of a request is called in its trace.
const BACKGROUND_SPAN: &str = "background work";

/// Starts to run what is in `list`.
pub(super) fn start(list: &Arc<List>) {
    let runner = Runner {
        list: Arc::clone(list),
        piece: 0,
    };
    // Its own polls are the framework's; those of the work are accounted to the work's routes.
    let run = list.origin().follow(BACKGROUND_SPAN, runner.run());
    drop(list.handle().spawn_as(RouteId::BACKGROUND, run));
}

struct Runner {
    list: Arc<List>,
    /// The number of the piece that runs, from 1.
    piece: usize,
}

/// How a piece of work ended, or that its lane did not run it.
type End = Result<Result<(), Failure>, JobError>;

impl Runner {
    async fn run(mut self) {
        while let Some(item) = self.list.next() {
            self.piece += 1;
            self.run_item(item).await;
        }
    }

    /// Runs one piece, on its lane, once that takes it.
    async fn run_item(&self, item: Item) {
        let route = self.list.route(item.declaration);
        let mut refused = false;
        let (started, end) = loop {
            let started = Instant::now();
            match attempt(&route, &item.work.0).await {
                Err(JobError::Refused(refusal)) => {
                    self.log_refusal(&refusal, std::mem::replace(&mut refused, true));
                    tokio::time::sleep(refusal.retry_after.max(PAUSE_MIN)).await;
                }
                end => break (started, end),
            }
        };
        route.record(started.elapsed());
        match end {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => self.log(&format_args!("failed: {}", Chain(&*failure))),
            Err(JobError::Panicked { message, .. }) => {
                self.log(&format_args!("panicked: {message}"));
            }
            Err(error) => self.log(&format_args!("was cut off: {error}")),
        }
    }

    fn log(&self, what: &dyn std::fmt::Display) {
        tracing::error!(
            correlation_id = self.list.correlation_id(),
            "{}: piece {} {what}",
            self.list.name(),
            self.piece
        );
    }

    /// As a warning the first time.
    fn log_refusal(&self, refusal: &Refusal, again: bool) {
        let (id, name, piece) = (self.list.correlation_id(), self.list.name(), self.piece);
        let after = refusal.retry_after.max(PAUSE_MIN);
        if again {
            tracing::debug!(correlation_id = id, "{name}: piece {piece}: {refusal}");
        } else {
            tracing::warn!(
                correlation_id = id,
                "{name}: piece {piece} waits: {refusal}; trying again in {after:.0?}, until it is taken"
            );
        }
    }
}

/// A runner ends early only with the event loop.
impl Drop for Runner {
    fn drop(&mut self) {
        if !self.list.is_at_rest() {
            self.list.discard("the server has shut down");
        }
    }
}

async fn attempt(route: &Arc<Route>, form: &Form) -> End {
    match form.clone() {
        Form::Call(call) => route.call(None, move || run_call(&call)).await,
        Form::Task(task) => run_task(route, task).await,
    }
}

fn run_call(call: &Mutex<Option<Call>>) -> Result<(), Failure> {
    let call = lock(call).take();
    call.map_or(Ok(()), |call| call())
}

/// Runs a future where its route belongs. A panic of the future unwinds out of its poll, wherever that ran.
async fn run_task(route: &Arc<Route>, task: Arc<Mutex<Task>>) -> End {
    let mut placed = pin!(route.place(None, poll_fn(move |cx| lock(&task).as_mut().poll(cx))));
    poll_fn(|cx| {
        let poll = catch_unwind(AssertUnwindSafe(|| placed.as_mut().poll(cx)));
        poll.unwrap_or_else(|panic| {
            Poll::Ready(Err(JobError::Panicked {
                lane: route.lane(),
                message: respond::panic_message(&*panic).to_owned(),
            }))
        })
    })
    .await
}

/// A panic in the work poisons its mutex, and the work is not run again.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
