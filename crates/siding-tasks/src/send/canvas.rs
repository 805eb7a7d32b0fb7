//! Chains, groups and chords in code.

use std::fmt;
use std::marker::PhantomData;
use std::ops::BitOr;
use std::time::Duration;

use super::{SendError, enqueue};
use crate::broker::Enqueue;
use crate::canvas::{NEUTRAL_PRIORITY, Shape, expand, freeze, leaves, number_priorities};
use crate::message::{Destination, Exchange, Priority, Signature, SignatureOptions, TaskId};
use crate::result::{AsyncResult, GroupResult};
use crate::tasks::Tasks;

/// Work to be sent: one call, or several and what leads from one to the other, with a `T` at the end.
///
/// ```
/// use siding_tasks::{Task, chord};
///
/// # async fn send(add: Task<(i64, i64), i64>, sum: Task<(Vec<i64>,), i64>) -> Result<(), Box<dyn std::error::Error>> {
/// let chain = add.s((1, 2)) | add.s((10,)); // 1 + 2, then + 10
/// let total = chord([add.s((1, 1)), add.s((2, 2))], sum.s(()));
/// let result = (chain | add.s((5,))).delay().await?;
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent unless `delay` is awaited"]
pub struct Canvas<T> {
    tasks: Tasks,
    /// What went wrong on the way is told at the end.
    signature: Result<Signature, SendError>,
    marker: PhantomData<fn() -> T>,
}

impl<T> Canvas<T> {
    pub(crate) fn new(tasks: Tasks, signature: Result<Signature, SendError>) -> Self {
        Self {
            tasks,
            signature,
            marker: PhantomData,
        }
    }

    /// Its signature, as it stands in messages.
    ///
    /// # Errors
    /// When an argument has no form in JSON.
    pub fn into_signature(self) -> Result<Signature, SendError> {
        self.signature
    }

    pub(crate) fn frozen(self) -> Result<Signature, SendError> {
        let mut signature = self.signature?;
        freeze(&mut signature)?;
        Ok(signature)
    }

    fn change<E: Into<SendError>>(
        mut self,
        change: impl FnOnce(&mut Signature) -> Result<(), E>,
    ) -> Self {
        self.signature = self.signature.and_then(|mut signature| {
            change(&mut signature).map_err(Into::into)?;
            Ok(signature)
        });
        self
    }

    fn set<V: serde::Serialize + ?Sized>(self, name: &str, value: &V) -> Self {
        self.change(|signature| {
            signature.set(name, value);
            Ok::<(), SendError>(())
        })
    }

    /// The same, taking no result of what comes before it.
    pub fn immutable(self) -> Self {
        self.change(|signature| {
            signature.immutable = true;
            Ok::<(), SendError>(())
        })
    }

    /// `next` with this one's result before its own arguments: Celery's `|`.
    pub fn then<U>(self, next: Canvas<U>) -> Canvas<U> {
        join(self.tasks, [self.signature, next.signature])
    }

    /// The group `next`, each of its tasks with this one's result before its own arguments.
    pub fn then_group<U>(self, next: Group<U>) -> Group<U> {
        Group(self.then(next.0))
    }

    /// The same, with a result that is read as a `U`.
    pub fn cast<U>(self) -> Canvas<U> {
        Canvas::new(self.tasks, self.signature)
    }

    /// The same with a signature that was changed: for what Celery knows and there is no method for.
    pub fn map_signature(self, change: impl FnOnce(&mut Signature)) -> Self {
        self.change(|signature| {
            change(signature);
            Ok::<(), SendError>(())
        })
    }

    /// The queue; of a chain, the first task's.
    pub fn queue(self, queue: &str) -> Self {
        self.map_signature(|signature| signature.wait_in(queue))
    }

    /// The exchange that it is sent to, and its routing key; of a chain, the first task's. See [`ApplyAsync::exchange`].
    ///
    /// [`ApplyAsync::exchange`]: crate::ApplyAsync::exchange
    pub fn exchange(self, exchange: Exchange, routing_key: &str) -> Self {
        let destination = Destination::new(exchange, routing_key);
        self.map_signature(|signature| signature.send_to(&destination))
    }

    /// Every worker with the queue `Broadcast(name)` runs it; of a chain, the first task. See [`ApplyAsync::broadcast`].
    ///
    /// [`ApplyAsync::broadcast`]: crate::ApplyAsync::broadcast
    pub fn broadcast(self, name: &str) -> Self {
        self.map_signature(|signature| signature.send_to(&Destination::broadcast(name)))
    }

    /// How urgent it is; of a chain, the first task.
    pub fn priority(self, priority: Priority) -> Self {
        self.set(NEUTRAL_PRIORITY, &priority.get())
    }

    /// It waits so long once it is sent; of a chain, the first task.
    pub fn countdown(self, delay: Duration) -> Self {
        self.set("countdown", &delay.as_secs_f64())
    }

    /// It is revoked when it has not started so long after it was sent; of a chain, the first task.
    pub fn expires_in(self, period: Duration) -> Self {
        self.set("expires", &period.as_secs_f64())
    }

    /// The id; of a chain, the last task's.
    pub fn task_id(self, id: impl Into<TaskId>) -> Self {
        self.change(|signature| {
            signature.options.task_id = Some(id.into());
            Ok::<(), SendError>(())
        })
    }

    /// Sends `next` with the result when it has succeeded.
    pub fn link<U>(self, next: Canvas<U>) -> Self {
        let next = next.frozen();
        self.change(|signature| {
            signature.extend("link", &[next?])?;
            Ok::<(), SendError>(())
        })
    }

    /// Sends `next` with the id of what failed for good.
    pub fn link_error<U>(self, next: Canvas<U>) -> Self {
        let next = next.frozen();
        self.change(|signature| {
            signature.extend("link_error", &[next?])?;
            Ok::<(), SendError>(())
        })
    }

    /// Sends what comes first; the rest follows as it can. It is durable when this returns, and cannot be lost on its way:
    /// the end of a task and what follows it are one step of the broker.
    ///
    /// # Errors
    /// When there is no broker yet, an argument has no form in JSON, or the broker does not take it.
    pub async fn delay(self) -> Result<AsyncResult<T>, SendError> {
        let tasks = self.tasks.clone();
        let (_, ids) = self.send().await?;
        let id = ids.into_iter().next().unwrap_or_else(TaskId::new);
        Ok(AsyncResult::new(tasks, id))
    }

    async fn send(self) -> Result<(TaskId, Vec<TaskId>), SendError> {
        let tasks = self.tasks.clone();
        let signature = self.frozen()?;
        let broker = tasks.broker()?;
        let signature = number_priorities(signature, |priority| broker.priority_number(priority))?;
        let group = signature.options.task_id.clone();
        let ids = leaves(&signature)?;
        let mut request = Enqueue::default();
        expand(signature, &[], &tasks.family(), &mut request)?;
        enqueue(&tasks, request).await?;
        Ok((group.unwrap_or_else(TaskId::new), ids))
    }
}

impl<T, U> BitOr<Canvas<U>> for Canvas<T> {
    type Output = Canvas<U>;

    fn bitor(self, next: Canvas<U>) -> Canvas<U> {
        self.then(next)
    }
}

impl<T, U> BitOr<Group<U>> for Canvas<T> {
    type Output = Group<U>;

    fn bitor(self, next: Group<U>) -> Group<U> {
        self.then_group(next)
    }
}

/// A group followed by something is a chord.
impl<T, U> BitOr<Canvas<U>> for Group<T> {
    type Output = Canvas<U>;

    fn bitor(self, next: Canvas<U>) -> Canvas<U> {
        self.0.then(next)
    }
}

/// Work that ends in several results.
#[must_use = "nothing is sent unless `delay` is awaited"]
pub struct Group<T>(Canvas<Vec<T>>);

impl<T> Group<T> {
    /// The same as one whose result is the list of all: to be a step of a chain, or a part of a group.
    pub fn into_canvas(self) -> Canvas<Vec<T>> {
        self.0
    }

    /// Sends all tasks. They are durable when this returns.
    ///
    /// # Errors
    /// As [`Canvas::delay`].
    pub async fn delay(self) -> Result<GroupResult<T>, SendError> {
        let tasks = self.0.tasks.clone();
        let (id, members) = self.0.send().await?;
        Ok(GroupResult::new(&tasks, id, members))
    }
}

fn join<T, const N: usize>(tasks: Tasks, steps: [Result<Signature, SendError>; N]) -> Canvas<T> {
    let signature = steps
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map(|steps| Shape::Chain(steps).sign(SignatureOptions::default()));
    Canvas::new(tasks, signature)
}

/// All signatures, and the tasks they are of.
fn signatures<T>(
    list: impl IntoIterator<Item = Canvas<T>>,
) -> (Option<Tasks>, Result<Vec<Signature>, SendError>) {
    let mut tasks = None;
    let signatures = list
        .into_iter()
        .map(|part| {
            tasks.get_or_insert(part.tasks);
            part.signature
        })
        .collect();
    (tasks, signatures)
}

/// Tasks after each other, each with the result of the one before: as `|`, for a list.
///
/// # Panics
/// When there are none.
pub fn chain<T>(steps: impl IntoIterator<Item = Canvas<T>>) -> Canvas<T> {
    let (tasks, steps) = signatures(steps);
    let signature = steps.map(|steps| Shape::Chain(steps).sign(SignatureOptions::default()));
    Canvas::new(tasks.expect("a chain has steps"), signature)
}

/// Tasks beside each other.
///
/// # Panics
/// When there are none.
pub fn group<T>(members: impl IntoIterator<Item = Canvas<T>>) -> Group<T> {
    let (tasks, members) = signatures(members);
    let signature = members.map(|members| Shape::Group(members).sign(SignatureOptions::default()));
    Group(Canvas::new(tasks.expect("a group has members"), signature))
}

/// Tasks beside each other, and `body` with the list of all results when every one has succeeded. If one fails for good,
/// `body` fails with a `ChordError`.
pub fn chord<T, U>(header: impl IntoIterator<Item = Canvas<T>>, body: Canvas<U>) -> Canvas<U> {
    let (_, header) = signatures(header);
    let signature = header.and_then(|header| {
        let shape = Shape::Chord {
            header,
            group: None,
            body: body.signature?,
        };
        Ok(shape.sign(SignatureOptions::default()))
    });
    Canvas::new(body.tasks, signature)
}

impl<T> fmt::Debug for Canvas<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Canvas").field(&self.signature).finish()
    }
}

impl<T> fmt::Debug for Group<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Group").field(&self.0.signature).finish()
    }
}
