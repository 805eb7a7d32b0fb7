//! The one that looks, for all listeners.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;
use siding_runtime::{Counts, Handle, Pulse, Route, RouteId};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Frame, Live};
use crate::admin::tasks;
use crate::admin::wire::{Occupancy, RouteMoved, RoutesNow, Summary, stall, stall_key};

/// How often it looks for stalls and moves, which costs next to nothing while there are none.
const LOOK: Duration = Duration::from_millis(100);
/// Looks for stalls from one look at lanes and routes to the next.
const LOOKS_A_SAMPLE: u32 = 10;
/// What has not changed is told this often all the same.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// How often tasks are counted.
const TASKS_EVERY: Duration = Duration::from_secs(2);
/// Counting takes a twentieth of the time at most.
const TASKS_SHARE: u32 = 20;
/// Routes that are looked at in one go, before others have their turn.
const ROUTES_A_TURN: usize = 100;

/// Looks at the runtime, and tells listeners what has changed.
#[derive(Debug)]
pub(super) struct Sampler {
    live: Live,
    handle: Handle,
    /// The version of the stall log that was told.
    stalls: u64,
    /// Stalls that listeners know to last.
    lasting: HashSet<(RouteId, SystemTime)>,
    moves: u64,
    routes: Vec<Known>,
    routes_told: Instant,
    lanes: Option<(Occupancy, Instant)>,
    upstreams: Option<Box<RawValue>>,
}

/// A route as listeners know it.
#[derive(Debug)]
struct Known {
    route: Arc<Route>,
    pulse: Pulse,
    moved: u64,
    /// Whether listeners have not heard of it yet.
    new: bool,
    /// To tell the latencies since from those before; `None` until there is one.
    latencies: Option<Counts>,
}

impl Known {
    fn new(route: Arc<Route>) -> Self {
        // The pulse first: what changes behind it is told twice, and not missed.
        let pulse = route.pulse();
        let counts = route.latencies();
        Self {
            pulse,
            moved: route.moves_since(u64::MAX).0,
            new: false,
            latencies: (counts.percentiles().count > 0).then_some(counts),
            route,
        }
    }

    /// What is new of it. Adds the latencies since the last time to `latencies`.
    fn look(&mut self, latencies: &mut Counts) -> Option<Summary> {
        let pulse = self.route.pulse();
        let same = std::mem::replace(&mut self.pulse, pulse) == pulse;
        if same && !std::mem::take(&mut self.new) {
            return None;
        }
        let now = self.route.latencies();
        match self.latencies.replace(now.clone()) {
            Some(before) => latencies.add(&now.since(&before)),
            None => latencies.add(&now),
        }
        Some(Summary::of(&self.route))
    }
}

impl Sampler {
    pub(super) fn new(live: Live) -> Self {
        let handle = live.0.application.handle.clone();
        let moves = handle.routes().moves();
        let (stalls, known) = handle.stalls_since(0);
        let lasting = known.iter().filter(|stall| !stall.over);
        Self {
            lasting: lasting.map(stall_key).collect(),
            stalls,
            moves,
            routes: handle.routes().all().into_iter().map(Known::new).collect(),
            routes_told: Instant::now(),
            lanes: None,
            upstreams: None,
            handle,
            live,
        }
    }

    /// Runs until nobody listens.
    pub(super) async fn run(mut self) {
        let tasks = count_tasks(self.live.clone());
        tokio::select! {
            () = self.watch() => {}
            () = tasks => {}
        }
    }

    async fn watch(&mut self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for look in 0_u32.. {
            looks.tick().await;
            if self.live.is_left() {
                return;
            }
            let mut frame = Frame::default();
            // Counted first: a move comes after the stall that it is for.
            let moves = self.handle.routes().moves();
            self.tell_stalls(&mut frame);
            self.tell_moves(&mut frame, moves);
            if look.is_multiple_of(LOOKS_A_SAMPLE) {
                self.tell_lanes(&mut frame);
                self.tell_upstreams(&mut frame);
                self.tell_routes(&mut frame).await;
            }
            self.live.publish(frame);
        }
    }

    fn tell_stalls(&mut self, frame: &mut Frame) {
        let (version, changed) = self.handle.stalls_since(self.stalls);
        self.stalls = version;
        for changed in &changed {
            let key = stall_key(changed);
            // Of one that goes on there is nothing to tell but that it goes on.
            let news = match changed.over {
                true => {
                    self.lasting.remove(&key);
                    true
                }
                false => self.lasting.insert(key),
            };
            if news {
                frame.event("stall", &stall(&self.handle, changed));
            }
        }
    }

    fn tell_moves(&mut self, frame: &mut Frame, moves: u64) {
        if std::mem::replace(&mut self.moves, moves) == moves {
            return;
        }
        self.meet_new_routes();
        for known in &mut self.routes {
            let (moved, new) = known.route.moves_since(known.moved);
            known.moved = moved;
            for one in new {
                frame.event("moved", &RouteMoved::of(&known.route, one));
            }
        }
    }

    fn tell_lanes(&mut self, frame: &mut Frame) {
        let now = Occupancy::of(&self.handle);
        let told = self.lanes.as_ref();
        if told.is_some_and(|(told, at)| *told == now && at.elapsed() < SILENCE_MAX) {
            return;
        }
        self.lanes = Some((now.clone(), Instant::now()));
        frame.event("lanes", &now.now());
    }

    fn tell_upstreams(&mut self, frame: &mut Frame) {
        let now = self.live.0.application.upstreams();
        let same =
            now.as_deref().map(RawValue::get) == self.upstreams.as_deref().map(RawValue::get);
        if let (Some(now), false) = (now, same) {
            frame.event("upstreams", &now);
            self.upstreams = Some(now);
        }
    }

    async fn tell_routes(&mut self, frame: &mut Frame) {
        self.meet_new_routes();
        let (mut changed, mut latencies) = (Vec::new(), Counts::default());
        for turn in self.routes.chunks_mut(ROUTES_A_TURN) {
            changed.extend(
                turn.iter_mut()
                    .filter_map(|known| known.look(&mut latencies)),
            );
            tokio::task::yield_now().await;
        }
        if !changed.is_empty() || self.routes_told.elapsed() >= SILENCE_MAX {
            self.routes_told = Instant::now();
            frame.event("routes", &RoutesNow::new(changed, &latencies));
        }
    }

    /// Routes are only ever added: those of tasks, when a worker begins.
    fn meet_new_routes(&mut self) {
        let all = self.handle.routes().all();
        let new = all.into_iter().skip(self.routes.len());
        self.routes.extend(new.map(|route| Known {
            new: true,
            ..Known::new(route)
        }));
    }
}

/// Counts tasks for as long as it is polled, apart from the rest: their broker may be slow, or gone.
async fn count_tasks(live: Live) {
    let Some(all) = live.0.application.tasks.clone() else {
        return std::future::pending().await;
    };
    let mut pause = Duration::ZERO;
    loop {
        tokio::time::sleep(pause).await;
        let began = Instant::now();
        let counted = tasks::counted(&all).await;
        // Of a great many tasks it takes a while.
        pause = TASKS_EVERY.max(began.elapsed() * TASKS_SHARE);
        let Some(counted) = counted else {
            continue;
        };
        let mut sampling = live.sampling();
        if sampling.tasks.as_deref().map(|told| told.get()) == Some(counted.get()) {
            continue;
        }
        let mut frame = Frame::default();
        frame.event("tasks", &counted);
        sampling.tasks = Some(counted);
        drop(sampling);
        live.publish(frame);
    }
}

impl Live {
    pub(super) fn publish(&self, frame: Frame) {
        if !frame.is_empty() {
            // Nobody may listen any more.
            let _ = self.0.frames.send(frame.finish());
        }
    }
}
