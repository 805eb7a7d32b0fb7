//! Connections that are cut while they are used, and servers that are away.

use std::net::SocketAddr;

use super::database::Database;
use super::on_each_server;
use crate::proxy::Proxy;
use crate::support::{answer, assert_problem, eventually, get_json, json};

on_each_server! {
    goes_and_comes_back
    what_nobody_waits_for_is_ended
}

fn goes_and_comes_back(database: &Database) {
    let proxy = Proxy::start(database.address());
    let mut service =
        database.serve_by(&database.url_by(proxy.port()), &["--admin", "127.0.0.1:0"]);
    let admin = service.admin_address();
    assert_eq!(get_json(admin, "/ready").0, 200);
    let lock = database.lock();
    let ask_all = || {
        let paths = database
            .colours()
            .iter()
            .map(|colour| format!("/{colour}/users"));
        let asked: Vec<_> = paths.map(|path| service.ask(&path)).collect();
        asked
    };
    let in_the_middle = ask_all();
    let number = i64::try_from(in_the_middle.len()).expect("a few");
    eventually("they wait", || (database.waiting() == number).then_some(()));
    proxy.cut();
    for stream in in_the_middle.into_iter().chain(ask_all()) {
        let (status, body) = answer(stream);
        let words = "the users' database does not answer at the moment; try again later";
        assert_problem(&(status, json(&body)), 503, words);
    }
    assert_idle(admin);
    eventually("it is not ready", || {
        (get_json(admin, "/ready").0 == 503).then_some(())
    });
    drop(lock);
    proxy.mend();
    for stream in ask_all() {
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
