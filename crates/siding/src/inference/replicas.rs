//! Which replica gets the next request, and who finds out when one that failed is well again.
//!
//! The one with the fewest outstanding requests is chosen, by lot among equals: a slow replica has more outstanding, and so gets fewer,
//! without anybody measuring it. Who said it was busy comes last, as otherwise a replica that refuses at once would look idle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use hyper::rt::Executor;
use tokio::time::{sleep_until, timeout};

use super::breaker::{BreakerState, Probed, Shift, Turn};
use super::replica::{Replica, ReplicaSnapshot};
use super::transport::{Answer, Failure, OnTheEventLoop, Transport};
use super::wire::Question;

/// A replica that does not say within this that it is ready is not.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// A replica that is busy is asked again after this at most, whatever it said: others may have it idle sooner.
const BUSY_MAX: Duration = Duration::from_secs(1);
/// Nobody is told to come back sooner than this.
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);

/// The replicas of one service.
#[derive(Debug)]
pub(super) struct Replicas {
    client: Arc<str>,
    transport: Transport,
    /// Who had a request for so long and did not answer is to blame for it.
    patience: Duration,
    list: Mutex<Vec<Replica>>,
}

/// A request's place at one replica. Dropped before it has ended, it ends as given up.
#[derive(Debug)]
#[must_use]
pub(super) struct Lease {
    replicas: Arc<Replicas>,
    pub(super) index: usize,
    turn: Turn,
    since: Instant,
    ended: Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Yes,
    No,
}

impl Replicas {
    pub(super) fn new(
        client: Arc<str>,
        transport: Transport,
        patience: Duration,
        list: Vec<Replica>,
    ) -> Self {
        Self {
            client,
            transport,
            patience,
            list: Mutex::new(list),
        }
    }

    /// A place at the best replica that was not tried yet; `None` where none takes requests.
    pub(super) fn choose(self: &Arc<Self>, tried: &[usize]) -> Option<Lease> {
        let now = now();
        let mut list = self.lock();
        let index = best(&list, tried, now)?;
        let turn = list[index].admit()?;
        drop(list);
        Some(Lease {
            replicas: Arc::clone(self),
            index,
            turn,
            since: now,
            ended: Ended::No,
        })
    }

    /// Whether a replica that was not tried yet takes requests.
    pub(super) fn has_other(&self, tried: &[usize]) -> bool {
        best(&self.lock(), tried, now()).is_some()
    }

    /// `Open` when every replica is, `Closed` when one is, and otherwise `HalfOpen`.
    pub(super) fn state(&self) -> BreakerState {
        let list = self.lock();
        let any = |state| list.iter().any(|replica| replica.breaker.state() == state);
        if any(BreakerState::Closed) {
            BreakerState::Closed
        } else if any(BreakerState::HalfOpen) {
            BreakerState::HalfOpen
        } else {
            BreakerState::Open
        }
    }

    /// What each said last, and when the first of them will be asked again.
    pub(super) fn why_none(&self) -> (String, Duration) {
        let now = now();
        let list = self.lock();
        let words: Vec<_> = list.iter().map(Replica::last_words).collect();
        let open = list
            .iter()
            .filter_map(|replica| replica.breaker.open_until());
        let wait = open.min().map(|until| until.saturating_duration_since(now));
        let wait = wait.unwrap_or_default().max(RETRY_AFTER_MIN);
        (words.join("; "), wait)
    }

    pub(super) fn snapshot(&self) -> Vec<ReplicaSnapshot> {
        let now = now();
        self.lock()
            .iter()
            .map(|replica| replica.snapshot(now))
            .collect()
    }

    /// Whether one of them says that it is ready.
    pub(super) async fn check(&self) -> Result<(), String> {
        let endpoints: Vec<_> = self.lock().iter().map(|one| one.endpoint.clone()).collect();
        let mut said = Vec::new();
        for endpoint in endpoints {
            match self.transport.is_ready(&endpoint).await {
                Ok(()) => return Ok(()),
                Err(why) => said.push(format!("{} {why}", endpoint.name())),
            }
        }
        Err(said.join("; "))
    }

    /// The words that go with a failure of a replica.
    pub(super) fn in_words(&self, index: usize, failure: &Failure) -> String {
        format!("{} {failure}", self.lock()[index].endpoint.name())
    }

    fn failed(self: &Arc<Self>, index: usize, turn: Turn, why: &str) {
        let mut list = self.lock();
        let replica = &mut list[index];
        let url = Arc::clone(replica.endpoint.name());
        let shift = replica.failed(turn, why.to_owned(), now());
        drop(list);
        if let Some(Shift::Opened(time)) = shift {
            tracing::warn!(
                "{}: {url} is left alone for {time:?}: it {why}",
                self.client
            );
            OnTheEventLoop.execute(probe(Arc::downgrade(self), index));
        }
    }

    fn answered(&self, index: usize, turn: Turn) {
        let mut list = self.lock();
        let replica = &mut list[index];
        replica.busy_until = None;
        if let Some(Shift::Closed) = replica.breaker.succeeded(turn) {
            let url = Arc::clone(replica.endpoint.name());
            drop(list);
            tracing::info!("{}: {url} is well again", self.client);
        }
    }

    fn probed(&self, index: usize, found: Result<(), String>) -> Probed {
        let mut list = self.lock();
        let replica = &mut list[index];
        let ready = found.is_ok();
        if let Err(why) = found {
            replica.note(why);
        }
        replica.breaker.probed(ready, now())
    }

    /// Nothing in it panics half-way, so a poisoned lock means nothing.
    fn lock(&self) -> MutexGuard<'_, Vec<Replica>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Asks the replica.
    pub(super) async fn ask(&mut self, question: Question) -> Result<Answer, Failure> {
        let endpoint = self.replicas.lock()[self.index].endpoint.clone();
        let answered = self.replicas.transport.ask(&endpoint, question).await;
        // As good as no answer: it is ended as one, when this is dropped.
        if !matches!(answered, Err(Failure::Late(_))) {
            self.end(answered.as_ref().err());
        }
        answered
    }

    /// How long it has lasted.
    pub(super) fn lasted(&self) -> Duration {
        now().saturating_duration_since(self.since)
    }

    /// Ends it with what became of the request.
    fn end(&mut self, failure: Option<&Failure>) {
        self.ended = Ended::Yes;
        self.replicas.lock()[self.index].outstanding -= 1;
        match failure {
            Some(failure) if failure.is_fault() => {
                let why = failure.to_string();
                self.replicas.failed(self.index, self.turn, &why);
            }
            Some(Failure::Busy(time)) => {
                let mut list = self.replicas.lock();
                let replica = &mut list[self.index];
                replica.busy_until = Some(now() + (*time).min(BUSY_MAX));
                replica.breaker.withdrew(self.turn);
            }
            // Who refuses a question works.
            _ => self.replicas.answered(self.index, self.turn),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.ended == Ended::Yes {
            return;
        }
        let mut list = self.replicas.lock();
        list[self.index].outstanding -= 1;
        let after = self.lasted();
        // A caller that came with little time left says nothing about the replica.
        if after < self.replicas.patience {
            list[self.index].breaker.withdrew(self.turn);
            return;
        }
        drop(list);
        let why = format!("gave no answer within {after:.1?}");
        self.replicas.failed(self.index, self.turn, &why);
    }
}

/// The replica to ask next.
fn best(list: &[Replica], tried: &[usize], now: Instant) -> Option<usize> {
    let admitting = list
        .iter()
        .enumerate()
        .filter(|(index, replica)| replica.breaker.is_admitting() && !tried.contains(index));
    // The lot is drawn for each beforehand, which is fair among equals.
    let ranked = admitting.map(|(index, replica)| (replica.rank(now), fastrand::u64(..), index));
    ranked.min().map(|(.., index)| index)
}

/// Asks a replica that is left alone, each time its time is over, until it is ready. It ends with the client.
async fn probe(replicas: Weak<Replicas>, index: usize) {
    loop {
        let Some((transport, endpoint, due)) = replicas.upgrade().map(|replicas| {
            let list = replicas.lock();
            let replica = &list[index];
            let transport = replicas.transport.clone();
            (transport, replica.endpoint.clone(), replica.breaker.due())
        }) else {
            return;
        };
        let Probed::WaitUntil(until) = due else {
            return;
        };
        sleep_until(until.into()).await;
        let found = timeout(PROBE_LIMIT, transport.is_ready(&endpoint)).await;
        let found = found.unwrap_or_else(|_| Err(format!("is not ready within {PROBE_LIMIT:?}")));
        match replicas
            .upgrade()
            .map(|replicas| replicas.probed(index, found))
        {
            Some(Probed::WaitUntil(_)) => {}
            Some(Probed::Done) | None => return,
        }
    }
}

/// Tokio's clock, so that a test may stop it.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
