//! The blocking client in an `async fn`, while PostgreSQL keeps it waiting.

use serde_json::Value;

use super::database::Database;
use crate::support::{answer, eventually, get_json};

#[test]
fn it_hurts_nobody_is_moved_and_told_what_to_change() {
    let Some(database) = Database::postgres() else {
        return;
    };
    // A thread that gets no CPU for some milliseconds gives no stack, and then the advice names no line.
    let route = eventually("a stack is taken in time", || {
        let route = stall(&database);
        route["evidence"]["stack_error"].is_null().then_some(route)
    });
    let advice = route["advice"].as_str().expect("text");
    for words in [
        "127.0.0.1:5432 (PostgreSQL)",
        "crates/demo/src/resources/users/blocking.rs:",
        "`sqlx`, `diesel-async`",
        "it now runs on the threads lane",
    ] {
        assert!(advice.contains(words), "{advice:?} lacks {words:?}");
    }
    // Its stack has the handler, too.
    let stack = route["evidence"]["stack"].to_string();
    assert!(stack.contains("list_on_the_event_loop"), "{stack}");
}

/// Has requests to `/bad/users` wait for a lock, and returns what is said of the route then.
#[track_caller]
fn stall(database: &Database) -> Value {
    let mut service = database.serve(&["--admin", "127.0.0.1:0", "--event-loop-threads=2"]);
    let admin = service.admin_address();
    // A connection in the pool, so that what is waited for is the database.
    assert_eq!(service.get("/sync/users").0, 200);
    let lock = database.lock();
    let first = service.ask("/bad/users");
    eventually("it waits", || (database.waiting() == 1).then_some(()));
    assert_eq!(service.get("/health").0, 200);
    // The stack comes after the move.
    let route = eventually("the route is moved, and its stack read", || {
        let (_, routes) = get_json(admin, "/api/routes");
        let mut routes = routes["routes"].as_array().expect("a list").iter();
        let route = routes.find(|route| route["name"] == "GET /bad/users")?;
        let evidence = &route["evidence"];
        let read = !evidence["stack"].is_null() || !evidence["stack_error"].is_null();
        (route["current_lane"] == "threads" && read).then(|| route.clone())
    });
    let others: Vec<_> = (0..8).map(|_| service.ask("/bad/users")).collect();
    eventually("they wait", || (database.waiting() == 9).then_some(()));
    assert_eq!(service.get("/health").0, 200);
    drop(lock);
    for stream in others.into_iter().chain([first]) {
        assert_eq!(answer(stream).0, 200);
    }
    route
}
