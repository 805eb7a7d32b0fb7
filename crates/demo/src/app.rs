//! The routes, and what they work with.

use siding::axum::extract::DefaultBodyLimit;
use siding::lifespan::{Lifespan, ResourceError};
use siding::openapi::described;
use siding::tasks::Tasks;
use siding::{App, StatusCode, compute, get, pinned, post, processes};

use crate::config::Config;
use crate::documentation;
use crate::errors;
use crate::resources::Resources;
use crate::resources::cache::{AsyncCache, BlockingCache, CacheError, VALUE_BYTES_MAX};
use crate::resources::documents::{AsyncDocuments, BlockingDocuments, DocumentsError};
use crate::resources::external::{AsyncExternal, BlockingExternal, ExternalError};
use crate::resources::files::{CONTENT_BYTES_MAX, DataFile, FileError};
use crate::resources::predictor::{PredictError, Predictor};
use crate::resources::users::{AsyncUsers, BlockingUsers, UsersError};
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
        .merge(users_routes())
        .merge(task_routes())
        .with_lifespan(|lifespan| open(lifespan, jobs))
        // After the lifespan, so that child processes, which answer some of these, open nothing.
        .merge(lanes())
        .with_health_routes()
        .with_openapi(documentation::document())
        .with_tasks(tasks);
    errors::answered(app)
}

/// What shows the lanes, and needs nothing that must be opened.
fn lanes() -> App {
    /// Describes a handler of this group.
    macro_rules! about {
        ($handler:expr, $summary:literal) => {
            described($handler).tag("lanes").summary($summary)
        };
    }
    App::new("lanes")
        .route(
            "/health",
            get(about!(health::health, "Whether it is there")),
        )
        .route("/hello", get(about!(hello::hello, "A greeting")))
        .route(
            "/hello-sync",
            get(about!(hello::hello_sync, "A greeting, from a thread")),
        )
        .route(
            "/async",
            get(about!(wait::on_a_timer, "Waits: right, awaited")),
        )
        .route(
            "/sync",
            get(about!(wait::on_a_thread, "Waits: right, on a thread")),
        )
        .route(
            "/bad",
            get(about!(
                wait::on_the_event_loop,
                "Waits: wrong, blocks the event loop"
            )),
        )
        .route(
            "/bad-pinned",
            get(about!(
                pinned(wait::on_the_event_loop),
                "Waits: wrong, and must not be moved"
            )),
        )
        .route(
            "/workaround",
            get(about!(wait::offloaded, "Waits: right, off the event loop")),
        )
        .route(
            "/compute/process",
            get(about!(
                processes(compute::in_a_child),
                "Computes in a child process"
            )),
        )
        .route(
            "/bad-compute",
            get(about!(
                compute::on_the_event_loop,
                "Computes: wrong, on the event loop"
            )),
        )
        .route(
            "/notify",
            post(
                described(notify::notify)
                    .tag("tasks")
                    .summary("Sends a notice, after the answer"),
            ),
        )
}

/// Users, in a database.
fn users_routes() -> App<AppState> {
    macro_rules! about {
        ($handler:expr, $summary:literal) => {
            described($handler)
                .tag("users")
                .summary($summary)
                .fails::<UsersError>()
        };
    }
    let taken = (StatusCode::CONFLICT, "Another user has this address");
    let missing = (StatusCode::NOT_FOUND, "No user has this id");
    App::new("users")
        .route(
            "/async/users",
            get(about!(users::list, "A page of users"))
                .post(about!(users::create, "A new user").problem(taken.0, taken.1)),
        )
        .route(
            "/async/users/{id}",
            get(about!(users::find, "One user").problem(missing.0, missing.1)),
        )
        .route(
            "/sync/users",
            get(about!(users::list_on_a_thread, "A page of users"))
                .post(about!(users::create_on_a_thread, "A new user").problem(taken.0, taken.1)),
        )
        .route(
            "/sync/users/{id}",
            get(about!(users::find_on_a_thread, "One user").problem(missing.0, missing.1)),
        )
        .route(
            "/bad/users",
            get(about!(
                users::list_on_the_event_loop,
                "A page of users: wrong"
            )),
        )
}

/// Tasks, and computing, which can be one.
fn task_routes() -> App<AppState> {
    let computing = described(compute(compute::on_the_compute_lane))
        .tag("lanes")
        .summary("Computes on the compute lane");
    let starting = described(tasks::start_computation)
        .tag("tasks")
        .summary("Computes later");
    let start = described(tasks::start)
        .tag("tasks")
        .summary("Starts a task by its name")
        .problem(StatusCode::NOT_FOUND, "There is no task of this name");
    let result = described(tasks::result)
        .tag("tasks")
        .summary("What became of a task")
        .problem(StatusCode::NOT_FOUND, "No task has this id")
        .problem(StatusCode::GONE, "The task was revoked, or had expired")
        .problem(StatusCode::INTERNAL_SERVER_ERROR, "The task failed");
    App::new("tasks")
        .route("/compute", get(computing).post(starting))
        .route("/tasks/{name}", post(start))
        .route("/result/{task_id}", get(result))
}

/// What asks others, each in both ways that are right and in the one that is wrong.
fn clients() -> App<AppState> {
    App::new("clients")
        .merge(external_routes())
        .merge(cache_routes())
        .merge(file_routes())
        .merge(document_routes())
        .merge(prediction_routes())
}

fn prediction_routes() -> App<AppState> {
    let predict = described(predict::predict)
        .tag("predictions")
        .summary("Which kind of file this is")
        .fails::<PredictError>();
    App::new("predictions").route("/predict", post(predict))
}

fn external_routes() -> App<AppState> {
    macro_rules! about {
        ($handler:expr, $summary:literal) => {
            described($handler)
                .tag("external")
                .summary($summary)
                .fails::<ExternalError>()
        };
    }
    App::new("external")
        .route(
            "/async/external",
            get(about!(external::awaited, "Asks: right, awaited")),
        )
        .route(
            "/sync/external",
            get(about!(external::blocking, "Asks: right, on a thread")),
        )
        .route(
            "/bad/external",
            get(about!(
                external::blocking_the_event_loop,
                "Asks: wrong, blocks the event loop"
            )),
        )
}

fn cache_routes() -> App<AppState> {
    macro_rules! reads {
        ($handler:expr) => {
            described($handler)
                .tag("cache")
                .summary("A value")
                .fails::<CacheError>()
                .problem(StatusCode::NOT_FOUND, "There is no value for this key")
        };
    }
    macro_rules! writes {
        ($handler:expr) => {
            described($handler)
                .tag("cache")
                .summary("Keeps a value of up to 64 KiB")
                .fails::<CacheError>()
        };
    }
    let limit = || DefaultBodyLimit::max(VALUE_BYTES_MAX);
    App::new("cache")
        .route(
            "/async/cache/{key}",
            get(reads!(cache::get_awaited))
                .put(writes!(cache::put_awaited))
                .layer(limit()),
        )
        .route(
            "/sync/cache/{key}",
            get(reads!(cache::get_blocking))
                .put(writes!(cache::put_blocking))
                .layer(limit()),
        )
        .route(
            "/bad/cache/{key}",
            get(reads!(cache::get_blocking_the_event_loop)),
        )
}

fn file_routes() -> App<AppState> {
    macro_rules! reads {
        ($handler:expr) => {
            described($handler)
                .tag("file")
                .summary("The file")
                .fails::<FileError>()
        };
    }
    macro_rules! writes {
        ($handler:expr) => {
            described($handler)
                .tag("file")
                .summary("Replaces the file, by up to 1 MiB")
        };
    }
    let limit = || DefaultBodyLimit::max(CONTENT_BYTES_MAX);
    App::new("file")
        .route(
            "/async/file",
            get(reads!(file::read_awaited))
                .put(writes!(file::replace_awaited))
                .layer(limit()),
        )
        .route(
            "/sync/file",
            get(reads!(file::read_blocking))
                .put(writes!(file::replace_blocking))
                .layer(limit()),
        )
        .route("/bad/file", get(reads!(file::read_blocking_the_event_loop)))
}

fn document_routes() -> App<AppState> {
    macro_rules! about {
        ($handler:expr, $summary:literal) => {
            described($handler)
                .tag("documents")
                .summary($summary)
                .fails::<DocumentsError>()
        };
    }
    App::new("documents")
        .route(
            "/async/documents",
            get(about!(documents::list_awaited, "The latest documents"))
                .post(about!(documents::add_awaited, "A new document")),
        )
        .route(
            "/sync/documents",
            get(about!(documents::list_blocking, "The latest documents"))
                .post(about!(documents::add_blocking, "A new document")),
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
