//! One route: where it runs now, what was seen of it, and what was decided.

use std::future::Future;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::advice::advice;
use super::conviction::{Record, Ruling};
use super::evidence::{Evidence, PendingStack};
use super::meter::{Meter, Reading};
use super::placed::Placed;
use super::registry::Court;
use super::snapshot::{Pulse, RouteSnapshot};
use super::spec::{Move, MoveReason, RouteSpec};
use super::verdict::Verdict;
use crate::context::{RouteId, WorkContext};
use crate::event::Event;
use crate::histogram::{Counts, Histogram};
use crate::lane::{FunctionError, Job, LaneKind, Passage};

/// So many of a route's latest moves are kept for people to see.
const MOVES_KEPT: usize = 16;

/// One route of a runtime.
#[derive(Debug)]
pub struct Route {
    id: RouteId,
    spec: RouteSpec,
    court: Arc<Court>,
    /// Where the next poll goes, as a `LaneKind`: the settled lane, or the one that a diversion leads to. Read by every
    /// poll, written under `state`. It publishes nothing but itself, so relaxed accesses do.
    lane: AtomicU8,
    state: Mutex<State>,
    stalls: AtomicU64,
    /// Moves, and changes of the evidence. Written under `state`; relaxed, because who sees a new one takes that lock.
    decisions: AtomicU64,
    latency: Histogram,
}

#[derive(Debug)]
struct State {
    settled: LaneKind,
    /// Stalls of this route that last now.
    stalling: usize,
    record: Record,
    evidence: Option<Evidence>,
    moves: Vec<Move>,
    /// How many moves there were, those that are not kept included.
    moved: u64,
    /// The verdict whose advice was published last. A pinned route is convicted again and again of the same.
    published: Option<Verdict>,
}

impl Route {
    pub(super) fn new(id: RouteId, spec: RouteSpec, court: Arc<Court>) -> Self {
        let state = State {
            settled: spec.declared,
            stalling: 0,
            record: Record::default(),
            evidence: None,
            moves: Vec::new(),
            moved: 0,
            published: None,
        };
        Self {
            id,
            lane: AtomicU8::new(spec.declared as u8),
            spec,
            court,
            state: Mutex::new(state),
            stalls: AtomicU64::new(0),
            decisions: AtomicU64::new(0),
            latency: Histogram::default(),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> RouteId {
        self.id
    }

    /// How it was declared.
    #[must_use]
    pub fn spec(&self) -> &RouteSpec {
        &self.spec
    }

    /// Where the next poll goes.
    #[must_use]
    pub fn lane(&self) -> LaneKind {
        LaneKind::from_repr(self.lane.load(Ordering::Relaxed))
    }

    /// Runs `future` where this route belongs: on the event loop, or poll by poll on the lane it was moved to.
    pub fn place<F>(self: &Arc<Self>, deadline: Option<Instant>, future: F) -> Placed<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Placed::new(Arc::clone(self), self.context(deadline), Box::pin(future))
    }

    /// Runs the plain function `f` where this route belongs: on the threads, or on the compute lane if it was declared
    /// or moved there. Dropping the job before it runs drops `f` unrun. A closure cannot go to another process: of a route
    /// that is declared for the process lane it runs on the threads.
    pub fn call<F, R>(self: &Arc<Self>, deadline: Option<Instant>, f: F) -> Job<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let lane = match self.lane() {
            LaneKind::EventLoop | LaneKind::Processes => LaneKind::Threads,
            lane @ (LaneKind::Threads | LaneKind::Compute) => lane,
        };
        let route = Arc::clone(self);
        let f = Passage::begin(lane).carry(move || route.measure(lane, f));
        self.court.lanes.run(lane, self.context(deadline), f)
    }

    /// Runs the function `name` in a child process, wherever this route is declared; see
    /// [`Processes::call`](crate::Processes::call).
    pub fn call_process(
        &self,
        deadline: Option<Instant>,
        name: &str,
        arguments: Vec<u8>,
    ) -> Job<Result<Vec<u8>, FunctionError>> {
        self.court
            .lanes
            .processes
            .call(self.context(deadline), name, arguments)
    }

    /// Counts one finished request: the time from its head to its response.
    pub fn record(&self, latency: Duration) {
        self.latency.record(latency);
    }

    /// How often it was convicted.
    #[must_use]
    pub fn convictions(&self) -> u32 {
        self.state().record.convictions()
    }

    /// The figures now.
    #[must_use]
    pub fn snapshot(&self) -> RouteSnapshot {
        let state = self.state();
        let advice = state
            .evidence
            .as_ref()
            .and_then(|evidence| advice(&self.spec, state.settled, evidence));
        RouteSnapshot {
            id: self.id,
            spec: self.spec.clone(),
            settled: state.settled,
            lane: self.lane(),
            stalls: self.stalls.load(Ordering::Relaxed),
            convictions: state.record.convictions(),
            evidence: state.evidence.clone(),
            moves: state.moves.clone(),
            latency: self.latency.snapshot(),
            advice,
        }
    }

    /// Says whether [`snapshot`](Self::snapshot) would tell anything new.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        Pulse {
            latency_sum_ns: self.latency.sum_ns(),
            stalls: self.stalls.load(Ordering::Relaxed),
            lane: self.lane(),
            decisions: self.decisions.load(Ordering::Relaxed),
        }
    }

    /// Its latest moves, but for the first `seen` of all that there were, oldest first; and how many there were by now.
    #[must_use]
    pub fn moves_since(&self, seen: u64) -> (u64, Vec<Move>) {
        let state = self.state();
        let new = usize::try_from(state.moved.saturating_sub(seen)).unwrap_or(usize::MAX);
        let kept = state.moves.len().saturating_sub(new);
        (state.moved, state.moves[kept..].to_vec())
    }

    /// The latencies of its requests so far, to compare with later ones.
    #[must_use]
    pub fn latencies(&self) -> Counts {
        self.latency.counts()
    }

    fn context(&self, deadline: Option<Instant>) -> WorkContext {
        WorkContext::new(self.id).with_deadline(deadline)
    }

    pub(super) fn court(&self) -> &Court {
        &self.court
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A poll of this route began to stall the event loop.
    pub(crate) fn stall_began(&self) {
        self.stalls.fetch_add(1, Ordering::Relaxed);
        self.state().stalling += 1;
    }

    /// Until the stall is over, other polls of this route go where they do not stall the event loop.
    pub(crate) fn divert(&self, verdict: &Verdict) {
        let state = self.state();
        let movable = state.settled == LaneKind::EventLoop && self.spec.movable();
        if let (Some(lane), true) = (verdict.right_lane(), movable) {
            self.lane.store(lane as u8, Ordering::Relaxed);
        }
    }

    /// A stalled poll of this route ended.
    pub(crate) fn stall_ended(&self) {
        let mut state = self.state();
        state.stalling -= 1;
        if state.stalling == 0 {
            self.lane.store(state.settled as u8, Ordering::Relaxed);
        }
    }

    /// Weighs a poll that held its thread for too long. `first` says that this poll was not weighed before. Returns
    /// whether it convicts the route, and moves it if so and if it may be moved.
    pub(crate) fn weigh(&self, evidence: &Evidence, first: bool) -> bool {
        let Some(right) = evidence.verdict.right_lane() else {
            return false;
        };
        let mut state = self.state();
        if right == state.settled {
            return false;
        }
        let ruling =
            state
                .record
                .offence(&self.court.rules, Instant::now(), evidence.lasted, first);
        if ruling == Ruling::Acquitted {
            return false;
        }
        state.evidence = Some(evidence.clone());
        self.decided();
        if self.spec.movable() {
            self.settle(state, right, MoveReason::Convicted);
        }
        true
    }

    /// Brings the evidence up to date while the poll that convicted the route goes on.
    pub(crate) fn update_evidence(&self, evidence: &Evidence) {
        let mut state = self.state();
        if let Some(kept) = state
            .evidence
            .as_mut()
            .filter(|kept| kept.is_of_the_same_poll(evidence))
        {
            *kept = evidence.clone();
            self.decided();
        }
    }

    /// Runs `f`, one poll or one plain function of this route, on the calling thread of `lane`, and judges it.
    pub(super) fn measure<R>(&self, lane: LaneKind, f: impl FnOnce() -> R) -> R {
        let meter = Meter::start(lane, self.court.stall_threshold);
        let result = f();
        match meter.stop() {
            None => self.was_short(lane),
            Some(reading) => self.was_long(lane, reading),
        }
        result
    }

    fn was_short(&self, lane: LaneKind) {
        if lane == self.spec.declared {
            return;
        }
        let mut state = self.state();
        let displaced = state.settled == lane;
        if displaced
            && state
                .record
                .good_behaviour(&self.court.rules, Instant::now())
        {
            self.settle(state, self.spec.declared, MoveReason::Trial);
        }
    }

    fn was_long(&self, lane: LaneKind, reading: Reading) {
        let evidence = Evidence {
            route: self.id,
            lane,
            at: SystemTime::now(),
            lasted: reading.wall,
            verdict: reading.verdict,
            stack: PendingStack::default(),
        };
        self.state().record.misbehaved();
        let convicted = lane == self.state().settled && self.weigh(&evidence, true);
        if convicted {
            self.publish_advice();
        }
    }

    /// Says what to change, now that the evidence is complete: once for each cause.
    pub(crate) fn publish_advice(&self) {
        let RouteSnapshot {
            evidence: Some(evidence),
            advice: Some(advice),
            ..
        } = self.snapshot()
        else {
            return;
        };
        let before = self.state().published.replace(evidence.verdict.clone());
        if before.is_none_or(|before| !before.has_the_cause_of(&evidence.verdict)) {
            self.court.observers.emit(&Event::Advice {
                route: self.id,
                advice,
            });
        }
    }

    fn decided(&self) {
        self.decisions.fetch_add(1, Ordering::Relaxed);
    }

    /// Moves the route. Takes the lock to give it back before anybody is told.
    fn settle(&self, mut state: MutexGuard<'_, State>, to: LaneKind, reason: MoveReason) {
        let from = std::mem::replace(&mut state.settled, to);
        self.lane.store(to as u8, Ordering::Relaxed);
        if state.moves.len() == MOVES_KEPT {
            state.moves.remove(0);
        }
        state.moved += 1;
        state.moves.push(Move {
            at: SystemTime::now(),
            from,
            to,
            reason,
        });
        self.decided();
        self.court.moves.fetch_add(1, Ordering::Relaxed);
        drop(state);
        self.court.observers.emit(&Event::Moved {
            route: self.id,
            from,
            to,
            reason,
        });
    }
}
