//! The routes, and what they work with.

use siding::axum::extract::DefaultBodyLimit;
use siding::lifespan::{Lifespan, ResourceError};
use siding::tasks::Tasks;
use siding::{App, compute, get, pinned, post, processes};

use crate::config::Config;
use crate::errors;
use crate::resources::Resources;
use crate::resources::cache::{AsyncCache, BlockingCache, VALUE_BYTES_MAX};
use crate::resources::documents::{AsyncDocuments, BlockingDocuments};
use crate::resources::external::{AsyncExternal, BlockingExternal};
use crate::resources::files::{CONTENT_BYTES_MAX, DataFile};
use crate::resources::predictor::Predictor;
use crate::resources::users::{AsyncUsers, BlockingUsers};
use crate::routes::{
    cache, compute, documents, external, file, health, hello, notify, predict, tasks, users, wait,
};
use tasks::Jobs;

/// The service.
pub(crate) fn app() -> App {
    let tasks = Tasks::new();
    let jobs = Jobs::register(&tasks);
    let app = App::new("siding-demo")
        .merge(clients())
        .route(
            "/compute",
            get(compute(compute::on_the_compute_lane)).post(tasks::start_computation),
        )
        .route("/async/users", get(users::list).post(users::create))
        .route("/async/users/{id}", get(users::find))
        .route(
            "/sync/users",
            get(users::list_on_a_thread).post(users::create_on_a_thread),
        )
        .route("/sync/users/{id}", get(users::find_on_a_thread))
        .route("/bad/users", get(users::list_on_the_event_loop))
        .route("/tasks/{name}", post(tasks::start))
        .route("/result/{task_id}", get(tasks::result))
        .with_lifespan(|lifespan| open(lifespan, jobs))
        // After the lifespan, so that child processes, which answer some of these, open nothing.
        .merge(lanes())
        .with_health_routes()
        .with_tasks(tasks);
    errors::answered(app)
}

/// What shows the lanes, and needs nothing that must be opened.
fn lanes() -> App {
    App::new("lanes")
        .route("/health", get(health::health))
        .route("/hello", get(hello::hello))
        .route("/hello-sync", get(hello::hello_sync))
        .route("/async", get(wait::on_a_timer))
        .route("/sync", get(wait::on_a_thread))
        .route("/bad", get(wait::on_the_event_loop))
        .route("/bad-pinned", get(pinned(wait::on_the_event_loop)))
        .route("/workaround", get(wait::offloaded))
        .route("/compute/process", get(processes(compute::in_a_child)))
        .route("/bad-compute", get(compute::on_the_event_loop))
        .route("/notify", post(notify::notify))
}

/// What asks others, each in both ways that are right and in the one that is wrong.
fn clients() -> App<AppState> {
    let value_limit = || DefaultBodyLimit::max(VALUE_BYTES_MAX);
    let content_limit = || DefaultBodyLimit::max(CONTENT_BYTES_MAX);
    App::new("clients")
        .route("/predict", post(predict::predict))
        .route("/async/external", get(external::awaited))
        .route("/sync/external", get(external::blocking))
        .route("/bad/external", get(external::blocking_the_event_loop))
        .route(
            "/async/cache/{key}",
            get(cache::get_awaited)
                .put(cache::put_awaited)
                .layer(value_limit()),
        )
        .route(
            "/sync/cache/{key}",
            get(cache::get_blocking)
                .put(cache::put_blocking)
                .layer(value_limit()),
        )
        .route("/bad/cache/{key}", get(cache::get_blocking_the_event_loop))
        .route(
            "/async/file",
            get(file::read_awaited)
                .put(file::replace_awaited)
                .layer(content_limit()),
        )
        .route(
            "/sync/file",
            get(file::read_blocking)
                .put(file::replace_blocking)
                .layer(content_limit()),
        )
        .route("/bad/file", get(file::read_blocking_the_event_loop))
        .route(
            "/async/documents",
            get(documents::list_awaited).post(documents::add_awaited),
        )
        .route(
            "/sync/documents",
            get(documents::list_blocking).post(documents::add_blocking),
        )
}

/// What handlers may extract: each part by its own type.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) jobs: Jobs,
    pub(crate) resources: Resources,
}

async fn open(lifespan: Lifespan, jobs: Jobs) -> Result<AppState, ResourceError> {
    let config = Config::from_env(&lifespan.settings().tasks.data)?;
    let resources = Resources::open(&lifespan, &config).await?;
    Ok(AppState { jobs, resources })
}

/// Lets handlers extract `State<Part>`.
macro_rules! parts {
    ($($part:ty: |$state:ident| $value:expr;)*) => {$(
        impl siding::extract::FromRef<AppState> for $part {
            fn from_ref($state: &AppState) -> Self {
                $value.clone()
            }
        }
    )*};
}

parts! {
    Jobs: |state| state.jobs;
    AsyncUsers: |state| state.resources.async_users;
    BlockingUsers: |state| state.resources.blocking_users;
    AsyncCache: |state| state.resources.cache.asynchronous;
    BlockingCache: |state| state.resources.cache.blocking;
    AsyncDocuments: |state| state.resources.documents.asynchronous;
    BlockingDocuments: |state| state.resources.documents.blocking;
    AsyncExternal: |state| state.resources.external.asynchronous;
    BlockingExternal: |state| state.resources.external.blocking;
    DataFile: |state| state.resources.file;
    Predictor: |state| state.resources.predictor;
}
