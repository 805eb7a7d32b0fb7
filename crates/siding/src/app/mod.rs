//! The application: routes, settings, and how it is run.

mod args;
mod duration;
pub mod exit;
mod journal;
mod listing;
mod logging;
mod run;
mod running;
mod settings;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::Route;
use siding_runtime::{Event, Observer};
use tower_layer::Layer;
use tower_service::Service;

use crate::handler::Handler;
use crate::routing::{ForeignLayer, IntoEndpoint, Methods, Mounted, Stop};
use crate::server::Peer;

pub use listing::Listed;
pub use running::{Running, StartError};
pub use settings::{LogFormat, Settings};

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
    settings: Settings,
    observers: Vec<EventSink>,
    peer: Peer,
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
            settings: Settings::default(),
            observers: Vec::new(),
            peer: Peer::Untold,
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
        self
    }

    /// Adds all routes of another app, or of an axum [`Router`]. Of an app, settings and observers are left behind.
    ///
    /// axum's routes are guarded and placed like Siding's; they are listed once they have answered a request.
    ///
    /// # Panics
    /// When a path is in both, or both have a fallback.
    #[track_caller]
    pub fn merge(mut self, other: impl IntoRoutes<S>) -> Self {
        let other = other.into_routes();
        self.entries.extend(other.entries);
        self.router = self.router.merge(other.router);
        self
    }

    /// Adds all routes of another app, or of an axum [`Router`], under `prefix`.
    ///
    /// # Panics
    /// When the prefix is none, or is taken already.
    #[track_caller]
    pub fn nest(mut self, prefix: &str, other: impl IntoRoutes<S>) -> Self {
        let other = other.into_routes();
        let entries = other.entries.into_iter().map(|entry| Entry {
            path: nested(prefix, &entry.path),
            stop: entry.stop,
        });
        self.entries.extend(entries);
        self.router = self.router.nest(prefix, other.router);
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
        self.router = self.router.layer(layer);
        self
    }

    /// Answers every path that has no route.
    pub fn fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let mounted = Mounted::new(Methods::all(), handler);
        self.entries.push(Entry {
            path: "(fallback)".to_owned(),
            stop: mounted.stop(),
        });
        self.router = self.router.fallback(mounted);
        self
    }

    /// Gives the handlers their state.
    pub fn with_state<S2>(self, state: S) -> App<S2> {
        App {
            name: self.name,
            router: self.router.with_state(state),
            entries: self.entries,
            settings: self.settings,
            observers: self.observers,
            peer: self.peer,
        }
    }

    /// Tells handlers where a request comes from: they take a
    /// [`ConnectInfo<SocketAddr>`](crate::extract::ConnectInfo).
    pub fn with_connect_info(mut self) -> Self {
        self.peer = Peer::Told;
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
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
