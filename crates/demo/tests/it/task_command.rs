//! The sub-command `tasks`.

use std::path::Path;
use std::process::{Output, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};
use siding::exit;
use tempfile::TempDir;

use crate::program::command;
use crate::support::{Service, assert_problem, json};

/// `tasks` of a data directory, with nobody at the terminal.
fn tasks(data: &Path, args: &[&str]) -> Output {
    // Without what the log may say of a busy machine.
    let mut command = command(&["--log-level", "warn", "tasks"]);
    command.args(args).arg("--data").arg(data);
    command.stdin(Stdio::null()).output().expect("starts")
}

/// What it prints when all goes well.
#[track_caller]
fn prints(data: &Path, args: &[&str]) -> String {
    let output = tasks(data, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(i32::from(exit::OK)), "{said}");
    String::from_utf8(output.stdout).expect("text")
}

/// Checks that it fails with one line that has these words.
#[track_caller]
fn fails(data: &Path, args: &[&str], code: u8, words: &str) {
    let output = tasks(data, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(i32::from(code)), "{said}");
    assert!(said.contains(words), "{said:?} lacks {words:?}");
    if code != exit::USAGE {
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// The state of a task.
#[track_caller]
pub(crate) fn state(data: &Path, id: &str) -> String {
    let shown = json(&prints(data, &["show", id]));
    shown["state"].as_str().expect("a state").to_owned()
}

/// A service that runs nothing, and its data.
fn waiting() -> (TempDir, Service) {
    let data = TempDir::new().expect("a place for tasks");
    let service = Service::start_on(data.path(), &["--no-worker"]);
    (data, service)
}

/// A service that runs tasks, and its data.
fn working() -> (TempDir, Service) {
    let data = TempDir::new().expect("a place for tasks");
    let args = ["--log-level", "info,siding_tasks=debug"];
    let service = Service::start_on(data.path(), &args);
    (data, service)
}

#[test]
fn tasks_are_listed_the_newest_first() {
    let (data, service) = waiting();
    assert!(prints(data.path(), &["list"]).ends_with("no tasks\n"));
    let first = service.start_task("add", r#"{"args": [1, 2]}"#);
    let second = service.start_task("sleep", r#"{"args": [1]}"#);
    let table = prints(data.path(), &["list"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("ID") && lines[0].ends_with("WHY"),
        "{table}"
    );
    assert!(
        lines[1].starts_with(&second) && lines[1].contains("PENDING"),
        "{table}"
    );
    assert!(lines[2].starts_with(&first), "{table}");
    assert_eq!(lines[4], "2 PENDING in celery");
    let only = prints(
        data.path(),
        &["list", "--task", "add", "--state", "pending"],
    );
    assert!(only.contains(&first) && !only.contains(&second), "{only}");
    assert!(!prints(data.path(), &["list", "--queue", "other"]).contains(&first));
}

#[test]
fn a_list_goes_on_by_pages_of_json() {
    let (data, service) = waiting();
    let ids: Vec<String> = (0..5)
        .map(|x| service.start_task("add", &format!(r#"{{"args": [{x}, 0]}}"#)))
        .collect();
    let mut found: Vec<String> = Vec::new();
    let mut before = String::new();
    loop {
        let mut args = vec!["list", "--json", "--limit", "2"];
        if !before.is_empty() {
            args.extend(["--before", &before]);
        }
        let page = json(&prints(data.path(), &args));
        assert_eq!(page["version"], 1);
        assert_eq!(
            page["queues"],
            json!([{"queue": "celery", "state": "PENDING", "tasks": 5}])
        );
        let tasks = page["tasks"].as_array().expect("a list");
        found.extend(
            tasks
                .iter()
                .map(|task| task["id"].as_str().expect("an id").to_owned()),
        );
        match page["next"].as_u64() {
            Some(next) => before = next.to_string(),
            None => break,
        }
    }
    assert!(found.iter().eq(ids.iter().rev()), "{found:?} of {ids:?}");
}

#[test]
fn a_task_is_shown() {
    let (data, service) = working();
    let id = service.start_task("fail", r#"{"args": ["no luck"]}"#);
    service.outcome(&id);
    let shown = json(&prints(data.path(), &["show", &id]));
    assert_eq!(shown["id"], json!(id));
    assert_eq!(shown["state"], "FAILURE");
    assert_eq!(shown["exception"]["message"], "no luck");
    assert_eq!(shown["result"], Value::Null);
    assert_eq!(shown["queue"], "celery");
    assert_eq!(shown["args"], json!(["no luck"]));
    let table = prints(data.path(), &["list", "--state", "failure"]);
    assert!(table.contains("TaskError: no luck"), "{table}");
}

#[test]
fn a_failed_task_is_sent_once_more() {
    let (data, mut service) = working();
    let id = service.start_task("fail", r#"{"args": ["no luck"]}"#);
    service.wait_for_log("task received");
    assert_problem(&service.outcome(&id), 500, "no luck");
    assert_eq!(
        prints(data.path(), &["retry", &id]),
        format!("{id} waits again\n")
    );
    service.wait_for_log("task received");
    assert_problem(&service.outcome(&id), 500, "no luck");
    let good = service.start_task("add", r#"{"args": [1, 2]}"#);
    service.outcome(&good);
    assert_eq!(
        prints(data.path(), &["retry", "--failed", "--task", "add"]),
        "sent again: 0\n"
    );
    assert_eq!(
        prints(data.path(), &["retry", "--failed"]),
        "sent again: 1\n"
    );
    fails(data.path(), &["retry", &good], exit::FAILURE, &good);
}

#[test]
fn a_waiting_task_is_revoked_and_may_be_sent_again() {
    let (data, service) = waiting();
    let id = service.start_task("add", r#"{"args": [1, 2]}"#);
    assert_eq!(
        prints(data.path(), &["revoke", &id]),
        format!("{id} is revoked\n")
    );
    assert_problem(&service.outcome(&id), 410, "revoked");
    assert_eq!(
        prints(data.path(), &["retry", &id]),
        format!("{id} waits again\n")
    );
    assert!(prints(data.path(), &["list"]).ends_with("\n1 PENDING in celery\n"));
}

#[test]
fn a_running_task_is_terminated() {
    let (data, mut service) = working();
    let id = service.start_task("sleep", r#"{"args": [3600]}"#);
    service.wait_for_log("task received");
    let said = prints(data.path(), &["revoke", &id]);
    assert!(
        said.contains("goes on to its end; revoking it with terminate"),
        "{said}"
    );
    prints(data.path(), &["revoke", "--terminate", &id]);
    assert_problem(&service.outcome(&id), 410, "revoked");
    let shown = json(&prints(data.path(), &["show", &id]));
    assert_eq!(shown["exception"]["message"], "terminated");
}

#[test]
fn a_revoked_task_that_runs_goes_on_unless_it_is_terminated() {
    let (data, mut service) = working();
    let id = service.start_task("sleep", r#"{"args": [2]}"#);
    service.wait_for_log("task received");
    prints(data.path(), &["revoke", &id]);
    assert_eq!(service.outcome(&id), (200, json!({"result": 2.0})));
}

#[test]
fn a_task_that_has_ended_is_not_revoked() {
    let (data, service) = working();
    let id = service.start_task("add", r#"{"args": [1, 2]}"#);
    let expected = (200, json!({"result": 3}));
    assert_eq!(service.outcome(&id), expected);
    let said = prints(data.path(), &["revoke", "--terminate", &id]);
    assert!(said.contains("has ended already"), "{said}");
    assert_eq!(service.outcome(&id), expected);
}

#[test]
fn a_task_may_be_revoked_before_it_is_there() {
    let (data, service) = waiting();
    assert_eq!(
        prints(data.path(), &["revoke", "to-come"]),
        "to-come is revoked\n"
    );
    assert_problem(&service.outcome("to-come"), 410, "revoked");
    let shown = json(&prints(data.path(), &["show", "to-come"]));
    assert_eq!(shown["state"], "REVOKED");
}

#[test]
fn waiting_tasks_are_thrown_away_once_that_is_confirmed() {
    let (data, service) = waiting();
    assert_eq!(
        prints(data.path(), &["purge"]),
        "no task waits in all queues\n"
    );
    let id = service.start_task("add", r#"{"args": [1, 2]}"#);
    fails(data.path(), &["purge"], exit::FAILURE, "--yes");
    let (_, body) = service.get(&format!("/result/{id}"));
    assert_eq!(json(&body), json!({"status": "processing"}));
    assert_eq!(
        prints(data.path(), &["purge", "--queue", "other", "--yes"]),
        "no task waits in the queue other\n"
    );
    assert_eq!(prints(data.path(), &["purge", "--yes"]), "thrown away: 1\n");
    assert_problem(&service.outcome(&id), 410, "revoked");
}

#[test]
fn what_is_not_there_is_said() {
    let (data, service) = waiting();
    let id = service.start_task("add", r#"{"args": [1, 2]}"#);
    let data = data.path();
    fails(
        data,
        &["show", "nobody"],
        exit::FAILURE,
        "no task has the id nobody",
    );
    fails(data, &["retry", "nobody"], exit::FAILURE, "nobody");
    fails(
        data,
        &["retry", &id],
        exit::FAILURE,
        "no failed or revoked task has that id",
    );
    fails(
        data,
        &["list", "--state", "odd"],
        exit::USAGE,
        "pending, started, retry",
    );
    fails(data, &["retry"], exit::USAGE, "--failed");
    fails(data, &["retry", "--failed", &id], exit::USAGE, "--failed");
    fails(data, &["revoke"], exit::USAGE, "ID");
    fails(data, &["dance"], exit::USAGE, "dance");
}

#[test]
fn a_directory_without_store_is_not_made_into_one() {
    let dir = TempDir::new().unwrap();
    let typo = dir.path().join("typo");
    fails(&typo, &["list"], exit::STORE, "there is no task store in");
    assert!(!typo.exists());
    // A service does make it.
    let service = Service::start_on(&typo, &[]);
    service.signal(Signal::TERM);
    assert!(service.exit().success());
    assert!(prints(&typo, &["list"]).ends_with("no tasks\n"));
}
