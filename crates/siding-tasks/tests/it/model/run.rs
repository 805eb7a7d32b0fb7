//! One sequence, on both.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prop_assert_eq;
use proptest::test_runner::TestCaseError;
use siding_tasks::{
    Broker as _, Embedded, Enqueue, Found, Lease, ManualClock, Message, Priority, Quota, Renewal,
    Revocation, Settled, Settlement, TaskId,
};
use tempfile::TempDir;

use super::Step;
use super::machine::{MAX_LOSSES, Machine};
use crate::support::{
    START, claim_request, exception, failure, message, settings, signature, success,
};

type Checked<T> = Result<T, TestCaseError>;

/// A delivery: the store's right to it, and the machine's.
#[derive(Clone)]
struct Held {
    lease: Lease,
    holder: u64,
    message: Message,
}

struct Both {
    store: Embedded,
    dir: TempDir,
    clock: Arc<ManualClock>,
    machine: Machine,
    /// Every delivery that ever was, for late workers.
    held: Vec<Held>,
    chords: usize,
}

fn open(dir: &Path, clock: &Arc<ManualClock>) -> Embedded {
    let mut settings = settings(clock);
    settings.max_losses = MAX_LOSSES;
    Embedded::open(dir, settings).unwrap()
}

pub(super) async fn run(steps: &[Step]) -> Checked<()> {
    let dir = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new(START));
    let mut both = Both {
        store: open(dir.path(), &clock),
        dir,
        clock,
        machine: Machine::new(START),
        held: Vec::new(),
        chords: 0,
    };
    for step in steps {
        both.step(step).await?;
        both.compare().await?;
    }
    Ok(())
}

impl Both {
    async fn step(&mut self, step: &Step) -> Checked<()> {
        match step {
            Step::Enqueue { .. } => {
                let sent = self.task(step);
                self.enqueue(sent).await
            }
            Step::EnqueueChord(size) => self.enqueue_chord(*size).await,
            Step::Claim { limit, quotas } => self.claim(*limit, *quotas).await,
            Step::Succeed(which) => self.succeed(*which).await,
            Step::Fail(which) => self.fail(*which).await,
            Step::Retry(which, eta_ms) => self.retry(*which, *eta_ms).await,
            Step::Release(which) => self.release(*which).await,
            Step::Renew(which) => self.renew(*which).await,
            Step::Revoke(which) => self.revoke(*which).await,
            Step::Replay(which) => self.replay(*which).await,
            Step::Purge => {
                let purged = self.store.purge(None, usize::MAX).await.unwrap();
                prop_assert_eq!(purged, self.machine.purge());
                Ok(())
            }
            Step::Pass(by) => {
                self.clock.advance(*by);
                self.machine.pass(*by);
                Ok(())
            }
            Step::Crash => {
                self.crash();
                Ok(())
            }
        }
    }

    fn task(&self, step: &Step) -> Message {
        let Step::Enqueue {
            id,
            priority,
            eta_ms,
            expires_ms,
            key,
        } = step
        else {
            unreachable!("only called for this step");
        };
        let after = |ms: u64| self.machine.now().after(Duration::from_millis(ms));
        let mut sent = message(&format!("t{id}"));
        sent.task = format!("tests.{}", id % 3);
        sent.priority = Priority::new(*priority).unwrap();
        sent.eta = eta_ms.map(after);
        sent.expires = expires_ms.map(after);
        sent.unique_key = key.map(|key| format!("k{key}"));
        sent
    }

    async fn enqueue(&mut self, sent: Message) -> Checked<()> {
        let request = Enqueue {
            messages: vec![sent.clone()],
            chords: vec![],
        };
        let answers = self.store.enqueue(request).await.unwrap();
        prop_assert_eq!(answers, [self.machine.enqueue(sent)]);
        Ok(())
    }

    async fn enqueue_chord(&mut self, size: usize) -> Checked<()> {
        self.chords += 1;
        let group = format!("g{}", self.chords);
        let part = |index: usize| {
            let mut part = message(&format!("{group}-{index}"));
            part.group = Some(group.clone());
            part.group_index = u32::try_from(index).ok();
            part.embed.chord = Some(signature(&format!("{group}-body")));
            part
        };
        let messages = (0..size).map(part).collect::<Vec<_>>();
        let request = Enqueue {
            messages: messages.clone(),
            chords: vec![(group.clone(), u32::try_from(size).unwrap())],
        };
        let answers = self.store.enqueue(request).await.unwrap();
        self.machine.expect_chord(&group, size);
        let expected = messages.into_iter().map(|part| self.machine.enqueue(part));
        prop_assert_eq!(answers, expected.collect::<Vec<_>>());
        Ok(())
    }

    async fn claim(&mut self, limit: usize, quotas: [Option<usize>; 2]) -> Checked<()> {
        let groups = [vec!["tests.0"], vec!["tests.1", "tests.task"]];
        let quotas = groups.into_iter().zip(quotas);
        let quotas = quotas.filter_map(|(tasks, limit)| {
            let tasks = tasks.into_iter().map(str::to_owned).collect();
            limit.map(|limit| Quota { tasks, limit })
        });
        let mut request = claim_request(limit);
        request.quotas = quotas.collect();
        let (expected, next_at) = self.machine.claim(limit, request.quotas.clone());
        let claim = self.store.claim(request).await.unwrap();
        let order = claim
            .deliveries
            .iter()
            .map(|one| (one.lease.id.clone(), one.deliveries));
        let wanted = expected
            .iter()
            .map(|(id, deliveries, _)| (id.clone(), *deliveries));
        prop_assert_eq!(order.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
        prop_assert_eq!(claim.next_at, next_at);
        for (delivery, (id, _, holder)) in claim.deliveries.into_iter().zip(expected) {
            let expected = self.machine.message(&id);
            prop_assert_eq!(Some(&delivery.message), expected.as_ref());
            self.held.push(Held {
                lease: delivery.lease,
                holder,
                message: delivery.message,
            });
        }
        Ok(())
    }

    /// A delivery, current or long over.
    fn some_held(&self, which: usize) -> Option<Held> {
        let newest = self.held.len().checked_sub(1)?;
        Some(self.held[newest - which % self.held.len()].clone())
    }

    async fn settle(&self, held: &Held, settlement: Settlement, expected: bool) -> Checked<()> {
        let settled = self
            .store
            .settle(held.lease.clone(), settlement)
            .await
            .unwrap();
        let expected = if expected {
            Settled::Done
        } else {
            Settled::Refused
        };
        prop_assert_eq!(settled, expected);
        Ok(())
    }

    async fn succeed(&mut self, which: usize) -> Checked<()> {
        let Some(held) = self.some_held(which) else {
            return Ok(());
        };
        let result = held.holder.to_string();
        let expected = self.machine.succeed(&held.lease.id, held.holder, &result);
        self.settle(&held, success(&result), expected).await
    }

    async fn fail(&mut self, which: usize) -> Checked<()> {
        let Some(held) = self.some_held(which) else {
            return Ok(());
        };
        let expected = self.machine.fail(&held.lease.id, held.holder);
        self.settle(&held, failure("boom"), expected).await
    }

    async fn retry(&mut self, which: usize, eta_ms: Option<u64>) -> Checked<()> {
        let Some(held) = self.some_held(which) else {
            return Ok(());
        };
        let mut message = held.message.clone();
        message.retries += 1;
        message.eta = eta_ms.map(|ms| self.machine.now().after(Duration::from_millis(ms)));
        let expected = self
            .machine
            .retry(&held.lease.id, held.holder, message.clone());
        let settlement = Settlement::Retry {
            message,
            exception: exception("again"),
            traceback: None,
        };
        self.settle(&held, settlement, expected).await
    }

    async fn release(&mut self, which: usize) -> Checked<()> {
        let Some(held) = self.some_held(which) else {
            return Ok(());
        };
        self.machine.release(&held.lease.id, held.holder);
        self.store.release(vec![held.lease]).await.unwrap();
        Ok(())
    }

    async fn renew(&mut self, which: usize) -> Checked<()> {
        let Some(held) = self.some_held(which) else {
            return Ok(());
        };
        let expected = match self.machine.renew(&held.lease.id, held.holder) {
            None => Renewal::Lost,
            Some(false) => Renewal::Held,
            Some(true) => Renewal::Revoked(Revocation::Ignore),
        };
        let renewals = self.store.renew(vec![held.lease]).await.unwrap();
        prop_assert_eq!(renewals, [expected]);
        Ok(())
    }

    /// One that is known, or one that is not there yet.
    fn some_id(&self, which: usize) -> TaskId {
        let ids = self.machine.ids();
        match ids.get(which) {
            Some(id) => id.clone(),
            None => TaskId::from(format!("t{}", which % 8)),
        }
    }

    async fn revoke(&mut self, which: usize) -> Checked<()> {
        let id = self.some_id(which);
        self.machine.revoke(&id);
        self.store.revoke(id, Revocation::Ignore).await.unwrap();
        Ok(())
    }

    async fn replay(&mut self, which: usize) -> Checked<()> {
        let id = self.some_id(which);
        let replayed = self.store.replay(id.clone()).await.unwrap();
        prop_assert_eq!(replayed, self.machine.replay(&id));
        Ok(())
    }

    /// Goes on with what was on the disk at this moment, and nothing else.
    fn crash(&mut self) {
        let image = TempDir::new().unwrap();
        for name in ["tasks.db", "tasks.db-wal"] {
            std::fs::copy(self.dir.path().join(name), image.path().join(name)).unwrap();
        }
        self.store = open(image.path(), &self.clock);
        self.dir = image;
    }

    async fn compare(&self) -> Checked<()> {
        for id in self.machine.ids() {
            let found = match self.store.find(id.clone()).await.unwrap() {
                Found::Known(meta) => Some(meta.state),
                Found::Unknown => None,
            };
            prop_assert_eq!(found, self.machine.state(&id), "the state of {}", id);
        }
        let counts = self.store.overview().await.unwrap();
        let total = counts.iter().map(|count| count.tasks).sum::<u64>();
        prop_assert_eq!(total, u64::try_from(self.machine.ids().len()).unwrap());
        Ok(())
    }
}
