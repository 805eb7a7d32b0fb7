//! Resources: when they are opened, when they are closed, and what happens when one cannot be.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use siding::axum::extract::FromRef;
use siding::extract::State;
use siding::lifespan::{Lifespan, Opener, ResourceError};
use siding::{App, Drained, Running, StartError, get};

use crate::support::{settings, start, start_with};

/// What happened, in order.
#[derive(Clone, Debug, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn write(&self, what: impl Into<String>) {
        self.0.lock().expect("nobody panicked").push(what.into());
    }

    #[track_caller]
    fn assert(&self, expected: &[&str]) {
        assert_eq!(*self.0.lock().expect("nobody panicked"), expected);
    }
}

/// A resource that writes its life down.
#[derive(Clone, Debug)]
struct Pool {
    name: &'static str,
    diary: Diary,
}

impl Pool {
    async fn close(self) {
        self.diary.write(format!("close {}", self.name));
    }

    fn close_plainly(self) {
        self.diary.write(format!("close {}", self.name));
    }
}

impl Diary {
    fn pool(&self, name: &'static str) -> Pool {
        self.write(format!("open {name}"));
        Pool {
            name,
            diary: self.clone(),
        }
    }
}

/// Two pools, one of each colour.
#[derive(Clone)]
struct Pools {
    users: Pool,
    words: Words,
}

impl FromRef<Pools> for Pool {
    fn from_ref(pools: &Pools) -> Self {
        pools.users.clone()
    }
}

impl FromRef<Pools> for Words {
    fn from_ref(pools: &Pools) -> Self {
        pools.words.clone()
    }
}

#[derive(Clone)]
struct Words(Pool);

async fn open_pools(lifespan: Lifespan, diary: Diary) -> Result<Pools, ResourceError> {
    let (one, two) = (diary.clone(), diary);
    let users = lifespan
        .open("users", async move || {
            Ok::<_, ResourceError>(one.pool("users"))
        })
        .close(Pool::close)
        .await?;
    let words = lifespan
        .open("words", move || Ok::<_, ResourceError>(two.pool("words")))
        .close(Pool::close_plainly)
        .await?;
    Ok(Pools {
        users,
        words: Words(words),
    })
}

async fn users(State(users): State<Pool>) -> &'static str {
    users.name
}

fn words(State(Words(words)): State<Words>) -> &'static str {
    words.name
}

fn two_pools(diary: &Diary) -> App {
    let diary = diary.clone();
    App::new("test")
        .route("/users", get(users))
        .route("/words", get(words))
        .with_lifespan(|lifespan| open_pools(lifespan, diary))
}

#[test]
fn resources_are_open_before_the_first_request_and_closed_after_the_last() {
    let diary = Diary::default();
    let service = start(two_pools(&diary));
    diary.assert(&["open users", "open words"]);
    assert_eq!(service.get("/users").body, "users");
    assert_eq!(service.get("/words").body, "words");
    assert_eq!(service.drain(), Drained::Complete);
    diary.assert(&["open users", "open words", "close words", "close users"]);
}

#[test]
fn they_are_closed_once_background_work_is_done() {
    use siding::BackgroundTasks;

    let diary = Diary::default();
    let (noted, lifespan_diary) = (diary.clone(), diary.clone());
    let app = App::new("test")
        .route(
            "/later",
            get(async move |background: BackgroundTasks, _: State<Pools>| {
                background.add(move || noted.write("background"));
            }),
        )
        .with_lifespan(|lifespan| open_pools(lifespan, lifespan_diary));
    let service = start(app);
    assert_eq!(service.get("/later").status, 200);
    assert_eq!(service.drain(), Drained::Complete);
    diary.assert(&[
        "open users",
        "open words",
        "background",
        "close words",
        "close users",
    ]);
}

#[test]
fn what_was_open_is_closed_when_a_later_one_fails() {
    let diary = Diary::default();
    let lifespan_diary = diary.clone();
    let app =
        App::new("test")
            .route("/users", get(users))
            .with_lifespan(async |lifespan: Lifespan| {
                let pools = open_pools(lifespan.clone(), lifespan_diary).await?;
                let refused = || Err::<(), _>(std::io::Error::other("refused"));
                lifespan.open("cache", refused).await?;
                Ok::<_, ResourceError>(pools)
            });
    let error = refused(app);
    assert_eq!(error.to_string(), "failed to open cache: refused");
    assert!(matches!(error, StartError::Resource(error) if error.resource() == Some("cache")));
    diary.assert(&["open users", "open words", "close words", "close users"]);
}

#[test]
fn they_are_closed_when_the_address_is_taken() {
    let first = start(App::new("first"));
    let diary = Diary::default();
    let mut settings = settings();
    settings.bind = first.address();
    let error = two_pools(&diary).with_settings(settings).start();
    assert!(matches!(error, Err(StartError::Listen { .. })));
    diary.assert(&["open users", "open words", "close words", "close users"]);
}

#[track_caller]
fn refused(app: App) -> StartError {
    let running = app.with_settings(settings()).start();
    running.map(|_: Running| ()).expect_err("does not start")
}

/// An application whose lifespan opens one resource without a value.
fn opening<M>(opener: impl Opener<M, Resource = ()>) -> App {
    App::new("test").with_lifespan(async |lifespan: Lifespan| lifespan.open("cache", opener).await)
}

type Opened = Result<(), ResourceError>;

#[test]
fn a_panic_while_opening_is_an_error() {
    let plain = refused(opening(|| -> Opened { panic!("no luck") }));
    assert_eq!(
        plain.to_string(),
        "failed to open cache: it panicked: no luck"
    );
    let awaited = refused(opening(async || -> Opened { panic!("no luck") }));
    assert!(awaited.to_string().contains("no luck"), "{awaited}");
}

#[test]
fn opening_has_a_limit() {
    let mut settings = settings();
    settings.lifespan.open_limit = Duration::from_millis(10);
    let app = opening(pending::<Opened>).with_settings(settings);
    let error = app.start().map(drop).expect_err("does not start");
    assert_eq!(
        error.to_string(),
        "failed to open cache: it was not open within 10ms"
    );
}

#[test]
fn closing_has_a_limit_and_the_rest_is_left() {
    let diary = Diary::default();
    let lifespan_diary = diary.clone();
    let app = App::new("test").with_lifespan(async |lifespan: Lifespan| {
        let pools = open_pools(lifespan.clone(), lifespan_diary).await?;
        let hang = || async { Ok::<_, ResourceError>(()) };
        lifespan
            .open("cache", hang)
            .close(|()| pending::<()>())
            .await?;
        Ok::<_, ResourceError>(pools)
    });
    let service = start_with(app, |settings| {
        settings.lifespan.close_limit = Duration::from_millis(10);
    });
    let Drained::Cut { resources, .. } = service.drain() else {
        panic!("a resource did not close");
    };
    assert!(resources >= 1);
}

#[test]
fn a_close_that_fails_or_panics_does_not_keep_the_others_open() {
    let diary = Diary::default();
    let lifespan_diary = diary.clone();
    let app = App::new("test").with_lifespan(async |lifespan: Lifespan| {
        let pools = open_pools(lifespan.clone(), lifespan_diary).await?;
        let none = || Ok::<_, ResourceError>(());
        let fail = |()| Err::<(), _>("no luck");
        lifespan.open("fails", none).close(fail).await?;
        let panics = |()| -> () { panic!("no luck") };
        lifespan.open("panics", none).close(panics).await?;
        Ok::<_, ResourceError>(pools)
    });
    assert_eq!(start(app).drain(), Drained::Complete);
    diary.assert(&["open users", "open words", "close words", "close users"]);
}

#[test]
fn plain_openers_may_block_and_leave_the_runtime_alone() {
    let (here, there) = std::sync::mpsc::channel();
    let service = start(opening(move || {
        // A blocking client refuses to run inside of a runtime.
        let inside = tokio::runtime::Handle::try_current().is_ok();
        here.send(inside).map_err(|error| error.to_string())
    }));
    assert!(!there.recv().expect("was opened"));
    drop(service);
}

#[test]
fn a_layer_covers_the_routes_before_it_and_no_others() {
    use siding::axum::http::HeaderValue;
    use siding::axum::middleware::map_response;

    let mark = map_response(async |mut response: siding::Response| {
        let marked = HeaderValue::from_static("yes");
        response.headers_mut().insert("marked", marked);
        response
    });
    let app = two_pools(&Diary::default())
        .layer(mark)
        .route("/bare", get(async || "bare"));
    let service = start(app);
    assert_eq!(service.get("/users").header("marked"), Some("yes"));
    assert_eq!(service.get("/bare").header("marked"), None);
}

#[test]
fn apps_bring_their_own() {
    let diary = Diary::default();
    let shop = two_pools(&diary);
    let lifespan_diary = diary.clone();
    let app = App::new("both")
        .route("/own", get(async |State(pool): State<Pool>| pool.name))
        .with_lifespan(async |lifespan: Lifespan| {
            let open = move || Ok::<_, ResourceError>(lifespan_diary.pool("own"));
            lifespan.open("own", open).close(Pool::close).await
        })
        .merge(App::new("inner").nest("/shop", shop));
    let service = start(app);
    for (path, body) in [
        ("/own", "own"),
        ("/shop/users", "users"),
        ("/shop/words", "words"),
    ] {
        assert_eq!(service.get(path).body, body);
    }
    service
        .get("/users")
        .assert_problem(404, "nothing is served");
    assert_eq!(service.drain(), Drained::Complete);
    diary.assert(&[
        "open own",
        "open users",
        "open words",
        "close words",
        "close users",
        "close own",
    ]);
}

#[test]
fn an_application_may_fail_between_two_resources() {
    let app: App = App::new("test").with_lifespan(async |_: Lifespan| {
        Err::<(), _>("DATABASE_URL is not set; for example postgres://localhost/shop")
    });
    let error = refused(app);
    assert!(error.to_string().starts_with("DATABASE_URL is not set"));
}

#[test]
fn pools_are_sized_from_the_lanes() {
    let (tell, told) = std::sync::mpsc::channel();
    let app: App = App::new("test").with_lifespan(async move |lifespan: Lifespan| {
        tell.send(lifespan.connections())
            .map_err(|error| error.to_string())
    });
    let service = start_with(app, |settings| {
        settings.runtime.threads.threads_min = 7;
        settings.runtime.event_loop_threads = 3;
    });
    let connections = told.recv().expect("was opened");
    assert_eq!((connections.plain, connections.event_loop), (7, 12));
    drop(service);
}
