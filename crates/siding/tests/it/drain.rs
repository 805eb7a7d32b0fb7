//! Draining: every request that was accepted is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use siding::{App, Drained, get};
use tokio::sync::Notify;

use crate::support::{Client, Service, eventually, start, start_with};

/// An application whose `/slow` answers once it is told to, and counts how many it holds.
fn app() -> (App, Arc<Notify>, Arc<AtomicUsize>) {
    let (go, held) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (handler_go, handler_held) = (Arc::clone(&go), Arc::clone(&held));
    let slow = move || {
        let (go, held) = (Arc::clone(&handler_go), Arc::clone(&handler_held));
        async move {
            let notified = go.notified();
            held.fetch_add(1, Ordering::SeqCst);
            notified.await;
            "slow"
        }
    };
    let app = App::new("test")
        .route("/slow", get(slow))
        .route("/quick", get(|| "quick"));
    (app, go, held)
}

fn drain_elsewhere(service: Service) -> thread::JoinHandle<Drained> {
    thread::spawn(move || service.drain())
}

#[test]
fn a_running_request_is_answered() {
    let (app, go, held) = app();
    let service = start(app);
    let (address, mut client) = (service.address(), service.connect());
    client.send("GET /slow HTTP/1.1\r\nhost: test\r\n\r\n");
    eventually("it runs", || {
        (held.load(Ordering::SeqCst) == 1).then_some(())
    });
    let drained = drain_elsewhere(service);
    eventually("nobody listens", || Client::connect(address).err());
    go.notify_waiters();
    let reply = client.reply();
    assert_eq!(reply.body, "slow");
    assert_eq!(reply.header("connection"), Some("close"));
    assert_eq!(drained.join().unwrap(), Drained::Complete);
}

#[test]
fn a_request_that_is_on_its_way_is_answered() {
    let (app, _, _) = app();
    let service = start_with(app, |settings| {
        settings.limits.drain_grace = crate::support::DEADLINE;
    });
    let (address, mut used, mut fresh) = (service.address(), service.connect(), service.connect());
    assert_eq!(used.get("/quick").header("connection"), None);
    let drained = drain_elsewhere(service);
    eventually("nobody listens", || Client::connect(address).err());
    for client in [&mut used, &mut fresh] {
        let reply = client.get("/quick");
        assert_eq!(reply.body, "quick");
        assert_eq!(reply.header("connection"), Some("close"));
        assert!(client.is_closed());
    }
    assert_eq!(drained.join().unwrap(), Drained::Complete);
}

#[test]
fn idle_connections_are_closed_after_the_grace() {
    let (app, _, _) = app();
    let service = start(app);
    let (mut used, mut fresh) = (service.connect(), service.connect());
    assert_eq!(used.get("/quick").status, 200);
    assert_eq!(fresh.get("/quick").status, 200);
    assert_eq!(service.drain(), Drained::Complete);
    assert!(used.is_closed());
    assert!(fresh.is_closed());
}

#[test]
fn what_does_not_end_is_cut_off_at_the_limit() {
    let (app, _, held) = app();
    let service = start_with(app, |settings| {
        settings.limits.drain_limit = Duration::from_millis(50);
    });
    let mut client = service.connect();
    client.send("GET /slow HTTP/1.1\r\nhost: test\r\n\r\n");
    eventually("it runs", || {
        (held.load(Ordering::SeqCst) == 1).then_some(())
    });
    assert_eq!(
        service.drain(),
        Drained::Cut {
            connections: 1,
            background: 0,
            resources: 0,
        }
    );
    assert!(client.is_closed());
}

#[test]
fn under_load_every_accepted_request_is_answered() {
    let (app, _, _) = app();
    let service = start_with(app, |settings| {
        settings.limits.drain_grace = crate::support::DEADLINE;
    });
    let address = service.address();
    let answered = Arc::new(AtomicUsize::new(0));
    let draining = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..16)
        .map(|_| {
            let (answered, draining) = (Arc::clone(&answered), Arc::clone(&draining));
            thread::spawn(move || ask_until_told_to_close(address, &answered, &draining))
        })
        .collect();
    eventually("there is load", || {
        (answered.load(Ordering::SeqCst) > 200).then_some(())
    });
    draining.store(true, Ordering::SeqCst);
    assert_eq!(service.drain(), Drained::Complete);
    for client in clients {
        client.join().expect("every request was answered");
    }
}

/// Asks on one connection until the server says that it closes it. Only a request that is never answered fails.
fn ask_until_told_to_close(
    address: std::net::SocketAddr,
    answered: &AtomicUsize,
    draining: &AtomicBool,
) {
    let mut client = Client::connect(address).expect("connects");
    loop {
        let reply = client.get("/quick");
        assert_eq!(reply.body, "quick");
        answered.fetch_add(1, Ordering::SeqCst);
        if reply.header("connection") == Some("close") {
            assert!(draining.load(Ordering::SeqCst));
            return;
        }
    }
}
