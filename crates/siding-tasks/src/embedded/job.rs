//! What the writer's thread is asked to do.

use tokio::sync::oneshot;

use super::tx::Tx;
use super::writer::WeakWriter;
use crate::broker::BrokerError;

/// Something to run in a transaction, and somebody who waits for its answer.
pub(super) trait Job: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> rusqlite::Result<()>;
    fn answer(self: Box<Self>, outcome: Result<(), BrokerError>);
    fn is_wanted(&self) -> bool;
    fn durability(&self) -> Durability;
}

/// What an answer promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Durability {
    /// It survives the end of every process.
    Processes,
    /// It survives the end of the machine's power as well.
    Power,
}

impl Durability {
    /// SQLite's word for it.
    pub(super) const fn synchronous(self) -> &'static str {
        match self {
            Self::Processes => "NORMAL",
            Self::Power => "FULL",
        }
    }
}

/// A closure and who waits for its answer.
pub(super) struct Call<A, B, F> {
    pub(super) run: F,
    pub(super) answer: Option<A>,
    /// What the answer becomes once it is durable.
    pub(super) then: fn(A, &WeakWriter) -> B,
    pub(super) writer: WeakWriter,
    pub(super) durability: Durability,
    pub(super) reply: oneshot::Sender<Result<B, BrokerError>>,
}

impl<A, B, F> Job for Call<A, B, F>
where
    A: Send,
    B: Send,
    F: FnMut(&mut Tx<'_>) -> rusqlite::Result<A> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> rusqlite::Result<()> {
        self.answer = Some((self.run)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), BrokerError>) {
        let this = *self;
        let answer = outcome.and_then(|()| this.answer.ok_or(BrokerError::Closed));
        let answer = answer.map(|answer| (this.then)(answer, &this.writer));
        // Nobody may wait any more: the caller's future was dropped.
        drop(this.reply.send(answer));
    }

    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn durability(&self) -> Durability {
        self.durability
    }
}

/// A closure that nobody waits for.
pub(super) struct Post<F>(pub(super) F);

impl<F> Job for Post<F>
where
    F: FnMut(&mut Tx<'_>) -> rusqlite::Result<()> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> rusqlite::Result<()> {
        (self.0)(tx)
    }

    fn answer(self: Box<Self>, _: Result<(), BrokerError>) {}

    fn is_wanted(&self) -> bool {
        true
    }

    fn durability(&self) -> Durability {
        Durability::Processes
    }
}
