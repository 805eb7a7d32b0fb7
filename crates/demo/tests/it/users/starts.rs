//! Opening the database: together with others, and in vain.

use std::process::Command;
use std::thread;

use siding::exit;
use tempfile::TempDir;

use super::database::Database;
use super::on_each_database;
use crate::program::command;
use crate::support::nobody;

on_each_database! {
    replicas_start_together
    a_schema_that_was_changed_by_hand_is_refused
}

fn replicas_start_together(database: &Database) {
    thread::scope(|scope| {
        let started: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| database.serve(&["--no-worker"])))
            .collect();
        for service in started {
            let service = service.join().expect("starts");
            assert_eq!(service.get("/async/users").0, 200);
        }
    });
}

fn a_schema_that_was_changed_by_hand_is_refused(database: &Database) {
    drop(database.serve(&[]));
    let mut session = database.session();
    session.execute("UPDATE _sqlx_migrations SET checksum = checksum || checksum");
    let said = refused(&database.url());
    assert!(said.contains("migration 1"), "{said}");
}

/// What a service on a database that cannot be used says.
#[track_caller]
fn refused(url: &str) -> String {
    let data = TempDir::new().expect("a directory");
    let mut command: Command = command(&["--bind=127.0.0.1:0", "--admin=off"]);
    command
        .env("DATABASE_URL", url)
        .arg("--data")
        .arg(data.path());
    let output = command.output().expect("starts");
    let said = String::from_utf8(output.stderr).expect("text");
    let code = output.status.code();
    assert_eq!(code, Some(i32::from(exit::RESOURCE)), "{said}");
    assert_eq!(
        said.lines().filter(|line| line.contains("ERROR")).count(),
        1,
        "{said}"
    );
    assert!(!said.contains("hush"), "{said}");
    said
}

#[test]
fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let address = format!("127.0.0.1:{}", nobody());
    for scheme in ["postgres", "mysql"] {
        let said = refused(&format!("{scheme}://app:hush@{address}/shop"));
        let words = format!("failed to open users (sqlx): {scheme}://{address}/shop: ");
        assert!(said.contains(&words), "{said}");
        assert!(said.contains("Connection refused"), "{said}");
    }
}

#[test]
fn a_url_that_makes_no_sense_is_refused() {
    for (url, words) in [
        ("hush", "DATABASE_URL is no URL"),
        (
            "redis://:hush@cache",
            "it takes sqlite:, postgres:// or mysql://",
        ),
        ("sqlite::memory:", "in memory"),
        ("sqlite:/proc/nowhere/users.db", "the users' directory"),
    ] {
        let said = refused(url);
        assert!(said.contains(words), "{said}");
    }
}
