//! The handlers of one path, by method.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, Route};
use tower_layer::Layer;
use tower_service::Service;

use super::endpoint::Endpoint;
use super::mounted::Mounted;
use super::stop::{Methods, Stop};
use crate::handler::Handler;
use crate::processes::InChild;

/// The handlers of one path, by method. It remembers of each what it is and which lane it is declared for.
///
/// ```
/// use siding::{App, get};
///
/// async fn list() -> &'static str { "[]" }
/// fn create() -> &'static str { "created" }
///
/// let app: App = App::new("items").route("/items", get(list).post(create));
/// ```
#[derive(Clone, Debug)]
#[must_use = "does nothing unless it is routed"]
pub struct MethodRouter<S = ()> {
    axum: axum::routing::MethodRouter<S>,
    stops: Vec<Arc<Stop>>,
    in_child: Option<axum::routing::MethodRouter<S>>,
}

impl<S> Default for MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<S> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// A router without handlers: every method is answered 405.
    pub fn new() -> Self {
        Self {
            axum: axum::routing::MethodRouter::new(),
            stops: Vec::new(),
            in_child: None,
        }
    }

    /// Adds a handler for the methods of `filter`.
    ///
    /// # Panics
    /// When there is a handler for one of these methods already.
    #[track_caller]
    pub fn on<H, T>(mut self, filter: MethodFilter, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        if let Some(prepare) = handler.clone().in_child() {
            let in_child = self.in_child.take().unwrap_or_default();
            self.in_child = Some(in_child.on(filter, InChild(prepare)));
        }
        let mounted = self.mount(names(filter), handler);
        self.axum = self.axum.on(filter, mounted);
        self
    }

    /// Answers every method that has no handler of its own.
    pub fn fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        if let Some(prepare) = handler.clone().in_child() {
            let in_child = self.in_child.take().unwrap_or_default();
            self.in_child = Some(in_child.fallback(InChild(prepare)));
        }
        let mounted = self.mount(Methods::all(), handler);
        self.axum = self.axum.fallback(mounted);
        self
    }

    /// Wraps every handler in a tower layer. Of a handler inside [`processes`](crate::processes) it wraps what is done here,
    /// not what is done in the child.
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self {
            axum: self.axum.layer(layer),
            stops: self.stops,
            in_child: self.in_child,
        }
    }

    /// Joins the handlers of two routers.
    ///
    /// # Panics
    /// When both have a handler for the same method.
    #[track_caller]
    pub fn merge(mut self, other: Self) -> Self {
        self.stops.extend(other.stops);
        Self {
            axum: self.axum.merge(other.axum),
            stops: self.stops,
            in_child: match (self.in_child, other.in_child) {
                (Some(one), Some(other)) => Some(one.merge(other)),
                (one, other) => one.or(other),
            },
        }
    }

    pub(super) fn into_parts(self) -> Endpoint<S> {
        Endpoint {
            axum: self.axum,
            stops: self.stops,
            in_child: self.in_child,
        }
    }

    fn mount<H, T>(&mut self, methods: Methods, handler: H) -> Mounted<H>
    where
        H: Handler<T, S>,
    {
        let mounted = Mounted::new(methods, handler);
        self.stops.push(mounted.stop());
        mounted
    }
}

/// In a plain axum router the handlers are placed all the same; they are listed once they have answered a request.
impl<S> From<MethodRouter<S>> for axum::routing::MethodRouter<S> {
    fn from(router: MethodRouter<S>) -> Self {
        router.axum
    }
}

/// Routes the methods of `filter` to `handler`.
#[track_caller]
pub fn on<H, T, S>(filter: MethodFilter, handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().on(filter, handler)
}

/// Routes every method to `handler`.
pub fn any<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    let mut router = MethodRouter::new();
    let prepare = handler.clone().in_child();
    router.in_child = prepare.map(|prepare| axum::routing::any(InChild(prepare)));
    let mounted = router.mount(Methods::all(), handler);
    router.axum = axum::routing::any(mounted);
    router
}

macro_rules! method {
    ($name:ident, $filter:ident, $doc:literal) => {
        #[doc = concat!("Routes `", stringify!($filter), "` to `handler`", $doc, ".")]
        pub fn $name<H, T, S>(handler: H) -> MethodRouter<S>
        where
            H: Handler<T, S>,
            T: 'static,
            S: Clone + Send + Sync + 'static,
        {
            on(MethodFilter::$filter, handler)
        }

        impl<S> MethodRouter<S>
        where
            S: Clone + Send + Sync + 'static,
        {
            #[doc = concat!("Adds a handler for `", stringify!($filter), "`", $doc, ".")]
            ///
            /// # Panics
            /// When there is one already.
            #[track_caller]
            pub fn $name<H, T>(self, handler: H) -> Self
            where
                H: Handler<T, S>,
                T: 'static,
            {
                self.on(MethodFilter::$filter, handler)
            }
        }
    };
}

method!(get, GET, ", and `HEAD` unless it has a handler of its own");
method!(head, HEAD, "");
method!(post, POST, "");
method!(put, PUT, "");
method!(patch, PATCH, "");
method!(delete, DELETE, "");
method!(options, OPTIONS, "");
method!(trace, TRACE, "");

/// The names of the methods in `filter`.
fn names(filter: MethodFilter) -> Methods {
    let every = [
        (MethodFilter::GET, "GET"),
        (MethodFilter::HEAD, "HEAD"),
        (MethodFilter::POST, "POST"),
        (MethodFilter::PUT, "PUT"),
        (MethodFilter::PATCH, "PATCH"),
        (MethodFilter::DELETE, "DELETE"),
        (MethodFilter::OPTIONS, "OPTIONS"),
        (MethodFilter::TRACE, "TRACE"),
        (MethodFilter::CONNECT, "CONNECT"),
    ];
    let names: Vec<&str> = every
        .into_iter()
        .filter(|(method, _)| filter.or(*method) == filter)
        .map(|(_, name)| name)
        .collect();
    Methods(names.join(","))
}
