//! The application: routes, settings, and how it is run.

mod args;
mod celery;
mod child;
mod duration;
pub mod exit;
mod journal;
mod late;
mod lifespan;
mod listing;
mod logging;
mod metrics;
#[cfg(feature = "openapi")]
mod openapi;
mod prepared;
mod run;
mod running;
mod settings;
mod store;
mod work;
mod worker;

use std::convert::Infallible;
use std::ffi::OsString;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::Route;
use prometheus_client::registry::Registry;
use serde::Serialize;
use serde::de::DeserializeOwned;
use siding_runtime::{Event, Functions, Observer};
use siding_tasks::Tasks;
use tower_layer::Layer;
use tower_service::Service;

use crate::handler::Handler;
use crate::lifespan::Probes;
use crate::processes::{InChild, Processes};
use crate::respond::ErrorHandlers;
use crate::routing::{ForeignLayer, IntoEndpoint, Methods, Mounted, Stop};
use crate::server::Peer;

use late::{Late, LateRouters};
use lifespan::WorkerLifespan;

pub use celery::CelerySettings;
pub use listing::Listed;
pub use running::{Running, StartError};
pub use settings::{LogFormat, Settings, TaskSettings};

/// An application: its routes and its settings.
///
/// It is put together as an axum [`Router`] is, and takes axum's routers, handlers, extractors and any tower layer.
/// [`run`](App::run) makes a program of it.
///
/// ```no_run
/// use siding::{App, ExitCode, get};
///
/// async fn hello() -> &'static str {
///     "Hello"
/// }
///
/// fn main() -> ExitCode {
///     App::new("example").route("/hello", get(hello)).run()
/// }
/// ```
///
/// `S` is the state that is still missing, as with axum: only an `App` that misses none can be run.
#[must_use = "does nothing unless it is run"]
pub struct App<S = ()> {
    name: &'static str,
    router: Router<S>,
    entries: Vec<Entry>,
    processes: ProcessParts<S>,
    late: Vec<Late>,
    worker_lifespan: WorkerLifespan,
    probes: Probes,
    settings: Settings,
    observers: Vec<EventSink>,
    metrics: Vec<Registry>,
    peer: Peer,
    tasks: Option<Tasks>,
    errors: ErrorHandlers,
    #[cfg(feature = "openapi")]
    openapi: openapi::Documents,
}

/// What concerns child processes.
struct ProcessParts<S> {
    functions: Functions,
    /// The handlers that children call, without layers.
    router: Router<S>,
    in_child: late::InChild,
    /// Handles that were given out, of this app and of those that were merged into it.
    handles: Vec<Processes>,
    child_args: Option<Vec<OsString>>,
}

/// An observer of the runtime's events.
type EventSink = Box<dyn Fn(&Event) + Send + Sync>;

/// A known handler under its full path.
#[derive(Clone, Debug)]
struct Entry {
    path: String,
    stop: Arc<Stop>,
}

impl<S> App<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// An application without routes: every path is answered 404. `name` is for its help text and its log.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            router: Router::new(),
            entries: Vec::new(),
            processes: ProcessParts {
                functions: Functions::new(),
                router: Router::new(),
                in_child: late::InChild::None,
                handles: vec![Processes::default()],
                child_args: None,
            },
            late: Vec::new(),
            worker_lifespan: WorkerLifespan::default(),
            probes: Probes::default(),
            settings: Settings::default(),
            observers: Vec::new(),
            metrics: Vec::new(),
            peer: Peer::Untold,
            tasks: None,
            errors: ErrorHandlers::default(),
            #[cfg(feature = "openapi")]
            openapi: openapi::Documents::default(),
        }
    }

    /// Routes `path` to a [`MethodRouter`](crate::MethodRouter), or to axum's.
    ///
    /// # Panics
    /// When the path is none, or is taken already.
    #[track_caller]
    pub fn route(mut self, path: &str, endpoint: impl IntoEndpoint<S>) -> Self {
        let endpoint = endpoint.into_endpoint();
        let entries = endpoint.stops.into_iter().map(|stop| Entry {
            path: path.to_owned(),
            stop,
        });
        self.entries.extend(entries);
        self.router = self.router.route(path, endpoint.axum);
        if let Some(in_child) = endpoint.in_child {
            self.processes.router = self.processes.router.route(path, in_child);
            self.processes.in_child = late::InChild::Some;
        }
        self
    }

    /// Adds all routes, functions, error handlers and metrics of another app, or the routes of an axum [`Router`]. Of an app, settings and
    /// observers are left behind.
    ///
    /// axum's routes are guarded and placed like Siding's; they are listed once they have answered a request.
    ///
    /// # Panics
    /// When a path, the name of a function or an error that is handled is in both, or both have a fallback.
    #[track_caller]
    pub fn merge(mut self, other: impl IntoRoutes<S>) -> Self {
        let other = other.into_routes();
        self.entries.extend(other.entries);
        self.late.extend(other.late);
        self.router = self.router.merge(other.router);
        self.processes.router = self.processes.router.merge(other.processes.router);
        self.processes.in_child = self.processes.in_child.max(other.processes.in_child);
        self.processes.functions.merge(other.processes.functions);
        self.processes.handles.extend(other.processes.handles);
        self.errors.merge(other.errors);
        self.metrics.extend(other.metrics);
        #[cfg(feature = "openapi")]
        self.openapi.merge(other.openapi);
        self
    }

    /// Adds all routes of another app, or of an axum [`Router`], under `prefix`, and the app's functions, error handlers and metrics.
    ///
    /// # Panics
    /// When the prefix is none, or is taken already, or the name of a function is, or an error that is handled has a handler here.
    #[track_caller]
    pub fn nest(mut self, prefix: &str, other: impl IntoRoutes<S>) -> Self {
        let other = other.into_routes();
        let entries = other.entries.into_iter().map(|entry| Entry {
            path: nested(prefix, &entry.path),
            stop: entry.stop,
        });
        self.entries.extend(entries);
        let late = other.late.into_iter().map(|late| {
            let prefix = prefix.to_owned();
            late.map(move |routers| routers.nested(&prefix))
        });
        self.late.extend(late);
        self.router = self.router.nest(prefix, other.router);
        self.processes.router = self.processes.router.nest(prefix, other.processes.router);
        self.processes.in_child = self.processes.in_child.max(other.processes.in_child);
        self.processes.functions.merge(other.processes.functions);
        self.processes.handles.extend(other.processes.handles);
        self.errors.merge(other.errors);
        self.metrics.extend(other.metrics);
        #[cfg(feature = "openapi")]
        self.openapi.merge(other.openapi);
        self
    }

    /// Wraps every route that has been added in a tower layer.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let late = self.late.into_iter().map(|late| {
            let layer = layer.clone();
            late.map(|routers| LateRouters {
                public: routers.public.layer(layer),
                ..routers
            })
        });
        self.late = late.collect();
        self.router = self.router.layer(layer);
        self
    }

    /// Answers every path that has no route.
    pub fn fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        if let Some(prepare) = handler.clone().in_child() {
            self.processes.router = self.processes.router.fallback(InChild(prepare));
            self.processes.in_child = late::InChild::Some;
        }
        let mounted = Mounted::new(Methods::all(), handler);
        self.entries.push(Entry {
            path: "(fallback)".to_owned(),
            stop: mounted.stop(),
        });
        self.router = self.router.fallback(mounted);
        self
    }

    /// Says what is answered to errors of type `E`: the response that `answer` makes of one. A handler that returns
    /// [`Error`](crate::Error) need not know.
    ///
    /// It holds for the whole application, wherever its handlers run and in whatever order it is put together: an error means the
    /// same everywhere, so there is one handler for each type, also across apps that are [merged](Self::merge) and
    /// [nested](Self::nest). A sub-app may bring those of its own types; those of shared types belong to the app around it. Errors
    /// of Siding's can have one too: [`Invalid`](crate::Invalid) for requests that do not fit, [`JobError`](crate::JobError) for a
    /// full lane, a panic and a deadline.
    ///
    /// ```
    /// use siding::{App, Error, Invalid, Problem, StatusCode, get};
    ///
    /// #[derive(Debug, thiserror::Error)]
    /// #[error("the account has {0} left")]
    /// struct OutOfCredit(u32);
    ///
    /// fn buy() -> Result<&'static str, Error> {
    ///     Err(OutOfCredit(30))?
    /// }
    ///
    /// let app: App = App::new("shop")
    ///     .route("/buy", get(buy))
    ///     .on_error(|OutOfCredit(balance)| {
    ///         Problem::new(StatusCode::FORBIDDEN)
    ///             .with_type("https://example.com/probs/out-of-credit", "You do not have enough credit.")
    ///             .with_member("balance", balance)
    ///     })
    ///     .on_error(|invalid: &Invalid| (StatusCode::BAD_REQUEST, invalid.to_string()));
    /// ```
    ///
    /// # Panics
    /// When there is a handler for errors of this type, or the type is [`Problem`](crate::Problem), which is an answer already.
    #[track_caller]
    pub fn on_error<E, R>(mut self, answer: impl Fn(&E) -> R + Send + Sync + 'static) -> Self
    where
        E: std::error::Error + 'static,
        R: IntoResponse,
    {
        self.errors.add(answer);
        self
    }

    /// Gives the handlers their state.
    pub fn with_state<S2>(self, state: S) -> App<S2> {
        App {
            name: self.name,
            router: self.router.with_state(state.clone()),
            entries: self.entries,
            processes: ProcessParts {
                functions: self.processes.functions,
                router: self.processes.router.with_state(state),
                in_child: self.processes.in_child,
                handles: self.processes.handles,
                child_args: self.processes.child_args,
            },
            late: self.late,
            worker_lifespan: self.worker_lifespan,
            probes: self.probes,
            settings: self.settings,
            observers: self.observers,
            metrics: self.metrics,
            peer: self.peer,
            tasks: self.tasks,
            errors: self.errors,
            #[cfg(feature = "openapi")]
            openapi: self.openapi,
        }
    }

    /// Registers a function that runs in child processes, to be called by way of [`processes`](Self::processes). Its argument
    /// and its result travel as JSON; several arguments are a tuple or a struct.
    ///
    /// The children are this same program: there [`run`](Self::run) does not serve, but runs functions. What `main` does before
    /// that, it does in every child.
    ///
    /// # Panics
    /// When the name is taken, empty, or longer than 1024 bytes.
    #[track_caller]
    pub fn function<A, R>(mut self, name: &str, f: impl Fn(A) -> R + Send + Sync + 'static) -> Self
    where
        A: DeserializeOwned,
        R: Serialize,
    {
        self.processes.functions.register(name, f);
        self
    }

    /// Registers functions that run in child processes, those that decode their arguments themselves included.
    ///
    /// # Panics
    /// When a name is taken.
    #[track_caller]
    pub fn functions(mut self, functions: Functions) -> Self {
        self.processes.functions.merge(functions);
        self
    }

    /// The handle that calls this application's functions in child processes. It can be had, and put into a state, before the
    /// application runs; calls are possible while it does.
    #[must_use]
    pub fn processes(&self) -> Processes {
        self.processes.handles[0].clone()
    }

    /// Sets the arguments that child processes are started with, instead of this process's own. For programs that come to
    /// [`run`](Self::run) only with certain arguments: a test is its own child with `--exact`, its name and
    /// `--nocapture`, if it runs the application with [`start`](Self::start) otherwise.
    pub fn with_child_args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.processes.child_args = Some(args.into_iter().map(Into::into).collect());
        self
    }

    /// Tells handlers where a request comes from: they take a
    /// [`ConnectInfo<SocketAddr>`](crate::extract::ConnectInfo).
    pub fn with_connect_info(mut self) -> Self {
        self.peer = Peer::Told;
        self
    }

    /// Gives the application durable tasks. Their store is opened when the application starts, in the data directory
    /// ([`TaskSettings::data`]), or their broker is connected to ([`TaskSettings::broker`]); then `tasks` can be sent, and a worker runs them, here (`serve`) or in a process of its
    /// own (`worker`).
    ///
    /// ```no_run
    /// use siding::tasks::{Task, Tasks};
    /// use siding::{App, ExitCode, Problem, compute, extract::State, post};
    ///
    /// type Sum = Task<(u64,), u64>;
    ///
    /// async fn start(State(sum): State<Sum>) -> Result<String, Problem> {
    ///     Ok(sum.delay(1_000_000).await?.id().to_string())
    /// }
    ///
    /// fn main() -> ExitCode {
    ///     let tasks = Tasks::new();
    ///     let sum = tasks.register("sum", compute(|n: u64| (0..n).sum::<u64>()));
    ///     App::new("sums").route("/sum", post(start)).with_state(sum).with_tasks(tasks).run()
    /// }
    /// ```
    pub fn with_tasks(mut self, tasks: Tasks) -> Self {
        self.tasks = Some(tasks);
        self
    }

    /// Replaces every setting. Flags and the environment, which [`run`](App::run) reads, have the last word.
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Adds an observer of the runtime's events.
    pub fn with_observer(mut self, observer: impl Observer) -> Self {
        self.observers
            .push(Box::new(move |event| observer.observe(event)));
        self
    }
}

/// What [`App::merge`] and [`App::nest`] take: an [`App`], or an axum [`Router`].
pub trait IntoRoutes<S>: sealed::Sealed {
    #[doc(hidden)]
    fn into_routes(self) -> App<S>;
}

impl<S> IntoRoutes<S> for App<S> {
    fn into_routes(self) -> Self {
        self
    }
}

impl<S> IntoRoutes<S> for Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn into_routes(self) -> App<S> {
        App {
            router: self.layer(ForeignLayer),
            ..App::new("")
        }
    }
}

mod sealed {
    /// Only an app and a router are collections of routes.
    pub trait Sealed {}

    impl<S> Sealed for super::App<S> {}
    impl<S> Sealed for axum::Router<S> {}
}

/// The path of a nested route, joined as axum joins it.
fn nested(prefix: &str, path: &str) -> String {
    match (prefix.strip_suffix('/'), path) {
        (Some(prefix), path) => format!("{prefix}{path}"),
        (None, "/") => prefix.to_owned(),
        (None, path) => format!("{prefix}{path}"),
    }
}

impl<S> std::fmt::Debug for App<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("name", &self.name)
            .field("entries", &self.entries)
            .field("functions", &self.processes.functions)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
