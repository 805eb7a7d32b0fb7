//! The routes, and what they work with.

use siding::lifespan::{Lifespan, ResourceError};
use siding::tasks::Tasks;
use siding::{App, compute, get, pinned, post, processes};

use crate::config::Config;
use crate::resources::Resources;
use crate::resources::users::{AsyncUsers, BlockingUsers};
use crate::routes::{compute, health, hello, notify, tasks, users, wait};
use tasks::Jobs;

/// The service.
pub(crate) fn app() -> App {
    let tasks = Tasks::new();
    let jobs = Jobs::register(&tasks);
    App::new("siding-demo")
        .merge(lanes())
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
        .with_health_routes()
        .with_tasks(tasks)
}

/// What shows the lanes, and needs nothing that must be opened.
fn lanes<S>() -> App<S>
where
    S: Clone + Send + Sync + 'static,
{
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
}
