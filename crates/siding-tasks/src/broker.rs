//! What keeps messages until a worker has settled them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::message::{Exception, Message, Meta, Priority, RawJson, State, TaskId, Timestamp};
use crate::remote::Remote;
use crate::worker::WorkerSnapshot;

/// The future of a broker's answer.
pub type BrokerFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BrokerError>> + Send + 'a>>;

/// Keeps messages from the moment that [`enqueue`](Self::enqueue) answered until a worker has settled them, and results
/// after that.
///
/// A worker holds a message by a [`Lease`], which it renews while the task runs. A lease that runs out is over: the message
/// is delivered again, and whatever the late worker says about it is refused.
///
/// # Cancellation
/// Dropping a future gives up the answer; what was asked for may still happen.
pub trait Broker: fmt::Debug + Send + Sync + 'static {
    /// Accepts messages: all of them, or none. Answers in their order once they are durable.
    fn enqueue(&self, request: Enqueue) -> BrokerFuture<'_, Vec<Enqueued>>;

    /// Delivers messages that are due, the most urgent first, then the oldest. Returns at once, possibly with none. A broker
    /// that keeps no eta apart may deliver a message early: the worker holds it until it is due.
    fn claim(&self, request: ClaimRequest) -> BrokerFuture<'_, Claim>;

    /// Resolves when there may be something to claim that was not there at this call, or something has been revoked since.
    /// It counts from the call on, not from the first poll: call it, claim, and then await it, and nothing is missed. May
    /// resolve for nothing.
    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// How long a lease may last at most. A worker takes no longer ones.
    fn lease_max(&self) -> Duration {
        Duration::MAX
    }

    /// Renews leases for another full period. Answers in their order.
    fn renew(&self, leases: Vec<Lease>) -> BrokerFuture<'_, Vec<Renewal>>;

    /// Says that the task has started, where somebody asked for that. A broker whose leases tell by themselves has nothing to
    /// do. The end of the task may come before this was answered, and must stay.
    fn started(&self, lease: Lease) -> BrokerFuture<'_, ()> {
        drop(lease);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Ends a delivery: stores the result, takes the message out, and sends what follows, all or nothing. Counts it in
    /// its chord, whose body is sent when it was the last.
    fn settle(&self, lease: Lease, settlement: Settlement) -> BrokerFuture<'_, Settled>;

    /// Gives messages back unrun; they are due again at once.
    fn release(&self, leases: Vec<Lease>) -> BrokerFuture<'_, ()>;

    /// Says that a task is not to run, now or ever; of one that runs, that it should end.
    fn revoke(&self, id: TaskId, revocation: Revocation) -> BrokerFuture<'_, ()>;

    /// What is known of a task.
    fn find(&self, id: TaskId) -> BrokerFuture<'_, Found>;

    /// Resolves when the task is ready: at its end, or at once if it has been reached.
    fn finished(&self, id: TaskId) -> BrokerFuture<'_, Meta>;

    /// Makes `holder` the leader in `name` for `period`, or renews that. `false` says that another is.
    fn lead(&self, name: String, holder: String, period: Duration) -> BrokerFuture<'_, bool>;

    /// Gives the lead back, if `holder` has it.
    fn resign(&self, name: String, holder: String) -> BrokerFuture<'_, ()>;

    /// Who leads in `name`, if the broker can tell.
    fn leader(&self, name: String) -> BrokerFuture<'_, Option<String>> {
        drop(name);
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Keeps what a worker tells of itself for `period`, for [`workers`](Self::workers). A broker that cannot list workers does
    /// nothing.
    fn report(&self, worker: WorkerSnapshot, period: Duration) -> BrokerFuture<'_, ()> {
        drop((worker, period));
        Box::pin(std::future::ready(Ok(())))
    }

    /// Forgets the worker that reported as `holder`.
    fn leave(&self, holder: String) -> BrokerFuture<'_, ()> {
        drop(holder);
        Box::pin(std::future::ready(Ok(())))
    }

    /// The workers that have reported, and whose report still counts, by their names.
    fn workers(&self) -> BrokerFuture<'_, Vec<WorkerSnapshot>> {
        Box::pin(std::future::ready(Err(BrokerError::Unsupported(
            "this broker keeps no list of workers: these are the ones of this process; `celery inspect stats` and Flower show all"
                .to_owned(),
        ))))
    }

    /// How many tasks there are, by queue and state.
    fn overview(&self) -> BrokerFuture<'_, Vec<QueueCount>>;

    /// Tasks, the newest first.
    fn list(&self, filter: ListFilter) -> BrokerFuture<'_, Vec<Listed>>;

    /// Sends a task that failed or was revoked once more, under its id, with its retries at zero. `false` says that there is
    /// none, that its message is not kept, or that a task with its unique key waits or runs.
    fn replay(&self, id: TaskId) -> BrokerFuture<'_, bool>;

    /// Throws away at most `limit` messages that wait in `queue`, or in every queue, and returns how many there were. They
    /// end as revoked, without errbacks. Those that run are left alone.
    fn purge(&self, queue: Option<String>, limit: usize) -> BrokerFuture<'_, usize>;

    /// The number that stands for `priority` in this broker's messages, where it counts another way.
    fn priority_number(&self, priority: Priority) -> Priority {
        priority
    }

    /// Gives a message that names no queue the one that its task is routed to, as sending it does.
    fn route(&self, message: &mut Message) {
        let _ = message;
    }

    /// What its workers tell each other and those who watch them, if it carries that.
    fn remote(&self) -> Option<Arc<dyn Remote>> {
        None
    }
}

/// The tasks of one queue in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueCount {
    /// The queue.
    pub queue: String,
    /// The state.
    pub state: State,
    /// How many there are.
    pub tasks: u64,
}

/// Which tasks to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Only this one.
    pub id: Option<TaskId>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those of this name.
    pub task: Option<String>,
    /// Only those of this queue.
    pub queue: Option<String>,
    /// Only those older than this one: the last of the page before.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// A task in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Where it stands in the list; see [`ListFilter::before`].
    pub position: u64,
    /// What is known of it.
    pub meta: Meta,
    /// Its queue.
    pub queue: String,
    /// How urgent it is.
    pub priority: Priority,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it may start, while it waits.
    pub eta: Option<Timestamp>,
    /// How many times it was delivered.
    pub deliveries: u32,
    /// Its arguments and what else it carries, where that is still kept.
    pub message: Option<Message>,
}

/// Messages to accept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Enqueue {
    /// The messages.
    pub messages: Vec<Message>,
    /// For each chord among them, its group and how many tasks it has; without them nothing tells when it is complete.
    pub chords: Vec<(String, u32)>,
}

/// What became of one message at enqueuing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is there.
    Accepted,
    /// Nothing was sent: a task with the same unique key waits or runs already. Or this very id waits, runs or has succeeded,
    /// which is the answer to an enqueue that is repeated because its first answer was lost.
    Duplicate(TaskId),
    /// Its id was revoked before it came; it is stored as revoked.
    Revoked,
}

/// What a worker wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The worker's name, `name@host`.
    pub worker: String,
    /// The queues it serves.
    pub queues: Vec<String>,
    /// At most so many messages.
    pub limit: usize,
    /// How many of them may be of certain tasks. Tasks that no quota names are bound by `limit` alone.
    pub quotas: Vec<Quota>,
    /// Only messages of these tasks, as far as the broker can tell tasks apart; `None` wants any. Others are for other workers.
    pub known: Option<Vec<String>>,
    /// How long a lease lasts until it is renewed.
    pub lease: Duration,
}

/// At most how many messages of some tasks a worker wants, all of them together.
///
/// A broker that cannot tell tasks apart may deliver more, up to [`limit`](ClaimRequest::limit): they wait for their lane in
/// the worker, which renews their leases meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The names of the tasks. A task stands in one quota at most.
    pub tasks: Vec<String>,
    /// At most so many; with zero, none is wanted now.
    pub limit: usize,
}

/// What a worker gets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claim {
    /// The messages. Those that had expired are revoked and not among them.
    pub deliveries: Vec<Delivery>,
    /// When there will be something to claim at the latest: an eta that comes, a lease that runs out; now, when as many were
    /// delivered as were asked for. Messages whose [`Quota`] is used up do not count, even when they are due: it is for the
    /// worker to know when it wants more of them.
    pub next_at: Option<Timestamp>,
}

/// A message in a worker's hands.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The right to settle it.
    pub lease: Lease,
    /// The message.
    pub message: Message,
    /// How many times it was delivered, this one included. More than one says that a worker was lost, or stopped.
    pub deliveries: u32,
}

/// The right to settle a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The task.
    pub id: TaskId,
    /// Which delivery of it: a later one has a greater token, and makes this lease void.
    pub token: u64,
    /// The period it was claimed for, and is renewed for.
    pub period: Duration,
}

/// What became of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It lasts another period.
    Held,
    /// It lasts another period, but the task was revoked and should end.
    Revoked(Revocation),
    /// It is over. The message belongs to somebody else, or is settled.
    Lost,
}

/// How a task is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// If it runs, it goes on to its end.
    Ignore,
    /// If it runs, it is ended, as far as its lane can.
    Terminate,
}

/// How a delivery ends.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one of them for each task that runs"
)]
pub enum Settlement {
    /// It returned.
    Success {
        /// What it returned.
        result: RawJson,
        /// The tasks that it sent while it ran.
        children: Vec<TaskId>,
        /// What follows: callbacks, the next of the chain.
        successors: Enqueue,
    },
    /// It failed for good. It is kept as a dead letter, which can be sent again.
    Failure {
        /// Why.
        exception: Exception,
        /// Where, as text.
        traceback: Option<String>,
        /// The tasks that it sent while it ran.
        children: Vec<TaskId>,
        /// What follows: errbacks.
        successors: Enqueue,
    },
    /// It failed, and is to be tried again.
    Retry {
        /// The message that replaces it: the same id, one more retry, an eta.
        message: Message,
        /// Why.
        exception: Exception,
        /// Where, as text.
        traceback: Option<String>,
    },
    /// It was revoked, or expired.
    Revoked {
        /// `revoked`, `terminated` or `expired`.
        reason: String,
        /// What follows: errbacks.
        successors: Enqueue,
    },
}

/// Whether a settlement counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Settled {
    /// It did.
    Done,
    /// The lease was over; nothing has changed.
    Refused,
}

/// What is known of a task.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nobody keeps many, and nearly all of them are known"
)]
pub enum Found {
    /// Nothing: it was never here, or its result is gone.
    Unknown,
    /// This.
    Known(Meta),
}

/// Why a broker could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// It cannot now, and may later: full, locked, unreachable. Nothing was accepted.
    #[error("{0}")]
    Unavailable(String),
    /// It never will, as it is: corrupt, read-only, of a version to come.
    #[error("{0}")]
    Broken(String),
    /// It cannot do this, whatever its state. Says what can.
    #[error("{0}")]
    Unsupported(String),
    /// A message reaches no queue: its exchange is missing, or has no queue for its routing key. It can be sent once there is
    /// one.
    #[error("{0}")]
    Unroutable(String),
    /// It was shut down.
    #[error("the broker was shut down")]
    Closed,
}
