//! The work of one request, and how far it has come.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use siding_runtime::{BackgroundEntry, Handle, Route, RouteId, RouteSpec};

use super::runner;
use super::task::Work;
use crate::handler::Declaration;
use crate::respond;
use crate::traces::Origin;

/// The work of one request.
pub(super) struct List {
    handle: Handle,
    route: RouteId,
    correlation_id: OnceLock<String>,
    origin: Origin,
    state: Mutex<State>,
}

struct State {
    stage: Stage,
    waiting: VecDeque<Item>,
}

/// How far a list has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its response has not been sent.
    Held,
    /// A runner takes its work, piece by piece.
    Running,
    /// All of its work has ended; more may be added.
    Rested,
    /// Its work was dropped; so is what is still added.
    Discarded(&'static str),
}

/// One piece of work. The shutdown knows of it from the moment it is added until this is dropped.
pub(super) struct Item {
    pub(super) declaration: Declaration,
    pub(super) work: Work,
    _entry: BackgroundEntry,
}

impl List {
    /// An empty list of a handler of `route`.
    pub(super) fn new(handle: Handle, route: RouteId) -> Self {
        Self {
            handle,
            route,
            correlation_id: OnceLock::new(),
            origin: Origin::here(),
            state: Mutex::new(State {
                stage: Stage::Held,
                waiting: VecDeque::new(),
            }),
        }
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The request that it belongs to, for its traces.
    pub(super) fn origin(&self) -> Origin {
        self.origin.clone()
    }

    pub(super) fn correlation_id(&self) -> &str {
        self.correlation_id.get_or_init(respond::correlation_id)
    }

    /// For people: `background of POST /notify`.
    pub(super) fn name(&self) -> String {
        let route = self.handle.routes().get(self.route);
        let of = route.as_ref().map_or("?", |route| &route.spec().name);
        format!("background of {of}")
    }

    /// The route that work so declared is accounted to.
    pub(super) fn route(&self, declaration: Declaration) -> Arc<Route> {
        self.handle.routes().find_or_register(RouteSpec {
            name: self.name(),
            kind: declaration.kind,
            declared: declaration.lane,
            pinned: declaration.pinned,
        })
    }

    /// Adds one piece, and starts a runner if the list was at rest.
    pub(super) fn add(self: &Arc<Self>, declaration: Declaration, work: Work) {
        let item = Item {
            declaration,
            work,
            _entry: self.handle.background().enter(),
        };
        let mut state = self.state();
        match state.stage {
            Stage::Held | Stage::Running => state.waiting.push_back(item),
            // ## Rested => Running
            Stage::Rested => {
                state.waiting.push_back(item);
                state.stage = Stage::Running;
                drop(state);
                runner::start(self);
            }
            Stage::Discarded(why) => {
                drop(state);
                self.log_dropped(1, why);
            }
        }
    }

    /// The response has been sent.
    pub(super) fn begin(self: &Arc<Self>) {
        let mut state = self.state();
        // ## Held => (Running | Rested)
        if state.stage == Stage::Held && !state.waiting.is_empty() {
            state.stage = Stage::Running;
            drop(state);
            runner::start(self);
        } else if state.stage == Stage::Held {
            state.stage = Stage::Rested;
        }
    }

    /// The next piece for the runner; `None` ends it.
    pub(super) fn next(&self) -> Option<Item> {
        if self.handle.background().is_closed() {
            self.discard("the server has shut down");
            return None;
        }
        let mut state = self.state();
        let next = state.waiting.pop_front();
        // ## Running => Rested
        if next.is_none() && state.stage == Stage::Running {
            state.stage = Stage::Rested;
        }
        next
    }

    /// Drops what has not begun, and says so in the log. Work that holds its own list would otherwise keep both for ever.
    pub(super) fn discard(&self, why: &'static str) {
        let mut state = self.state();
        state.stage = Stage::Discarded(why);
        let dropped = mem::take(&mut state.waiting);
        drop(state);
        if !dropped.is_empty() {
            self.log_dropped(dropped.len(), why);
        }
    }

    /// Whether no runner is left that would take what is added.
    pub(super) fn is_at_rest(&self) -> bool {
        self.state().stage != Stage::Running
    }

    fn log_dropped(&self, pieces: usize, why: &str) {
        tracing::warn!(
            correlation_id = self.correlation_id(),
            "{}: {pieces} never ran, because {why}",
            self.name()
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("List")
            .field("of", &self.route)
            .field("stage", &state.stage)
            .field("waiting", &state.waiting.len())
            .finish_non_exhaustive()
    }
}
