//! Documents, where there is a MongoDB; and what is said where there is none.

use std::net::{Ipv4Addr, TcpListener};

use mongodb::sync::Client;
use serde_json::json;

use crate::program::command;
use crate::support::{Service, assert_problem, json, say_left_out};

const BOTH: [&str; 2] = ["/async/documents", "/sync/documents"];
const DOCUMENT: &str = r#"{"title": "Points", "text": "Where tracks part."}"#;

#[test]
fn without_a_url_it_is_said_what_to_set() {
    let service = Service::start(&[]);
    for path in BOTH {
        service.check_problem(path, 503, "set MONGODB_URL, such as mongodb://");
        let (status, body) = service.post(path, DOCUMENT);
        assert_problem(&(status, json(&body)), 503, "set MONGODB_URL");
    }
}

#[test]
fn documents_that_make_no_sense_are_refused_with_what_would_be_right() {
    let service = Service::start(&[]);
    let long = format!(r#"{{"title": "{}", "text": "x"}}"#, "x".repeat(201));
    for path in BOTH {
        for (document, words) in [
            ("{}", "title"),
            (r#"{"title": "", "text": "x"}"#, "text of 1 to 200 bytes"),
            (r#"{"title": "x", "text": ""}"#, "text of 1 to 65536 bytes"),
            (&long, "text of 1 to 200 bytes"),
        ] {
            let (status, body) = service.post(path, document);
            assert_problem(&(status, json(&body)), 422, words);
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_named_at_the_start() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("has one");
    drop(listener);
    let data = tempfile::TempDir::new().expect("a place");
    let mut command = command(&["--bind", "127.0.0.1:0", "--admin", "off", "--data"]);
    let url = format!("mongodb://me:hush@{address}/demo");
    let output = command.arg(data.path()).env("MONGODB_URL", url).output();
    let output = output.expect("starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let code = Some(i32::from(siding::exit::RESOURCE));
    assert_eq!(output.status.code(), code, "{said}");
    for words in ["documents (async)", &format!("MongoDB at {address}")] {
        assert!(said.contains(words), "{said:?} lacks {words:?}");
    }
    assert!(!said.contains("hush"), "{said}");
}

/// A database of a test's own, dropped with it.
struct Database {
    client: Client,
    name: String,
    url: String,
}

impl Database {
    /// On the server that the environment names.
    fn of_this_test() -> Option<Self> {
        let Ok(server) = std::env::var("MONGODB_URL") else {
            // Alone of all services it may be missing where none else may: it is in no distribution's packages.
            say_left_out("MONGODB_URL names no MongoDB");
            return None;
        };
        let client = Client::with_uri_str(&server).expect("a URL");
        let name = format!("siding_test_{}", uuid::Uuid::new_v4().simple());
        let mut url = url::Url::parse(&server).expect("one host");
        url.set_path(&name);
        Some(Self {
            client,
            name,
            url: url.into(),
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Another failure is what matters.
        let _ = self.client.database(&self.name).drop().run();
    }
}

#[test]
fn documents_are_added_and_listed_in_both_ways_the_latest_first() {
    let Some(database) = Database::of_this_test() else {
        return;
    };
    let mut command = command(&["--admin", "127.0.0.1:0"]);
    command.env("MONGODB_URL", &database.url);
    let mut service = Service::spawn(command);
    let admin = service.admin_address();
    let mut added = Vec::new();
    for path in BOTH {
        let (status, body) = service.post(path, DOCUMENT);
        let document = json(&body);
        assert_eq!(status, 201, "{body}");
        assert_eq!(document["title"], "Points");
        assert_eq!(document["text"], "Where tracks part.");
        added.insert(0, document);
        for path in BOTH {
            let (status, body) = service.get(path);
            assert_eq!((status, json(&body)), (200, json!({ "documents": added })));
        }
    }
    assert_eq!(crate::support::get_json(admin, "/ready").0, 200);
}
