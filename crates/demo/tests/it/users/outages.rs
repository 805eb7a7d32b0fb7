//! Connections that are cut while they are used, and servers that are away.

use std::net::{SocketAddr, TcpStream};

use super::database::{Database, serve};
use super::on_each_server;
use crate::proxy::Proxy;
use crate::support::{Service, answer, assert_problem, eventually, get_json, json};

on_each_server! {
    goes_and_comes_back
    what_nobody_waits_for_is_ended
    what_an_operator_ends_may_be_tried_again
}

fn goes_and_comes_back(database: &Database) {
    let proxy = Proxy::start(database.address());
    let mut service = serve(&database.url_by(proxy.port()), &["--admin", "127.0.0.1:0"]);
    let admin = service.admin_address();
    assert_eq!(get_json(admin, "/ready").0, 200);
    let lock = database.lock();
    let in_the_middle = ask_all(&service, database);
    eventually_all_wait(database, &in_the_middle);
    proxy.cut();
    for stream in in_the_middle.into_iter().chain(ask_all(&service, database)) {
        assert_unavailable(stream);
    }
    assert_idle(admin);
    eventually("it is not ready", || {
        (get_json(admin, "/ready").0 == 503).then_some(())
    });
    drop(lock);
    proxy.mend();
    for stream in ask_all(&service, database) {
        assert_eq!(answer(stream).0, 200);
    }
    eventually("it is ready", || {
        (get_json(admin, "/ready").0 == 200).then_some(())
    });
    assert_idle(admin);
}

fn what_nobody_waits_for_is_ended(database: &Database) {
    let args = ["--admin", "127.0.0.1:0", "--request-deadline", "1s"];
    let mut service = database.serve(&args);
    let admin = service.admin_address();
    let _lock = database.lock();
    for colour in database.colours() {
        let (status, body) = service.get(&format!("/{colour}/users"));
        assert!(matches!(status, 503 | 504), "{status}: {body}");
    }
    // The lock is still there.
    assert_idle(admin);
    eventually("the database has ended them too", || {
        (database.waiting() == 0).then_some(())
    });
}

fn what_an_operator_ends_may_be_tried_again(database: &Database) {
    let service = database.serve(&[]);
    let _lock = database.lock();
    let asked = ask_all(&service, database);
    eventually_all_wait(database, &asked);
    database.end_waiting();
    for stream in asked {
        assert_unavailable(stream);
    }
}

/// Asks for users in every colour.
fn ask_all(service: &Service, database: &Database) -> Vec<TcpStream> {
    let colours = database.colours().iter();
    colours
        .map(|colour| service.ask(&format!("/{colour}/users")))
        .collect()
}

fn eventually_all_wait(database: &Database, asked: &[TcpStream]) {
    let number = i64::try_from(asked.len()).expect("a few");
    eventually("they wait", || (database.waiting() == number).then_some(()));
}

#[track_caller]
fn assert_unavailable(stream: TcpStream) {
    let (status, body) = answer(stream);
    let words = "the users' database does not answer at the moment; try again later";
    assert_problem(&(status, json(&body)), 503, words);
}

/// Checks that no thread is kept by anything that went wrong.
#[track_caller]
fn assert_idle(admin: SocketAddr) {
    eventually("the lane is idle", || {
        let (_, lanes) = get_json(admin, "/api/lanes");
        let lanes = lanes["lanes"].as_array().expect("a list").clone();
        let threads = lanes.iter().find(|lane| lane["lane"] == "threads")?;
        (threads["running"] == 0 && threads["waiting"] == 0).then_some(())
    });
}
