//! `/live` and `/ready`: whether an application is there, and whether its resources are.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serde_json::json;
use siding::lifespan::{Lifespan, ResourceError};
use siding::{App, get};

use crate::support::{Client, Reply, Service, eventually, start_with};

/// A resource that can be told to fail, and counts how often it was asked.
#[derive(Clone, Debug, Default)]
struct Cache {
    broken: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Cache {
    async fn ping(self) -> Result<(), &'static str> {
        self.ping_plainly()
    }

    fn ping_plainly(self) -> Result<(), &'static str> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.broken.load(Ordering::SeqCst) {
            true => Err("connection refused by secret-host"),
            false => Ok(()),
        }
    }
}

async fn open(lifespan: Lifespan, awaited: Cache, plain: Cache) -> Result<(), ResourceError> {
    let plain_opener = || Ok::<_, ResourceError>(plain);
    let opener = async || Ok::<_, ResourceError>(awaited);
    lifespan.open("awaited", opener).check(Cache::ping).await?;
    let opening = lifespan.open("plain", plain_opener);
    opening.check(Cache::ping_plainly).await?;
    // One that nobody can ask is not told of.
    let silent = || Ok::<_, ResourceError>(());
    lifespan.open("silent", silent).await
}

fn service(awaited: &Cache, plain: &Cache) -> Service {
    let (awaited, plain) = (awaited.clone(), plain.clone());
    let app: App = App::new("test")
        .with_lifespan(|lifespan| open(lifespan, awaited, plain))
        .with_health_routes();
    start_with(app, |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
        settings.admin_token = Some("secret".to_owned());
    })
}

fn admin(service: &Service) -> Client {
    let address = service.running().admin_address();
    Client::connect(address.expect("an admin listener")).expect("connects")
}

/// Both listeners' answers, which are the same.
#[track_caller]
fn ready(service: &Service) -> Reply {
    let (public, admin) = (service.get("/ready"), admin(service).get("/ready"));
    if public.status == admin.status {
        assert_eq!(public.body, admin.body);
    }
    public
}

#[test]
fn ready_tells_the_resources_by_name_and_not_why_they_fail() {
    let (awaited, plain) = (Cache::default(), Cache::default());
    let service = service(&awaited, &plain);
    let reply = ready(&service);
    assert_eq!(
        (reply.status, reply.header("cache-control")),
        (200, Some("no-store"))
    );
    assert_eq!(
        reply.json(),
        json!({"status": "ready", "resources": [
            {"name": "awaited", "status": "ok"}, {"name": "plain", "status": "ok"},
        ]})
    );
    plain.broken.store(true, Ordering::SeqCst);
    let reply = eventually("the plain one fails", || {
        Some(ready(&service)).filter(|reply| reply.status == 503)
    });
    assert_eq!(
        reply.json(),
        json!({"status": "not ready", "resources": [
            {"name": "awaited", "status": "ok"}, {"name": "plain", "status": "failing"},
        ]})
    );
    plain.broken.store(false, Ordering::SeqCst);
    eventually("it has recovered", || {
        Some(ready(&service)).filter(|reply| reply.status == 200)
    });
}

#[test]
fn the_reason_takes_the_token() {
    let (awaited, plain) = (Cache::default(), Cache::default());
    awaited.broken.store(true, Ordering::SeqCst);
    let service = service(&awaited, &plain);
    let mut admin = admin(&service);
    assert_eq!(admin.get("/api/resources").status, 401);
    admin.send("GET /api/resources HTTP/1.1\r\nhost: test\r\nauthorization: Bearer secret\r\n\r\n");
    assert_eq!(
        admin.reply().json(),
        json!([
            {"name": "awaited", "status": "failing", "reason": "connection refused by secret-host"},
            {"name": "plain", "status": "ok"},
        ])
    );
}

#[test]
fn live_asks_nobody() {
    let (awaited, plain) = (Cache::default(), Cache::default());
    awaited.broken.store(true, Ordering::SeqCst);
    let service = service(&awaited, &plain);
    for mut client in [service.connect(), admin(&service)] {
        let reply = client.get("/live");
        assert_eq!(
            (reply.status, reply.json()),
            (200, json!({"status": "live"}))
        );
    }
    assert_eq!(awaited.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_check_that_hangs_fails_and_is_not_asked_twice() {
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(std::sync::Mutex::new(released));
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let hang = move |()| {
        counted.fetch_add(1, Ordering::SeqCst);
        // It ends with the test, when the sender is dropped.
        let _ = released.lock().expect("asked once").recv();
    };
    let app: App = App::new("test")
        .with_lifespan(async |lifespan: Lifespan| {
            let opener = || Ok::<_, ResourceError>(());
            lifespan.open("stuck", opener).check(hang).await
        })
        .with_health_routes();
    let service = start_with(app, |settings| {
        settings.lifespan.check_limit = Duration::from_millis(20);
    });
    for _ in 0..3 {
        assert_eq!(service.get("/ready").status, 503);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    drop(release);
}

#[test]
fn it_does_not_wait_behind_handlers() {
    let (enter, entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(std::sync::Mutex::new(released));
    let block = move || {
        enter.send(()).expect("the test waits");
        // Each handler waits for the one before it, and the first for the test.
        let _ = released.lock().map(|released| released.recv());
    };
    let app: App = App::new("test")
        .route("/block", get(block))
        .with_lifespan(async |lifespan: Lifespan| {
            let plain = Cache::default();
            let opening = lifespan.open("plain", || Ok::<_, ResourceError>(plain));
            opening.check(Cache::ping_plainly).await.map(drop)
        })
        .with_health_routes();
    let service = start_with(app, |settings| {
        settings.runtime.threads.threads_min = 1;
        settings.runtime.threads.threads_max = 1;
        settings.runtime.threads.waiting_max = 1;
    });
    let mut blocked = service.connect();
    blocked.send("GET /block HTTP/1.1\r\nhost: test\r\n\r\n");
    entered.recv().expect("the lane is taken");
    assert_eq!(service.get("/ready").status, 200);
    drop(release);
    assert_eq!(blocked.reply().status, 200);
}

#[test]
fn an_application_that_drains_is_not_ready() {
    let (enter, entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let close = move |()| {
        enter.send(()).expect("the test waits");
        let _ = released.lock().expect("closed once").recv();
    };
    let app: App = App::new("test").with_lifespan(async |lifespan: Lifespan| {
        let opener = || Ok::<_, ResourceError>(());
        lifespan.open("slow", opener).close(close).await
    });
    let service = start_with(app, |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
    });
    let mut admin = admin(&service);
    assert_eq!(admin.get("/ready").status, 200);
    let draining = std::thread::spawn(move || service.drain());
    entered.recv().expect("the drain has come to closing");
    let reply = admin.get("/ready");
    assert_eq!(
        (reply.status, reply.json()["status"].as_str()),
        (503, Some("draining"))
    );
    drop(release);
    assert_eq!(draining.join().expect("drains"), siding::Drained::Complete);
}

#[test]
#[should_panic(expected = "/ready")]
fn a_path_is_taken_once() {
    let _app: App = App::new("test")
        .route("/ready", get(async || "mine"))
        .with_health_routes();
}
