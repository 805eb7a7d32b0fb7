//! What an application opens before its first request, and closes after its last: pools, clients, files.
//!
//! [`App::with_lifespan`](crate::App::with_lifespan) takes a function that opens the application's resources, one after the
//! other, and returns the state that its handlers extract. Whether a step is an `async fn` or a plain `fn` is told by its
//! signature, as with handlers.
//!
//! ```no_run
//! use siding::extract::State;
//! use siding::lifespan::{Lifespan, ResourceError};
//! use siding::{App, ExitCode, get};
//! # #[derive(Clone)] struct Pool;
//! # impl Pool {
//! #     async fn connect(_url: &str) -> std::io::Result<Self> { Ok(Self) }
//! #     async fn ping(self) -> std::io::Result<()> { Ok(()) }
//! #     async fn close(self) {}
//! # }
//! # #[derive(Clone)] struct Words;
//! # fn read_words() -> std::io::Result<Words> { Ok(Words) }
//!
//! #[derive(Clone)]
//! struct Resources {
//!     users: Pool,
//!     words: Words,
//! }
//!
//! async fn open(lifespan: Lifespan) -> Result<Resources, ResourceError> {
//!     let users = lifespan
//!         .open("users", || Pool::connect("postgres://localhost/shop")) // awaited
//!         .check(Pool::ping) // asked by `/ready`
//!         .close(Pool::close) // after the last request, in reverse order
//!         .await?;
//!     let words = lifespan.open("words", read_words).await?; // a plain function: on a thread of its own, may block
//!     Ok(Resources { users, words })
//! }
//!
//! async fn users(State(resources): State<Resources>) -> &'static str {
//!     let _ = (resources.users, resources.words);
//!     "Ann, Bob"
//! }
//!
//! fn main() -> ExitCode {
//!     App::new("shop").route("/users", get(users)).with_lifespan(open).run()
//! }
//! ```
//!
//! # Order
//! Resources are opened in the order in which the function awaits them, before the application listens. They are closed in
//! reverse once every request has been answered, background work is done and the worker has stopped. When one fails to open, the
//! function's `?` ends it: what had been opened is closed in reverse, and the program ends with
//! [`exit::RESOURCE`](crate::exit::RESOURCE) and a sentence that names the resource.
//!
//! # Time
//! Each resource has [`LifespanSettings::open_limit`] to open, all of them together have
//! [`LifespanSettings::close_limit`] to close, and each has [`LifespanSettings::check_limit`] to answer when it is asked how it is.
//!
//! # Which roles open them
//! `serve` does. `worker` does where tasks need them, see
//! [`App::with_worker_lifespan`](crate::App::with_worker_lifespan). `routes` and `tasks` do not. A child process of the process
//! lane does so when it answers its first request to a handler inside [`processes`](crate::processes()), if a handler of that app is
//! inside `processes`; it is ended without closing.
//!
//! # Health
//! The admin listener answers `/ready` with 200 while every check succeeds, and with 503 while one fails, or the application
//! drains; `/live` with 200 whenever the event loop turns. [`App::with_health_routes`](crate::App::with_health_routes) has them on the
//! application's own listener too. A check takes no permit of a lane and waits for no handler: plain ones run on a
//! thread of their own, each at most once at a time, and an answer is kept for a second. So that it does not wait for users
//! *inside* the resource either, a check should have a connection of its own instead of one from the pool that the handlers use.
//!
//! # How large a pool should be
//! [`Lifespan::connections`] derives it from the lanes, and says why.

mod checks;
mod connections;
mod error;
mod opened;
mod opening;
mod probes;
mod settings;
mod step;

use std::sync::Arc;

use crate::Settings;

pub(crate) use checks::Check;
pub use connections::Connections;
pub use error::ResourceError;
pub(crate) use opened::Resources;
pub use opening::Opening;
pub(crate) use probes::Probes;
pub use settings::LifespanSettings;
pub use step::{Opener, Outcome, Step};

/// Opens an application's resources; see the [module](self). A cheap clone.
#[derive(Clone, Debug)]
pub struct Lifespan {
    resources: Arc<Resources>,
    settings: Arc<Settings>,
}

impl Lifespan {
    pub(crate) fn new(resources: Arc<Resources>, settings: Settings) -> Self {
        Self {
            resources,
            settings: Arc::new(settings),
        }
    }

    /// Opens a resource, once awaited. `name` is for people: `/ready`, the log and errors call it so.
    ///
    /// `opener` is an `async` closure or function without arguments, or a plain one, which runs on a thread of its own and may
    /// block. It returns a `Result`; its error is told in full to whoever starts the program, so it should not hold a password.
    ///
    /// # Errors
    /// What the opener returned; or that it panicked, or did not end in time.
    pub fn open<M, O>(&self, name: impl Into<String>, opener: O) -> Opening<O::Resource>
    where
        O: Opener<M>,
    {
        Opening::new(Arc::clone(&self.resources), name.into(), opener.open())
    }

    /// Has the admin listener show a client.
    #[cfg(feature = "inference")]
    pub(crate) fn add_upstream(&self, client: crate::inference::Client) {
        self.resources.add_upstream(client);
    }

    /// Whether it shows a client of this name.
    #[cfg(feature = "inference")]
    pub(crate) fn has_upstream(&self, name: &str) -> bool {
        let upstreams = self.resources.upstreams();
        upstreams.iter().any(|client| client.name() == name)
    }

    /// How many connections a pool should have.
    #[must_use]
    pub fn connections(&self) -> Connections {
        Connections::of(&self.settings.runtime)
    }

    /// What the application runs with, once flags and the environment have had their say: where its data directory is, say
    /// ([`TaskSettings::data`](crate::TaskSettings::data)), or how long a request may take.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
