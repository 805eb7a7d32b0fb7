//! `GET /api/tasks` of the admin listener.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::{Service, assert_problem, get_json};

/// A service that runs no tasks, and its admin listener.
fn service() -> (Service, SocketAddr) {
    let mut service = Service::start(&["--no-worker", "--admin", "127.0.0.1:0"]);
    let admin = service.admin_address();
    (service, admin)
}

#[track_caller]
fn page(admin: SocketAddr, query: &str) -> Value {
    let (status, page) = get_json(admin, &format!("/api/tasks{query}"));
    assert_eq!(status, 200, "{page}");
    assert_eq!(page["version"], 1);
    page
}

fn ids(page: &Value) -> Vec<&str> {
    let tasks = page["tasks"].as_array().expect("a list");
    tasks
        .iter()
        .filter_map(|task| task["id"].as_str())
        .collect()
}

#[test]
fn a_task_is_listed_with_all_that_is_known_of_it() {
    let (service, admin) = service();
    let id = service.start_task("add", r#"{"args": [1], "kwargs": {"y": 2}}"#);
    let page = page(admin, "");
    let task = &page["tasks"][0];
    assert_eq!(task["id"], json!(id));
    assert_eq!(task["task"], "add");
    assert_eq!(task["state"], "PENDING");
    assert_eq!(task["queue"], "celery");
    assert_eq!(task["args"], json!([1]));
    assert_eq!(task["kwargs"], json!({"y": 2}));
    assert_eq!(task["deliveries"], 0);
    assert_eq!(page["next"], Value::Null);
    assert_eq!(
        page["queues"],
        json!([{"queue": "celery", "state": "PENDING", "tasks": 1}])
    );
}

#[test]
fn a_list_is_filtered() {
    let (service, admin) = service();
    let add = service.start_task("add", r#"{"args": [1, 2]}"#);
    let sleep = service.start_task("sleep", r#"{"args": [1]}"#);
    for (query, expected) in [
        ("?task=add", vec![add.as_str()]),
        ("?state=pending", vec![&sleep, &add]),
        ("?state=PENDING&task=sleep", vec![&sleep]),
        ("?state=failure", vec![]),
        ("?queue=celery", vec![&sleep, &add]),
        ("?queue=other", vec![]),
    ] {
        assert_eq!(ids(&page(admin, query)), expected, "{query}");
    }
}

#[test]
fn a_list_goes_on_before_the_last_of_a_page() {
    let (service, admin) = service();
    let sent: Vec<String> = (0..5)
        .map(|x| service.start_task("add", &format!(r#"{{"args": [{x}, 0]}}"#)))
        .collect();
    let mut found = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = page(admin, &query);
        found.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next"].as_u64() {
            Some(next) => query = format!("?limit=2&before={next}"),
            None => break,
        }
    }
    assert!(found.iter().eq(sent.iter().rev()), "{found:?} of {sent:?}");
}

#[test]
fn a_list_is_for_those_who_have_the_token() {
    let mut service = Service::start(&["--admin", "127.0.0.1:0", "--admin-token", "sesame"]);
    let admin = service.admin_address();
    assert_eq!(get_json(admin, "/api/tasks").0, 401);
}

#[test]
fn a_question_that_makes_no_sense_is_a_problem() {
    let (_service, admin) = service();
    for (query, words) in [
        ("?state=odd", "pending, started, retry"),
        ("?limit=many", "limit"),
        ("?before=-1", "before"),
    ] {
        let answer = get_json(admin, &format!("/api/tasks{query}"));
        assert_problem(&answer, 400, words);
    }
}
