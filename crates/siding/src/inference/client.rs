//! The client: admission, deadline, and what is done when a replica fails.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use siding_runtime::{Gate, GateError, GateSnapshot, Handle, WorkContext};
use tokio::time::timeout_at;
use tower::retry::budget::{Budget, TpsBudget};

use super::breaker::BreakerState;
use super::error::{InferError, InferErrorKind};
use super::replica::ReplicaSnapshot;
use super::replicas::{Lease, Replicas, now};
use super::transport::Failure;
use super::{ClientBuilder, Request, Response, wire};

/// Asks models that an inference service serves; see the [module](super). A cheap clone, whose clones share connections, limits and
/// what is known of the replicas.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) name: Arc<str>,
    pub(super) replicas: Arc<Replicas>,
    pub(super) gate: Gate,
    pub(super) budget: TpsBudget,
    pub(super) deadline: Duration,
    /// The models that may see a question twice.
    pub(super) idempotent: Vec<String>,
    pub(super) counts: Counts,
}

/// How many requests went which way. Nothing else is published by them.
#[derive(Debug, Default)]
pub(super) struct Counts {
    requests: AtomicU64,
    answered: AtomicU64,
    deadline_passed: AtomicU64,
    retries: AtomicU64,
}

/// A client's figures at one moment. Counts are totals since the start.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientSnapshot {
    /// The client's name.
    pub name: Arc<str>,
    /// `Closed` while one replica takes requests, `Open` while all are left alone: then requests are refused at once.
    pub state: BreakerState,
    /// Requests under way and waiting, and those refused because there were too many.
    pub gate: GateSnapshot,
    /// Requests that were asked for.
    pub requests: u64,
    /// Of those, how many got the answer of a model.
    pub answered: u64,
    /// Of those, how many got none by their deadline.
    pub deadline_passed: u64,
    /// Requests that were sent to another replica after one had failed.
    pub retries: u64,
    /// The replicas.
    pub replicas: Vec<ReplicaSnapshot>,
}

impl Client {
    /// Begins a client. `name` is for people: the log, errors and the dashboard call it so.
    pub fn builder(name: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(name.into())
    }

    pub(super) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Asks a model, and waits for its answer until the deadline: that of the request which is being handled, or the client's own
    /// ([`ClientBuilder::deadline`]), whichever is sooner.
    ///
    /// # Errors
    /// When there is none; [`InferError::kind`] tells what can be done about it.
    ///
    /// # Cancellation
    /// Dropping the future gives the place in the queue up, or closes the connection that the request went over, which tells the
    /// service. A model may go on with it.
    pub async fn infer(&self, request: Request) -> Result<Response, InferError> {
        self.infer_by(request, self.due()).await
    }

    /// The same for a plain function, whose thread it blocks meanwhile. In an `async fn` it would block the event loop: await
    /// [`infer`](Self::infer) there.
    ///
    /// # Errors
    /// When there is no answer.
    ///
    /// # Panics
    /// Outside of Siding's runtime.
    ///
    /// # Cancellation
    /// A thread cannot be stopped: it waits until the deadline, also when its client has left.
    pub fn infer_blocking(&self, request: Request) -> Result<Response, InferError> {
        let (client, due) = (self.clone(), self.due());
        let (answer, answered) = mpsc::sync_channel(1);
        // Its future runs on the event loop, where its connections are.
        Handle::current().spawn(async move {
            // Nobody has left: it waits below.
            let _ = answer.send(client.infer_by(request, due).await);
        });
        answered.recv().unwrap_or_else(|_| {
            let stopped = "the server is shutting down".to_owned();
            Err(InferError::new(
                &self.shared.name,
                InferErrorKind::Unavailable {
                    why: stopped,
                    retry_after: Duration::from_secs(1),
                },
            ))
        })
    }

    /// Whether a replica says that it is ready; for the [check](crate::lifespan::Opening::check) of a resource, see the
    /// [module](super#health) for whether to have one.
    ///
    /// # Errors
    /// What each replica said instead.
    pub async fn check(self) -> Result<(), String> {
        self.shared.replicas.check().await
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Its figures.
    #[must_use]
    pub fn snapshot(&self) -> ClientSnapshot {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &self.shared.counts;
        ClientSnapshot {
            name: Arc::clone(&self.shared.name),
            state: self.shared.replicas.state(),
            gate: self.shared.gate.snapshot(),
            requests: count(&counts.requests),
            answered: count(&counts.answered),
            deadline_passed: count(&counts.deadline_passed),
            retries: count(&counts.retries),
            replicas: self.shared.replicas.snapshot(),
        }
    }

    /// When nobody will wait for an answer any more.
    fn due(&self) -> Instant {
        let own = now() + self.shared.deadline;
        let request = WorkContext::current().and_then(|context| context.deadline);
        request.map_or(own, |request| request.min(own))
    }

    async fn infer_by(&self, request: Request, due: Instant) -> Result<Response, InferError> {
        let (shared, began) = (&*self.shared, now());
        let counts = &shared.counts;
        add_one(&counts.requests);
        let answered = timeout_at(due.into(), shared.infer(request, due)).await;
        let answered = answered.unwrap_or_else(|_| {
            let after = now().saturating_duration_since(began);
            Err(InferErrorKind::DeadlinePassed { after })
        });
        match &answered {
            Ok(_) => add_one(&counts.answered),
            Err(InferErrorKind::DeadlinePassed { .. }) => add_one(&counts.deadline_passed),
            Err(_) => {}
        }
        answered.map_err(|kind| InferError::new(&shared.name, kind))
    }
}

impl Shared {
    async fn infer(&self, request: Request, due: Instant) -> Result<Response, InferErrorKind> {
        // Without a place in the queue: there would be nothing to wait for.
        if self.replicas.state() == BreakerState::Open {
            return Err(self.unavailable());
        }
        let _permit = self.gate.enter(Some(due)).await.map_err(refused)?;
        self.budget.deposit();
        let mut tried = Vec::new();
        let mut lease = self
            .replicas
            .choose(&tried)
            .ok_or_else(|| self.unavailable())?;
        loop {
            // Anew each time: it says how long there is left to answer it.
            let question = wire::write(&request, due.saturating_duration_since(now()));
            let failure = match lease.ask(question).await {
                Ok((version, outputs)) => {
                    return Ok(Response {
                        client: Arc::clone(&self.name),
                        model: request.model,
                        version,
                        outputs,
                    });
                }
                Err(failure) => failure,
            };
            tried.push(lease.index);
            match self.another(&failure, &request.model, &tried) {
                Some(other) => lease = other,
                None => return Err(self.give_up(&lease, failure, &request.model)),
            }
        }
    }

    /// A place at another replica after one has failed, where that is safe, and not so often that it makes an outage worse.
    fn another(&self, failure: &Failure, model: &str, tried: &[usize]) -> Option<Lease> {
        let is_safe =
            failure.is_unexecuted() || (failure.is_elsewhere_better() && self.is_idempotent(model));
        if !(is_safe && self.replicas.has_other(tried) && self.budget.withdraw()) {
            return None;
        }
        let other = self.replicas.choose(tried)?;
        add_one(&self.counts.retries);
        Some(other)
    }

    fn give_up(&self, lease: &Lease, failure: Failure, model: &str) -> InferErrorKind {
        let why = self.replicas.in_words(lease.index, &failure);
        match failure {
            Failure::Busy(retry_after) => InferErrorKind::Unavailable { why, retry_after },
            Failure::Unreachable(_) => self.unavailable(),
            // Whoever asks again does no harm, so that this may be said.
            Failure::Lost(_) if self.is_idempotent(model) => self.unavailable(),
            Failure::Late(_) => InferErrorKind::DeadlinePassed {
                after: lease.lasted(),
            },
            Failure::Rejected { status, message } => InferErrorKind::Rejected { status, message },
            Failure::Lost(_) | Failure::Useless(_) | Failure::TooLong(_) => {
                InferErrorKind::Failed(why)
            }
        }
    }

    fn unavailable(&self) -> InferErrorKind {
        let (why, retry_after) = self.replicas.why_none();
        InferErrorKind::Unavailable { why, retry_after }
    }

    fn is_idempotent(&self, model: &str) -> bool {
        self.idempotent.iter().any(|known| known == model)
    }
}

fn refused(error: GateError) -> InferErrorKind {
    match error {
        GateError::Refused { retry_after, .. } => InferErrorKind::Refused { retry_after },
        GateError::DeadlinePassed { waited } => InferErrorKind::DeadlinePassed { after: waited },
    }
}

fn add_one(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("name", &self.shared.name)
            .field("replicas", &self.shared.replicas)
            .finish_non_exhaustive()
    }
}
