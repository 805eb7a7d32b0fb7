//! The file that is read and replaced.

use std::fs;

use tempfile::TempDir;

use crate::program::command;
use crate::support::{Service, answer, assert_problem, json};

const BOTH: [&str; 2] = ["/async/file", "/sync/file"];

#[test]
fn a_file_is_made_read_and_replaced_in_both_ways() {
    let data = TempDir::new().expect("a place");
    let service = Service::start_on(data.path(), &[]);
    for path in BOTH {
        service.check_problem(path, 404, "PUT makes it");
    }
    for put in BOTH {
        for content in ["Hello", "", "Bye"] {
            assert_eq!(service.put(put, content).0, 204, "{put}");
            for get in ["/async/file", "/sync/file", "/bad/file"] {
                assert_eq!(service.get(get), (200, content.to_owned()), "{get}");
            }
        }
    }
    let stored = fs::read_to_string(data.path().join("demo.txt"));
    assert_eq!(stored.expect("is there"), "Bye");
}

#[test]
fn readers_see_one_content_or_the_other_and_nothing_is_left_beside_it() {
    let data = TempDir::new().expect("a place");
    let mut command = command(&[]);
    command.env("DEMO_FILE", data.path().join("place/file"));
    let service = Service::spawn(command);
    let contents = ["a".repeat(1024 * 1024), "b".repeat(1000)];
    assert_eq!(service.put(BOTH[0], &contents[0]).0, 204);
    std::thread::scope(|scope| {
        for (put, content) in BOTH.into_iter().zip(&contents) {
            let service = &service;
            scope.spawn(move || (0..5).for_each(|_| assert_eq!(service.put(put, content).0, 204)));
        }
        for _ in 0..5 {
            for get in BOTH {
                let (status, content) = answer(service.ask(get));
                assert_eq!(status, 200, "{get}");
                assert!(
                    contents.contains(&content),
                    "{get}: {} bytes",
                    content.len()
                );
            }
        }
    });
    let left = fs::read_dir(data.path().join("place")).expect("is there");
    let left: Vec<_> = left
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    assert_eq!(left, ["file"]);
}

#[test]
fn contents_have_a_bound() {
    let data = TempDir::new().expect("a place");
    let mut service = Service::start_on(data.path(), &[]);
    for path in BOTH {
        let (status, body) = service.put(path, &"x".repeat(1024 * 1024 + 1));
        assert_problem(&(status, json(&body)), 413, "");
    }
    fs::write(data.path().join("demo.txt"), "x".repeat(1024 * 1024 + 1)).expect("writes");
    for path in BOTH {
        service.check_problem(path, 500, "its log has the cause");
        service.wait_for_log("longer than 1048576 bytes");
    }
}

#[test]
fn a_file_that_cannot_be_had_is_an_error_of_the_server_alone() {
    let data = TempDir::new().expect("a place");
    fs::create_dir(data.path().join("demo.txt")).expect("makes");
    let mut service = Service::start_on(data.path(), &[]);
    for path in BOTH {
        service.check_problem(path, 500, "its log has the cause");
        service.wait_for_log("demo.txt: Is a directory");
        let (status, body) = service.put(path, "Hello");
        assert_problem(&(status, json(&body)), 500, "its log has the cause");
        assert!(!body.contains("demo.txt"), "{body}");
    }
    let left = fs::read_dir(data.path()).expect("is there");
    let beside = |name: &str| name.starts_with(".demo.txt");
    let names = left.map(|entry| entry.expect("readable").file_name());
    assert!(
        names
            .into_iter()
            .all(|name| !beside(&name.to_string_lossy()))
    );
}
