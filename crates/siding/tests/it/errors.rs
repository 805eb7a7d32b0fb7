//! Errors of handlers, and the one place where their types become responses.

use std::io;

use siding::axum::Router;
use siding::axum::extract::Request;
use siding::axum::http::header::{HeaderValue, WWW_AUTHENTICATE};
use siding::axum::middleware::{Next, from_fn};
use siding::{
    App, BackgroundTasks, Error, ExitCode, Fault, IntoResponse, Invalid, JobError, Problem,
    Response, StatusCode, compute, get, offload, processes, threads,
};

use crate::log;
use crate::support::{Reply, start};

/// Where children come in. As a test of its own it only shows that this process is none.
#[test]
fn child() {
    if siding::runtime::is_child() {
        assert_eq!(app().run(), ExitCode::SUCCESS);
    }
}

/// What an application defines.
#[derive(Debug, thiserror::Error)]
enum UserError {
    #[error("there is no user {0}")]
    Unknown(u32),
    #[error("no token")]
    NoToken,
}

/// What it does not tell anybody about.
#[derive(Debug, thiserror::Error)]
#[error("failed to keep the books")]
struct BooksError(#[source] io::Error);

/// What makes a response of itself, as in axum.
#[derive(Debug, thiserror::Error)]
#[error("by itself")]
struct OwnError;

impl IntoResponse for OwnError {
    fn into_response(self) -> Response {
        (StatusCode::IM_A_TEAPOT, self.to_string()).into_response()
    }
}

fn unknown() -> Result<String, Error> {
    Err(UserError::Unknown(7))?
}

async fn unknown_later() -> Result<String, Error> {
    tokio::task::yield_now().await;
    unknown()
}

fn locked() -> Result<String, Error> {
    Err(BooksError(io::ErrorKind::WouldBlock.into()))?
}

fn app() -> App {
    let theirs = Router::new()
        .route("/", siding::axum::routing::get(unknown_later))
        .layer(from_fn(stamp));
    App::new("test")
        .route("/async", get(unknown_later))
        .route("/plain", get(unknown))
        .route("/threads", get(threads(unknown_later)))
        .route("/compute", get(compute(unknown)))
        .route("/process", get(processes(unknown)))
        .route("/process-source", get(processes(locked)))
        .route("/process-extractor", get(processes(|_: Bearer| "in")))
        .route("/extractor", get(|_: Bearer| async { "in" }))
        .route("/layered", get(unknown).layer(from_fn(stamp)))
        .nest("/theirs", theirs)
        .layer(from_fn(stamp))
        .on_error(|error: &UserError| match error {
            UserError::Unknown(id) => Problem::new(StatusCode::NOT_FOUND)
                .with_type("/probs/unknown-user", "There is no such user.")
                .with_member("id", id),
            UserError::NoToken => Problem::new(StatusCode::UNAUTHORIZED)
                .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        })
        .on_error(|error: &io::Error| match error.kind() {
            io::ErrorKind::WouldBlock => Problem::new(StatusCode::CONFLICT),
            _ => Problem::internal(error),
        })
        .with_child_args(["--exact", "errors::child", "--nocapture"])
}

/// Tells the status that it sees.
async fn stamp(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let status = HeaderValue::from(response.status().as_u16());
    response.headers_mut().append("x-seen", status);
    response
}

/// An extractor whose rejection is one of the application's errors.
struct Bearer;

impl<S: Sync> siding::extract::FromRequestParts<S> for Bearer {
    type Rejection = Error;

    async fn from_request_parts(
        parts: &mut siding::axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Error> {
        match parts.headers.contains_key("authorization") {
            true => Ok(Self),
            false => Err(UserError::NoToken.into()),
        }
    }
}

#[track_caller]
fn check_unknown(reply: &Reply) {
    reply.assert_problem(404, "");
    let json = serde_json::json!({
        "type": "/probs/unknown-user", "title": "There is no such user.", "status": 404, "id": 7,
    });
    assert_eq!(reply.json(), json);
}

#[test]
fn an_error_is_answered_as_its_type_is_wherever_it_came_up() {
    let service = start(app());
    for path in [
        "/async", "/plain", "/threads", "/compute", "/process", "/layered", "/theirs",
    ] {
        let reply = service.get(path);
        check_unknown(&reply);
        assert_eq!(reply.header("x-seen"), Some("404"), "{path}");
    }
}

#[test]
fn the_error_of_an_extractor_is_one_like_others() {
    let service = start(app());
    for path in ["/extractor", "/process-extractor"] {
        let reply = service.get(path);
        reply.assert_problem(401, "");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{path}");
    }
}

#[test]
fn the_error_of_a_middleware_is_seen_answered_by_those_around_it() {
    async fn guard(_: Request, _: Next) -> Result<Response, Error> {
        Err(UserError::Unknown(7))?
    }
    let app = app()
        .route("/guarded", get(|| "in").layer(from_fn(guard)))
        .layer(from_fn(stamp));
    let reply = start(app).get("/guarded");
    check_unknown(&reply);
    assert_eq!(reply.header("x-seen"), Some("404"));
}

#[test]
fn a_source_answers_for_an_error_that_has_no_handler() {
    let service = start(app().route("/source", get(locked)));
    for path in ["/source", "/process-source"] {
        service.get(path).assert_problem(409, "");
    }
}

#[test]
fn an_error_that_nobody_knows_is_told_to_the_log_alone() {
    log::keep();
    fn fail() -> Result<String, Error> {
        let cause = io::Error::other("the vault has rusted");
        Err(BooksError(cause))?
    }
    // Of a type that `app` knows nothing of.
    let service = start(App::new("test").route("/", get(fail)));
    let reply = service.get("/");
    reply.assert_problem(500, "its log has the cause");
    assert!(!reply.body.contains("books"), "{reply:?}");
    let instance = reply.json()["instance"].clone();
    let id = instance
        .as_str()
        .unwrap()
        .strip_prefix("urn:uuid:")
        .unwrap();
    let line = log::line(&[id]);
    let chain = "answered 500: failed to keep the books: the vault has rusted";
    assert!(line.contains(chain), "{line}");
    assert_eq!(log::count(id), 1);
}

#[test]
fn a_problem_passes_through_and_a_text_is_for_the_log() {
    fn conflict() -> Result<(), Problem> {
        Err(Problem::new(StatusCode::CONFLICT).with_detail("choose another name"))
    }
    async fn passes() -> Result<String, Error> {
        conflict()?;
        Ok(String::new())
    }
    fn text() -> Result<String, Error> {
        Err(Error::boxed("a secret"))
    }
    let app = App::new("test")
        .route("/passes", get(passes))
        .route("/text", get(text));
    let service = start(app);
    service
        .get("/passes")
        .assert_problem(409, "choose another name");
    let reply = service.get("/text");
    reply.assert_problem(500, "its log has the cause");
    assert!(!reply.body.contains("secret"), "{reply:?}");
}

#[test]
fn an_error_that_makes_its_own_response_needs_no_handler() {
    async fn own() -> Result<String, OwnError> {
        Err(OwnError)
    }
    let reply = start(App::new("test").route("/", get(own))).get("/");
    assert_eq!((reply.status, reply.body.as_str()), (418, "by itself"));
}

#[test]
fn sidings_own_errors_can_be_answered_otherwise() {
    fn fail() -> &'static str {
        panic!("a secret")
    }
    async fn elsewhere() -> Result<&'static str, Error> {
        Ok(offload(fail).await?)
    }
    let app = App::new("test")
        .route("/panic", get(fail))
        .route("/offload", get(elsewhere))
        .route("/{number}", get(|_: siding::extract::Path<u8>| "number"))
        .on_error(|error: &JobError| match error {
            JobError::Panicked { .. } => (StatusCode::BAD_GATEWAY, "it panicked"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "it failed"),
        })
        .on_error(|invalid: &Invalid| (StatusCode::BAD_REQUEST, invalid.to_string()));
    let service = start(app);
    for path in ["/panic", "/offload"] {
        let reply = service.get(path);
        assert_eq!((reply.status, reply.body.as_str()), (502, "it panicked"));
    }
    let reply = service.get("/seven");
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (400, "path number: expected u8")
    );
}

#[test]
fn an_error_takes_nothing_from_background_work_and_is_logged_there() {
    log::keep();
    async fn handler(background: BackgroundTasks) -> Result<String, Error> {
        background.add(|| -> Result<(), Error> {
            Err(BooksError(io::Error::other("the books are wet")))?
        });
        unknown()
    }
    let service = start(app().route("/background", get(handler)));
    check_unknown(&service.get("/background"));
    log::line(&["failed to keep the books: the books are wet"]);
}

#[test]
fn a_part_of_an_application_brings_the_handlers_of_its_types() {
    fn fails() -> Result<String, Error> {
        Err(BooksError(io::ErrorKind::NotFound.into()))?
    }
    let gone = |_: &BooksError| StatusCode::GONE;
    let books = || App::new("books").route("/fails", get(fails)).on_error(gone);
    // A handler of the outer application answers what comes up in the part, and one of the part what comes up outside.
    let app = App::new("test")
        .route("/outside", get(fails))
        .nest("/nested", books().route("/unknown", get(unknown)))
        .on_error(|_: &UserError| StatusCode::NOT_FOUND);
    let service = start(app);
    for (path, status) in [
        ("/nested/fails", 410),
        ("/outside", 410),
        ("/nested/unknown", 404),
    ] {
        assert_eq!(service.get(path).status, status, "{path}");
    }
    let merged = start(App::new("test").merge(books()));
    assert_eq!(merged.get("/fails").status, 410);
}

#[test]
#[should_panic(expected = "UserError` has an error handler already")]
fn a_second_handler_for_one_type_is_refused() {
    let _ = App::<()>::new("test")
        .on_error(|_: &UserError| StatusCode::NOT_FOUND)
        .on_error(|_: &UserError| StatusCode::GONE);
}

#[test]
#[should_panic(expected = "one for each type")]
fn two_parts_with_handlers_for_one_type_are_refused() {
    let part = || App::<()>::new("part").on_error(|_: &io::Error| StatusCode::NOT_FOUND);
    let _ = part().merge(part());
}

#[test]
#[should_panic(expected = "a `Problem` is an answer already")]
fn a_problem_has_no_handler() {
    let _ = App::<()>::new("test").on_error(|problem: &Problem| problem.clone());
}

#[test]
fn outside_of_an_application_there_are_sidings_own_answers() {
    let response = Error::from(Invalid::from(Fault::query("page", "is missing"))).into_response();
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let response = unknown().into_response();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
