//! One message from its claim to its end.

use std::sync::Arc;
use std::time::Duration;

use siding_runtime::{JobError, LaneKind, Route, RouteId};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::crew::Crew;
use super::ended::{self, Ran, Verdict};
use super::holdings::End;
use super::observer::TaskEvent;
use super::place::Place;
use super::settling;
use super::starting;
use super::unwind::CatchUnwind;
use crate::broker::{Delivery, Lease};
use crate::message::Message;
use crate::task::{Call, Definition, Ended, TaskContext, TaskError, Work, process, scope, scoped};
use crate::tracer;

/// Starts work on `delivery`, at its place.
pub(super) fn start(crew: &Arc<Crew>, delivery: Delivery, place: Place) {
    let definition = crew.tasks.definition(&delivery.message.task);
    let route = definition
        .as_ref()
        .map_or(RouteId::BACKGROUND, |definition| {
            definition.route(crew.handle.routes()).id()
        });
    let lease = delivery.lease;
    let context = TaskContext::new(delivery.message, crew.name.clone(), delivery.deliveries);
    let end = crew
        .held
        .hold(lease.clone(), context.clone(), place.stage());
    let held = Hold {
        crew: Arc::clone(crew),
        lease,
    };
    let work = serve(held, context, definition, end, place);
    crew.handle.spawn_as(route, work);
}

/// A message that is held, and let go however its work ends.
struct Hold {
    crew: Arc<Crew>,
    lease: Lease,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.crew.held.let_go(&self.lease);
    }
}

async fn serve(
    held: Hold,
    context: TaskContext,
    definition: Option<Arc<Definition>>,
    mut end: oneshot::Receiver<End>,
    place: Place,
) {
    let (crew, lease) = (&held.crew, &held.lease);
    let message = context.message();
    // What is for another worker is nobody's business here.
    let ours = !matches!(place, Place::Elsewhere { .. });
    if ours {
        tracing::debug!(task = message.task, id = %message.id, "task received");
        crew.tell(TaskEvent::Received(&context));
    }
    let turn = place.turn(crew, lease, message, &mut end).await;
    let started = Instant::now();
    let tracer = crew.tasks.tracer();
    let mut span = Span::none();
    let (slot, ran) = match turn {
        Ok(slot) => {
            crew.tell(TaskEvent::Started(&context));
            span = tracer.map_or_else(Span::none, |tracer| tracer.run(message));
            let run = begin(&held, definition.as_ref(), &context, &mut end);
            (Some(slot), run.instrument(span.clone()).await)
        }
        Err(ran) => (None, ran),
    };
    let options = definition.map(|definition| definition.options());
    let mut verdict = ended::settlement(message, ran, options.as_deref(), crew.tasks.now());
    let lasted = started.elapsed();
    if let (Some(tracer), Verdict::Settle(settlement)) = (tracer, &mut verdict) {
        tracer::end(tracer, &span, settlement);
    }
    drop(span);
    if ours {
        ended::log(message, &verdict, lasted);
    }
    let unsettled = crew.unsettled.acquire().await;
    drop(slot);
    if settling::settle(crew, lease, &verdict, &mut end).await && ours {
        verdict.tell(crew, &context, lasted);
    }
    drop(unsettled);
}

/// Runs the task, and says that it has started, if somebody wants to know.
async fn begin(
    held: &Hold,
    definition: Option<&Arc<Definition>>,
    context: &TaskContext,
    end: &mut oneshot::Receiver<End>,
) -> Ran {
    let Some(definition) = definition else {
        return Ran::Ended(Err(not_registered(context.message())), Vec::new());
    };
    let options = definition.options();
    context.limit(options.time_limits);
    let work = work(&held.crew, definition, context, end);
    if held.crew.track_started || options.track_started {
        starting::beside(work, &held.crew, &held.lease).await
    } else {
        work.await
    }
}

async fn work(
    crew: &Crew,
    definition: &Arc<Definition>,
    context: &TaskContext,
    end: &mut oneshot::Receiver<End>,
) -> Ran {
    let limit = context.time_limits().hard;
    let work = attempt(crew, definition, context);
    let overtime = async {
        match limit {
            Some(limit) => {
                tokio::time::sleep_until(context.began().await + limit).await;
                limit
            }
            None => std::future::pending::<Duration>().await,
        }
    };
    tokio::select! {
        biased;
        ran = work => match end.try_recv() {
            // It has ended for that, or may have.
            Ok(why @ (End::Terminated | End::Lost)) => Ran::from(Ok(why)),
            Ok(End::Revoked | End::Stopped) | Err(_) => ran,
        },
        why = &mut *end => Ran::from(why),
        limit = overtime => {
            context.cancel();
            Ran::Ended(Err(overtime_error(limit)), context.children())
        }
    }
}

impl From<Result<End, oneshot::error::RecvError>> for Ran {
    fn from(why: Result<End, oneshot::error::RecvError>) -> Self {
        match why {
            Ok(End::Revoked) => Self::Revoked,
            Ok(End::Terminated) => Self::Terminated,
            Ok(End::Lost) => Self::Lost,
            Ok(End::Stopped) | Err(_) => Self::Stopped,
        }
    }
}

/// Runs the function once the lane takes it.
async fn attempt(crew: &Crew, definition: &Arc<Definition>, context: &TaskContext) -> Ran {
    loop {
        let call = Call::new(context.clone(), definition.options());
        let running = place_on_lane(crew, definition, call, context.clone());
        let ended = match CatchUnwind(running).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(JobError::Refused(refusal))) => {
                tokio::time::sleep(refusal.retry_after).await;
                continue;
            }
            Ok(Err(JobError::ShutDown { .. } | JobError::DeadlinePassed { .. })) => {
                return Ran::Stopped;
            }
            Ok(Err(JobError::Panicked { message, .. })) | Err(message) => {
                Err(TaskError::of("siding", "Panic", message))
            }
            Ok(Err(
                error @ (JobError::Killed { .. }
                | JobError::Crashed { .. }
                | JobError::NotStarted { .. }),
            )) => Err(worker_lost(&error)),
        };
        return Ran::Ended(ended, context.children());
    }
}

type Running = std::pin::Pin<Box<dyn Future<Output = Result<Ended, JobError>> + Send>>;

fn place_on_lane(
    crew: &Crew,
    definition: &Arc<Definition>,
    call: Call,
    context: TaskContext,
) -> Running {
    let route = definition.route(crew.handle.routes());
    if definition.declaration().lane == LaneKind::Processes {
        // A child does not say when it begins: the time limit counts the wait for one, too.
        context.begin();
        return begin_process(route, definition, &context);
    }
    match definition.call(call) {
        Work::Async(future) => Box::pin(route.place(None, scope(context, future))),
        Work::Plain(f) => Box::pin(route.call(None, move || scoped(context, f))),
    }
}

/// Dropping what this returns kills the child.
fn begin_process(route: &Arc<Route>, definition: &Definition, context: &TaskContext) -> Running {
    let order = match process::order(context) {
        Ok(order) => order,
        Err(error) => return Box::pin(std::future::ready(Ok(Err(error.into())))),
    };
    let job = route.call_process(None, &process::function_name(definition.name()), order);
    Box::pin(async move {
        Ok(job
            .await?
            .map_or_else(|error| Err(error.into()), |answer| process::ended(&answer)))
    })
}

/// What a child that is gone leaves behind, under Celery's name.
fn worker_lost(error: &JobError) -> TaskError {
    TaskError::of("billiard.exceptions", "WorkerLostError", error.to_string())
}

fn not_registered(message: &Message) -> TaskError {
    let text = format!(
        "no task {:?} is registered with this worker; route it to a queue whose workers know it",
        message.task
    );
    TaskError::of("celery.exceptions", "NotRegistered", text)
}

fn overtime_error(limit: Duration) -> TaskError {
    let text = format!("the time limit of {limit:?} has passed");
    TaskError::of("billiard.exceptions", "TimeLimitExceeded", text)
}
