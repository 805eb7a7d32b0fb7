//! An application's lifespan: how it gets a state that must be opened.

use std::future::Future;

use axum::Router;

use super::late::{InChild, Late};
use super::{App, ProcessParts};
use crate::get;
use crate::lifespan::{Lifespan, Probes};

/// Whether the role `worker` opens the lifespan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum WorkerLifespan {
    #[default]
    LeftOut,
    Opened,
}

impl<S> App<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Gives the handlers a state that is opened when the application starts: pools, clients, files. `open` opens it, resource by
    /// resource; see [`lifespan`](crate::lifespan).
    ///
    /// It is [`with_state`](Self::with_state) for a state that is not there yet, and as with that, routes and layers that come
    /// after it are of an application without the state. An app that is [merged](Self::merge) or [nested](Self::nest) may
    /// have a lifespan of its own; they run in the order in which they were added.
    ///
    /// ```no_run
    /// use siding::extract::State;
    /// use siding::lifespan::{Lifespan, ResourceError};
    /// use siding::{App, get};
    ///
    /// #[derive(Clone)]
    /// struct Words(std::sync::Arc<str>);
    ///
    /// async fn open(lifespan: Lifespan) -> Result<Words, ResourceError> {
    ///     lifespan
    ///         .open("words", || std::fs::read_to_string("words.txt").map(|text| Words(text.into())))
    ///         .await
    /// }
    ///
    /// async fn words(State(words): State<Words>) -> String {
    ///     words.0.to_string()
    /// }
    ///
    /// let app: App = App::new("words").route("/words", get(words)).with_lifespan(open);
    /// ```
    ///
    /// # Panics
    /// When the application starts, if a route of an axum [`Router`] is in two apps with states of their own.
    pub fn with_lifespan<F, Fut, E, S2>(mut self, open: F) -> App<S2>
    where
        F: FnOnce(Lifespan) -> Fut + Send + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
        S2: Clone + Send + Sync + 'static,
    {
        self.late.push(Late::new(
            self.router,
            (self.processes.router, self.processes.in_child),
            open,
        ));
        App {
            name: self.name,
            router: Router::new(),
            entries: self.entries,
            processes: ProcessParts {
                functions: self.processes.functions,
                router: Router::new(),
                in_child: InChild::None,
                handles: self.processes.handles,
                child_args: self.processes.child_args,
            },
            late: self.late,
            worker_lifespan: self.worker_lifespan,
            errors: self.errors,
            probes: self.probes,
            settings: self.settings,
            observers: self.observers,
            metrics: self.metrics,
            peer: self.peer,
            tasks: self.tasks,
            #[cfg(feature = "openapi")]
            openapi: self.openapi,
        }
    }

    /// Has the role `worker` open the [lifespan](Self::with_lifespan) too, because tasks use what it opens. Otherwise only `serve`
    /// does, and a worker connects to nothing that its tasks do not need.
    pub fn with_worker_lifespan(mut self) -> Self {
        self.worker_lifespan = WorkerLifespan::Opened;
        self
    }

    /// Serves `/live` and `/ready` on the application's own listener, for load balancers and orchestrators that do not reach the
    /// admin listener. They tell how it is, and by the names of resources, which of them fail; see [`lifespan`](crate::lifespan).
    ///
    /// # Panics
    /// When one of the paths is taken.
    #[track_caller]
    pub fn with_health_routes(self) -> Self {
        self.with_health_routes_at("/live", "/ready")
    }

    /// The same under other paths, for those who ask by a protocol of their own. It may be called more than once.
    ///
    /// # Panics
    /// When one of the paths is taken.
    #[track_caller]
    pub fn with_health_routes_at(self, live_path: &str, ready_path: &str) -> Self {
        let probes = self.probes.clone();
        let live = || async { Probes::live() };
        let ready = move || {
            let probes = probes.clone();
            async move { probes.ready().await }
        };
        self.route(live_path, get(live))
            .route(ready_path, get(ready))
    }
}
