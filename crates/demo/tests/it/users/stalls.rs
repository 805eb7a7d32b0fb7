//! The blocking client in an `async fn`, while PostgreSQL keeps it waiting.

use super::database::Database;
use crate::support::{answer, eventually, get_json};

#[test]
fn it_hurts_nobody_is_moved_and_told_what_to_change() {
    let Some(database) = Database::postgres() else {
        return;
    };
    let mut service = database.serve(&["--admin", "127.0.0.1:0", "--event-loop-threads=2"]);
    let admin = service.admin_address();
    let lock = database.lock();
    let asked: Vec<_> = (0..8).map(|_| service.ask("/bad/users")).collect();
    eventually("all of them wait", || {
        (database.waiting() == 8).then_some(())
    });
    assert_eq!(service.get("/health").0, 200);
    // The names in its stack are looked up after it is moved.
    let route = eventually("the route is moved, and its stack read", || {
        let (_, routes) = get_json(admin, "/api/routes");
        let mut routes = routes["routes"].as_array().expect("a list").iter();
        let route = routes.find(|route| route["name"] == "GET /bad/users")?;
        let is_told = route["current_lane"] == "threads" && !route["evidence"]["stack"].is_null();
        is_told.then(|| route.clone())
    });
    println!("{}", route);
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
    let evidence = route["evidence"].to_string();
    assert!(evidence.contains("list_on_the_event_loop"), "{evidence}");
    assert_eq!(service.get("/health").0, 200);
    drop(lock);
    for stream in asked {
        assert_eq!(answer(stream).0, 200);
    }
}
