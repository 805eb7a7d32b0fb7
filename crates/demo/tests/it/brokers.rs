//! Tasks on a broker that is shared with Celery.

use std::process::Output;

use serde_json::json;
use siding::exit;
use tempfile::TempDir;

use crate::program::{command, run};
use crate::support::{Service, assert_problem, get_json, json, leave_out, nobody};

const REDIS: &str = "redis://127.0.0.1:6379/7";
const RABBITMQ: &str = "amqp://guest:guest@127.0.0.1:5672";

#[track_caller]
fn assert_refused(output: &Output, code: u8, words: &str) {
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(i32::from(code)), "{said}");
    assert!(said.contains(words), "{said:?} lacks {words:?}");
    assert!(!said.contains("hush"), "{said}");
}

#[test]
fn a_broker_that_cannot_be_reached_is_said_in_every_role() {
    let port = nobody();
    for url in [
        format!("redis://app:hush@127.0.0.1:{port}/0"),
        format!("amqp://app:hush@127.0.0.1:{port}//"),
    ] {
        for role in [
            &["serve", "--bind", "127.0.0.1:0", "--admin=off"][..],
            &["worker"],
            &["tasks", "list"],
        ] {
            let output = command(role).env("SIDING_BROKER", &url).output();
            let place = format!("127.0.0.1:{port}");
            assert_refused(&output.expect("starts"), exit::STORE, &place);
        }
    }
}

#[test]
fn a_result_backend_that_cannot_be_reached_is_said() {
    let Some(_) = space() else { return };
    let results = format!("redis://:hush@127.0.0.1:{}/0", nobody());
    let output = run(&["worker", "--broker", REDIS, "--result-backend", &results]);
    assert_refused(&output, exit::STORE, "cannot be reached");
}

#[test]
fn a_url_that_makes_no_sense_is_refused_without_its_password() {
    for (variable, url, words) in [
        (
            "SIDING_BROKER",
            "redis://:hush@cache:port/0",
            "its port is no number",
        ),
        ("SIDING_BROKER", "sqs://key:hush@", "sqs:// is no broker"),
        ("SIDING_RESULT_BACKEND", "redis://:hush@cache/0", "--broker"),
    ] {
        let output = command(&["worker"]).env(variable, url).output();
        assert_refused(&output.expect("starts"), exit::USAGE, words);
    }
    let output = run(&["worker", "--broker", "redis://:hu/hush@cache"]);
    assert_refused(&output, exit::USAGE, "write / as %2F");
}

#[test]
fn the_help_shows_no_password_of_the_environment() {
    let output = command(&["--help"])
        .env("SIDING_BROKER", "redis://:hush@cache/0")
        .env("SIDING_RESULT_BACKEND", "redis://:hush@cache/1")
        .output()
        .expect("starts");
    assert_refused(&output, exit::OK, "SIDING_RESULT_BACKEND");
}

/// A prefix on the machine's Redis, whose keys are deleted at the end.
struct Space {
    prefix: String,
    client: redis::Client,
}

/// A space, unless it is said that there is none.
fn space() -> Option<Space> {
    let client = redis::Client::open(REDIS).expect("a URL");
    if client.get_connection().is_err() {
        leave_out("nothing answers on 127.0.0.1:6379");
        return None;
    }
    let prefix = format!("siding-test-{}:", uuid::Uuid::new_v4().simple());
    Some(Space { prefix, client })
}

impl Drop for Space {
    fn drop(&mut self) {
        let Ok(mut connection) = self.client.get_connection() else {
            return;
        };
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(format!("{}*", self.prefix))
            .query(&mut connection)
            .unwrap_or_default();
        for key in keys {
            let _ = redis::cmd("DEL").arg(key).query::<()>(&mut connection);
        }
    }
}

#[test]
fn tasks_run_over_redis_and_are_listed_there() {
    let Some(space) = space() else { return };
    let broker = ["--broker", REDIS, "--key-prefix", &space.prefix];
    let service = Service::start(&broker);
    let id = service.start_task("add", r#"{"args": [2, 3]}"#);
    assert_eq!(service.outcome(&id), (200, json!({"result": 5})));
    let id = service.start_task("fail", r#"{"args": ["no luck"]}"#);
    assert_problem(&service.outcome(&id), 500, "no luck");

    let show = run(&[&["tasks", "show", &id][..], &broker].concat());
    let show = json(&String::from_utf8_lossy(&show.stdout));
    assert_eq!(show["exception"]["message"], "no luck", "{show}");

    // A task that this program does not have may be another's.
    let id = service.start_task("python.add", r#"{"args": [1], "queue": "python"}"#);
    let (status, body) = service.get(&format!("/result/{id}"));
    assert_eq!(
        (status, json(&body)),
        (200, json!({"status": "processing"}))
    );
    let list = run(&[&["tasks", "list", "--json"][..], &broker].concat());
    let list = json(&String::from_utf8_lossy(&list.stdout));
    assert_eq!(list["tasks"][0]["task"], "python.add", "{list}");
    let purge = run(&[&["tasks", "purge", "--yes"][..], &broker].concat());
    let said = String::from_utf8_lossy(&purge.stdout);
    assert_eq!(said.trim(), "thrown away: 1");
}

#[test]
fn one_serves_and_another_works_over_redis() {
    let Some(space) = space() else { return };
    let broker = ["--broker", REDIS, "--key-prefix", &space.prefix];
    let service = Service::start(&[&["--no-worker"][..], &broker].concat());
    let id = service.start_task("add", r#"{"args": [20, 22]}"#);
    let data = TempDir::new().expect("a place for tasks");
    let mut worker = command(&[&["worker"][..], &broker].concat());
    worker.arg("--data").arg(data.path());
    let worker = crate::program::Program::spawn(worker);
    assert_eq!(service.outcome(&id), (200, json!({"result": 42})));
    drop(worker);
    assert_eq!(std::fs::read_dir(data.path()).expect("is there").count(), 0);
}

#[test]
fn tasks_that_a_worker_does_not_know_are_left_to_others() {
    let Some(space) = space() else { return };
    let broker = ["--broker", REDIS, "--key-prefix", &space.prefix];
    let service = Service::start(&[&["--unknown-tasks", "leave"][..], &broker].concat());
    let unknown = service.start_task("python.add", "{}");
    let known = service.start_task("add", r#"{"args": [1, 1]}"#);
    assert_eq!(service.outcome(&known), (200, json!({"result": 2})));
    let (_, body) = service.get(&format!("/result/{unknown}"));
    assert_eq!(json(&body), json!({"status": "processing"}));
    drop(service);
    let service = Service::start(&broker);
    assert_problem(&service.outcome(&unknown), 500, "NotRegistered");
}

/// A virtual host on the machine's RabbitMQ, deleted at the end.
struct Host(String);

impl Host {
    fn make() -> Option<Self> {
        let host = format!("siding-test-{}", uuid::Uuid::new_v4().simple());
        let made = rabbitmqctl(&["add_vhost", &host])
            && rabbitmqctl(&["set_permissions", "-p", &host, "guest", ".*", ".*", ".*"]);
        if !made {
            leave_out("rabbitmqctl cannot make a virtual host");
            return None;
        }
        Some(Self(host))
    }

    fn url(&self) -> String {
        format!("{RABBITMQ}/{}", self.0)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        rabbitmqctl(&["delete_vhost", &self.0]);
    }
}

fn rabbitmqctl(arguments: &[&str]) -> bool {
    let run = std::process::Command::new("rabbitmqctl")
        .args(arguments)
        .output();
    run.is_ok_and(|run| run.status.success())
}

#[test]
fn tasks_run_over_amqp_and_what_cannot_be_listed_is_said() {
    let Some(host) = Host::make() else { return };
    let url = host.url();
    let mut service = Service::start(&["--broker", &url, "--admin", "127.0.0.1:0"]);
    let admin = service.admin_address();
    let id = service.start_task("add", r#"{"args": [2, 3]}"#);
    assert_eq!(service.outcome(&id), (200, json!({"result": 5})));
    let (status, counts) = get_json(admin, "/api/tasks");
    assert_eq!(status, 200, "{counts}");
    let why = counts["unlisted"].as_str().expect("says why");
    assert!(why.contains("cannot be read"), "{why}");
    let output = run(&["tasks", "list", "--broker", &url]);
    assert_refused(&output, exit::OK, why);
    let output = run(&["tasks", "retry", &id, "--broker", &url]);
    assert_refused(&output, exit::FAILURE, "AMQP");
}
