//! Every route of one runtime, by id.

use std::sync::{Arc, PoisonError, RwLock};

use super::route::{Kind, Route, RouteSpec};
use crate::context::RouteId;
use crate::lane::LaneKind;
use crate::runtime::Lanes;

/// The routes of one runtime: those of the application, and the framework's own.
#[derive(Debug)]
pub struct Routes {
    lanes: Arc<Lanes>,
    list: RwLock<Vec<Arc<Route>>>,
}

impl Routes {
    pub(crate) fn new(lanes: Arc<Lanes>) -> Self {
        let routes = Self {
            lanes,
            list: RwLock::default(),
        };
        for name in ["(connection)", "(background)", "(offload)"] {
            routes.register(RouteSpec {
                name: name.to_owned(),
                kind: Kind::Async,
                declared: LaneKind::EventLoop,
                pinned: true,
            });
        }
        routes
    }

    /// Adds a route and hands out its id.
    pub fn register(&self, spec: RouteSpec) -> Arc<Route> {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        let id = u32::try_from(list.len() + 1).expect("fewer than four billion routes");
        let route = Arc::new(Route::new(RouteId(id), spec, Arc::clone(&self.lanes)));
        list.push(Arc::clone(&route));
        route
    }

    /// The route with this id.
    #[must_use]
    pub fn get(&self, id: RouteId) -> Option<Arc<Route>> {
        let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
        list.get(id.0 as usize - 1).cloned()
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
