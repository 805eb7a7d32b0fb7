//! What the endpoints answer.

use serde_json::{Value, json};

use super::database::Database;
use super::on_each_database;
use crate::support::{Service, answer, assert_problem};

on_each_database! {
    users_are_made_found_and_listed
    an_address_is_taken_once
    pages_follow_each_other
    what_makes_no_sense_is_refused
}

fn new(name: &str, email: &str) -> String {
    json!({"name": name, "email": email}).to_string()
}

fn users_are_made_found_and_listed(database: &Database) {
    let service = database.serve(&[]);
    let mut made = Vec::new();
    for colour in database.colours() {
        let path = format!("/{colour}/users");
        let name = format!("Zoë 😀 O'Neill -- {colour}");
        let email = format!("{colour}@example.com");
        let (status, user) = service.post_json(&path, &new(&name, &email));
        assert_eq!(status, 201, "{user}");
        assert_eq!(
            (&user["name"], &user["email"]),
            (&name.into(), &email.into())
        );
        made.push(user);
    }
    // Each client sees what the other has done.
    for colour in database.colours() {
        for user in &made {
            let path = format!("/{colour}/users/{}", user["id"]);
            assert_eq!(service.get_json(&path), (200, user.clone()));
        }
        let list = json!({"users": made, "next": null});
        assert_eq!(service.get_json(&format!("/{colour}/users")), (200, list));
        let absent = service.get_json(&format!("/{colour}/users/999"));
        assert_problem(&absent, 404, "no user has the id 999");
    }
}

fn an_address_is_taken_once(database: &Database) {
    let service = database.serve(&[]);
    let ann = new("Ann", "ann@example.com");
    assert_eq!(service.post_json("/async/users", &ann).0, 201);
    for colour in database.colours() {
        let path = format!("/{colour}/users");
        let again = service.post_json(&path, &ann);
        assert_problem(&again, 409, "another user has this email address");
        // As the databases see it this is another address.
        let other = new("Ann", &format!("ANN.{colour}@example.com"));
        assert_eq!(service.post_json(&path, &other).0, 201);
        let lower = new("Ann", &format!("ann.{colour}@example.com"));
        assert_eq!(service.post_json(&path, &lower).0, 201);
    }
}

fn pages_follow_each_other(database: &Database) {
    let service = database.serve(&[]);
    let ids: Vec<Value> = (0..5)
        .map(|i| {
            let user = new("Ann", &format!("ann{i}@example.com"));
            service.post_json("/async/users", &user).1["id"].clone()
        })
        .collect();
    for colour in database.colours() {
        let mut pages: Vec<Vec<Value>> = Vec::new();
        let mut after = json!(0);
        while !after.is_null() {
            let path = format!("/{colour}/users?limit=2&after={after}");
            let (status, page) = service.get_json(&path);
            assert_eq!(status, 200, "{page}");
            let users = page["users"].as_array().expect("a list");
            pages.push(users.iter().map(|user| user["id"].clone()).collect());
            after = page["next"].clone();
        }
        let expected: Vec<Vec<Value>> = ids.chunks(2).map(<[Value]>::to_vec).collect();
        assert_eq!(pages, expected);
        let path = format!("/{colour}/users?limit=5");
        assert_eq!(service.get_json(&path).1["next"], Value::Null);
    }
}

fn what_makes_no_sense_is_refused(database: &Database) {
    let service = database.serve(&[]);
    for colour in database.colours() {
        let path = format!("/{colour}/users");
        for (query, words) in [
            ("limit=0", "a whole number from 1 to 100"),
            ("limit=101", "a whole number from 1 to 100"),
            ("limit=ten", "a whole number from 1 to 100"),
            ("after=-1", "a whole number from 0 to 9223372036854775807"),
        ] {
            assert_problem(&service.get_json(&format!("{path}?{query}")), 422, words);
        }
        for id in ["ann", "9223372036854775808"] {
            assert_problem(&service.get_json(&format!("{path}/{id}")), 422, "path id");
        }
        let long = new(&"n".repeat(101), "ann@example.com");
        let far = new("Ann", &format!("{}@example.com", "a".repeat(250)));
        for (body, status, words) in [
            ("{", 400, "JSON"),
            (r#"{"name": "Ann"}"#, 422, "email"),
            (
                &*new("Ann", "ann"),
                422,
                "an address such as ann@example.com",
            ),
            (&*far, 422, "an address such as"),
            (&*new(" ", "ann@example.com"), 422, "a name of 1 to 100"),
            (&*new("A\0n", "ann@example.com"), 422, "a name of 1 to 100"),
            (&*long, 422, "a name of 1 to 100"),
        ] {
            assert_problem(&service.post_json(&path, body), status, words);
        }
        let (_, both) = service.post_json(&path, &new("", "ann"));
        let places = ["#/name", "#/email"].map(|pointer| {
            let faults = both["errors"].as_array().expect("a list of faults");
            faults.iter().any(|fault| fault["pointer"] == pointer)
        });
        assert_eq!(places, [true, true], "{both}");
    }
}

#[test]
fn more_requests_than_threads_share_fewer_connections() {
    let database = Database::sqlite().expect("takes no server");
    // SQLite's pools have ten connections.
    let service = database.serve(&["--threads-min=20", "--threads-max=20"]);
    let asked: Vec<_> = (0..100).map(|_| service.ask("/sync/users")).collect();
    for stream in asked {
        assert_eq!(answer(stream).0, 200);
    }
}

#[test]
fn by_default_users_are_in_the_data_directory() {
    let data = tempfile::TempDir::new().unwrap();
    let ann = new("Ann", "ann@example.com");
    let service = Service::start_on(data.path(), &[]);
    assert_eq!(service.post_json("/sync/users", &ann).0, 201);
    service.kill();
    assert!(data.path().join("users.db").is_file());
    let service = Service::start_on(data.path(), &[]);
    assert_eq!(service.post_json("/async/users", &ann).0, 409);
}
