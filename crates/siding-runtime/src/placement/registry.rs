//! Every route of one runtime, by id, and what they share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::route::Route;
use super::spec::{Kind, RouteSpec};
use crate::config::PlacementConfig;
use crate::context::RouteId;
use crate::event::Observers;
use crate::lane::{LaneKind, Lanes};

/// What every route needs to judge itself and to act on it.
#[derive(Debug)]
pub(crate) struct Court {
    pub(crate) lanes: Lanes,
    pub(crate) rules: PlacementConfig,
    pub(crate) stall_threshold: Duration,
    pub(crate) observers: Observers,
    /// How often a route was moved. Relaxed: it only says that there is something to see.
    pub(crate) moves: AtomicU64,
    /// The event loop, whose timers and sockets a moved future still needs.
    pub(crate) tokio: tokio::runtime::Handle,
}

/// The routes of one runtime: those of the application, and the framework's own.
#[derive(Debug)]
pub struct Routes {
    court: Arc<Court>,
    list: RwLock<Vec<Arc<Route>>>,
}

impl Routes {
    pub(crate) fn new(court: Arc<Court>) -> Self {
        let routes = Self {
            court,
            list: RwLock::default(),
        };
        let own = [
            (RouteId::CONNECTION, "(connection)"),
            (RouteId::BACKGROUND, "(background task)"),
            (RouteId::OFFLOAD, "(offload)"),
        ];
        for (id, name) in own {
            let spec = RouteSpec {
                name: name.to_owned(),
                kind: Kind::Async,
                declared: LaneKind::EventLoop,
                pinned: true,
            };
            let route = routes.register(spec);
            assert_eq!(route.id(), id, "the framework's own routes come first");
        }
        routes
    }

    /// Adds a route and hands out its id.
    ///
    /// # Panics
    /// After four billion routes.
    pub fn register(&self, spec: RouteSpec) -> Arc<Route> {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        self.push(&mut list, spec)
    }

    /// The route that was registered as `spec` says, or else a new one. Takes time in proportion to the routes there are.
    ///
    /// # Panics
    /// After four billion routes.
    pub fn find_or_register(&self, spec: RouteSpec) -> Arc<Route> {
        let find = |list: &[Arc<Route>]| list.iter().find(|route| *route.spec() == spec).cloned();
        let known = find(&self.list.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(route) = known {
            return route;
        }
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have registered it between the two locks.
        match find(&list) {
            Some(route) => route,
            None => self.push(&mut list, spec),
        }
    }

    fn push(&self, list: &mut Vec<Arc<Route>>, spec: RouteSpec) -> Arc<Route> {
        let id = u32::try_from(list.len() + 1).expect("fewer than four billion routes");
        let route = Arc::new(Route::new(RouteId(id), spec, Arc::clone(&self.court)));
        list.push(Arc::clone(&route));
        route
    }

    /// The route with this id.
    #[must_use]
    pub fn get(&self, id: RouteId) -> Option<Arc<Route>> {
        let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
        list.get((id.0 as usize).checked_sub(1)?).cloned()
    }

    /// How often a route was moved, all of them together.
    #[must_use]
    pub fn moves(&self) -> u64 {
        self.court.moves.load(Ordering::Relaxed)
    }

    /// All routes in the order of their registration; the framework's own come first.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Route>> {
        self.list
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
