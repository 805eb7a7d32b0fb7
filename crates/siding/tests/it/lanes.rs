//! Where handlers run.

use siding::runtime::LaneKind;
use siding::{App, compute, get, pinned, threads};

use crate::support::start;

fn here() -> String {
    std::thread::current()
        .name()
        .unwrap_or("nameless")
        .trim_end_matches(|c: char| c == '-' || c.is_ascii_digit())
        .to_owned()
}

async fn asynchronous() -> String {
    here()
}

/// Awaits between two looks, so that it is polled twice.
async fn awaiting() -> String {
    let before = here();
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    assert_eq!(before, here());
    before
}

#[test]
fn signatures_and_wrappers_say_where() {
    let app = App::new("test")
        .route("/async", get(asynchronous))
        .route("/plain", get(here))
        .route("/threads-async", get(threads(awaiting)))
        .route("/threads-plain", get(threads(here)))
        .route("/compute-async", get(compute(awaiting)))
        .route("/compute-plain", get(compute(here)))
        .route("/pinned", get(pinned(asynchronous)))
        .route("/pinned-compute", get(pinned(compute(here))));
    let service = start(app);
    for (path, thread) in [
        ("/async", "siding-event-loop"),
        ("/plain", "siding-threads"),
        ("/threads-async", "siding-threads"),
        ("/threads-plain", "siding-threads"),
        ("/compute-async", "siding-compute"),
        ("/compute-plain", "siding-compute"),
        ("/pinned", "siding-event-loop"),
        ("/pinned-compute", "siding-compute"),
    ] {
        let reply = service.get(path);
        assert_eq!((reply.status, reply.body.as_str()), (200, thread), "{path}");
    }
}

#[test]
fn the_response_of_a_plain_function_is_made_on_its_lane() {
    struct Late;
    impl siding::IntoResponse for Late {
        fn into_response(self) -> siding::Response {
            here().into_response()
        }
    }
    let service = start(App::new("test").route("/", get(|| Late)));
    assert_eq!(service.get("/").body, "siding-threads");
}

#[test]
fn the_list_tells_declarations() {
    let app: App = App::new("test")
        .route("/a", get(pinned(asynchronous)).post(here))
        .nest("/in", App::new("inner").route("/", get(compute(here))));
    let list: Vec<_> = app
        .routes()
        .into_iter()
        .map(|route| (route.methods, route.path, route.lane, route.pinned))
        .collect();
    let expected = [
        ("GET", "/a", LaneKind::EventLoop, true),
        ("POST", "/a", LaneKind::Threads, false),
        ("GET", "/in", LaneKind::Compute, false),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(methods, path, lane, pinned)| (methods.to_owned(), path.to_owned(), lane, pinned))
        .collect();
    assert_eq!(list, expected);
}
