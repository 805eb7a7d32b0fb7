//! Asking an HTTP service: what is passed on, and what is said when it is slow, wrong or not there.

use std::net::SocketAddr;

use serde_json::json;

use crate::program::command;
use crate::support::{Service, assert_problem, eventually, get_json, json};
use crate::web_server::WebServer;

const BOTH: [&str; 2] = ["/async/external", "/sync/external"];

/// The service, with this one to ask.
fn asking(server: SocketAddr, timeout: &str) -> Service {
    let mut command = command(&["--admin", "127.0.0.1:0"]);
    command.env(
        "EXTERNAL_API_URL",
        format!("http://me:hush@{server}/status?a=b"),
    );
    command.env("EXTERNAL_API_TIMEOUT", timeout);
    Service::spawn(command)
}

/// Waits until no lane runs anything.
#[track_caller]
fn wait_until_nothing_runs(admin: SocketAddr) {
    eventually("no thread of a lane is occupied", || {
        let lanes = get_json(admin, "/api/lanes").1;
        let lanes = lanes["lanes"].as_array().expect("lanes");
        lanes.iter().all(|lane| lane["running"] == 0).then_some(())
    });
}

#[test]
fn without_a_url_the_demo_asks_its_own_upstream() {
    let service = Service::start(&[]);
    for path in ["/async/external", "/sync/external", "/bad/external"] {
        for path in [path.to_owned(), format!("{path}?ms=1")] {
            let (status, body) = service.get(&path);
            let expected = json!({"status": 200, "body": r#"{"status":"done"}"#});
            assert_eq!((status, json(&body)), (200, expected), "{path}");
        }
        service.check_problem(&format!("{path}?ms=60001"), 422, "from 0 to 60000");
    }
}

#[test]
fn what_is_asked_and_answered_is_passed_on() {
    let server = WebServer::start();
    let service = asking(server.address(), "30");
    for path in BOTH {
        for (query, expected) in [("", "?a=b"), ("?ms=7", "?a=b&ms=7")] {
            let asked = service.ask(&format!("{path}{query}"));
            let request = server.request();
            assert_eq!(request.line, format!("GET /status{expected} HTTP/1.1"));
            request.answer("200 OK", "Hello");
            let (status, body) = crate::support::answer(asked);
            let expected = json!({"status": 200, "body": "Hello"});
            assert_eq!((status, json(&body)), (200, expected), "{path}");
        }
    }
}

#[test]
fn answers_that_are_of_no_use_are_told_from_one_another() {
    let server = WebServer::start();
    let mut service = asking(server.address(), "30");
    let too_long = "x".repeat(1024 * 1024 + 1);
    for path in BOTH {
        for (status, body, client, log) in [
            ("404 Not Found", "", "with an error", "with status 404"),
            ("500 Oh", "hush", "with an error", "with status 500"),
            (
                "200 OK",
                &too_long,
                "more than is taken",
                "more than 1048576",
            ),
        ] {
            let asked = service.ask(path);
            server.request().answer(status, body);
            let (status, body) = crate::support::answer(asked);
            assert_problem(&(status, json(&body)), 502, client);
            let line = service.wait_for_log("answered 502");
            assert!(line.contains(&server.address().to_string()), "{line}");
            assert!(line.contains(log) && !line.contains("hush"), "{line}");
        }
    }
}

#[test]
fn a_service_that_says_nothing_is_given_up() {
    let server = WebServer::start();
    let mut service = asking(server.address(), "0.1");
    let admin = service.admin_address();
    for path in BOTH {
        service.check_problem(path, 504, "the external API did not answer in time");
        let line = service.wait_for_log("answered 504");
        assert!(line.contains("did not answer within 100ms"), "{line}");
        // Its connection is there, and nobody reads from it.
        drop(server.request());
    }
    wait_until_nothing_runs(admin);
}

#[test]
fn a_service_that_is_restarted_is_found_again() {
    let server = WebServer::start();
    let address = server.address();
    let mut service = asking(address, "30");
    let admin = service.admin_address();
    assert_eq!(get_json(admin, "/ready").0, 200);
    drop(server);
    for path in BOTH {
        service.check_problem(path, 502, "the external API cannot be reached");
        let line = service.wait_for_log("answered 502");
        assert!(line.contains(&address.to_string()), "{line}");
        assert!(!line.contains("hush"), "{line}");
    }
    eventually("it is not ready", || {
        (get_json(admin, "/ready").0 == 503).then_some(())
    });
    wait_until_nothing_runs(admin);
    let server = WebServer::start_at(address);
    for path in BOTH {
        let asked = service.ask(path);
        server.request().answer("200 OK", "Hello");
        assert_eq!(crate::support::answer(asked).0, 200, "{path}");
    }
    eventually("it is ready again", || {
        (get_json(admin, "/ready").0 == 200).then_some(())
    });
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (name, value, words) in [
        ("EXTERNAL_API_URL", "hush", "is no URL of an HTTP service"),
        (
            "EXTERNAL_API_URL",
            "ftp://me:hush@x",
            "is no URL of an HTTP service",
        ),
        ("EXTERNAL_API_TIMEOUT", "hush", "is no number of seconds"),
        (
            "REDIS_URL",
            "http://me:hush@x",
            "is no URL of a Redis server",
        ),
        ("REDIS_TIMEOUT", "0", "is no number of seconds"),
        (
            "MONGODB_URL",
            "redis://:hush@x",
            "is no URL of a MongoDB server",
        ),
        (
            "MONGODB_URL",
            "mongodb://me:hush@:x:y",
            "the driver of MongoDB understands",
        ),
    ] {
        let data = tempfile::TempDir::new().expect("a place");
        let mut command = command(&["--bind", "127.0.0.1:0", "--admin", "off", "--data"]);
        let output = command.arg(data.path()).env(name, value).output();
        let output = output.expect("starts");
        let said = String::from_utf8_lossy(&output.stderr);
        let code = Some(i32::from(siding::exit::RESOURCE));
        assert_eq!(output.status.code(), code, "{said}");
        assert!(said.contains(name) && said.contains(words), "{said}");
        assert!(!said.contains("hush"), "{said}");
    }
}
