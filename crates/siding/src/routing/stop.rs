//! One handler's place on the line: what it is called, how it is declared, and its route in the runtime.

use std::fmt;
use std::sync::{Arc, OnceLock};

use siding_runtime::{Handle, Route, RouteSpec, Routes};

use crate::handler::Declaration;

/// The methods that a handler answers, for people: `GET`, `GET,POST`, `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Methods(pub(crate) String);

impl Methods {
    /// Every method there is.
    pub(crate) fn all() -> Self {
        Self("*".to_owned())
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One handler's place. The runtime's registry exists only once the app is served, so the route is bound then.
#[derive(Debug)]
pub(crate) struct Stop {
    methods: Methods,
    declaration: Declaration,
    route: OnceLock<Arc<Route>>,
    #[cfg(feature = "openapi")]
    description: Option<crate::openapi::Description>,
}

impl Stop {
    pub(crate) fn new(methods: Methods, declaration: Declaration) -> Self {
        Self {
            methods,
            declaration,
            route: OnceLock::new(),
            #[cfg(feature = "openapi")]
            description: None,
        }
    }

    /// The same, with what the handler says of itself.
    #[cfg(feature = "openapi")]
    pub(crate) fn described(self, description: Option<crate::openapi::Description>) -> Self {
        Self {
            description,
            ..self
        }
    }

    #[cfg(feature = "openapi")]
    pub(crate) fn description(&self) -> Option<&crate::openapi::Description> {
        self.description.as_ref()
    }

    pub(crate) fn methods(&self) -> &Methods {
        &self.methods
    }

    pub(crate) fn declaration(&self) -> Declaration {
        self.declaration
    }

    /// Registers the route under `path`, unless it is bound already.
    pub(crate) fn bind(&self, routes: &Routes, path: &str) -> &Arc<Route> {
        self.route.get_or_init(|| {
            routes.register(RouteSpec {
                name: format!("{} {path}", self.methods),
                kind: self.declaration.kind,
                declared: self.declaration.lane,
                pinned: self.declaration.pinned,
            })
        })
    }

    /// The route. A method router that was put into a plain axum router binds itself at its first request.
    ///
    /// # Panics
    /// When it is not bound yet and the thread belongs to no Siding runtime.
    pub(crate) fn route(&self, path: impl FnOnce() -> String) -> &Arc<Route> {
        match self.route.get() {
            Some(route) => route,
            None => self.bind(Handle::current().routes(), &path()),
        }
    }
}
