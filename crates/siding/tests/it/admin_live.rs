//! `GET /api/live`.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;
use siding::{App, Drained, get};

use crate::support::{Client, Service, start_with};

fn with_admin(app: App, token: Option<&str>) -> Service {
    start_with(app, |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
        settings.admin_token = token.map(str::to_owned);
        settings.runtime.placement.conviction_stall = Duration::from_millis(40);
    })
}

fn hello() -> Service {
    let app = App::new("test").route("/hello", get(|| async { "hello" }));
    with_admin(app, None)
}

fn admin(service: &Service) -> Client {
    let address = service.running().admin_address();
    Client::connect(address.expect("an admin listener")).expect("connects")
}

/// The events of a stream.
struct Events {
    client: Client,
    text: String,
}

impl Events {
    fn of(service: &Service) -> Self {
        let (status, events) = Self::ask(service, "");
        assert_eq!(status, 200);
        events
    }

    fn ask(service: &Service, header: &str) -> (u16, Self) {
        let mut client = admin(service);
        client.send(format!(
            "GET /api/live HTTP/1.1\r\nhost: localhost\r\n{header}\r\n"
        ));
        let head = client.try_head().expect("is answered");
        if head.status == 200 {
            assert_eq!(head.header("content-type"), Some("text/event-stream"));
        }
        let events = Self {
            client,
            text: String::new(),
        };
        (head.status, events)
    }

    /// The next event and its data; `None` at the end of the stream.
    fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event(block), rest.to_owned());
                self.text = rest;
                if event.is_some() {
                    return event;
                }
            }
            self.text += &self.client.chunk()?;
        }
    }

    /// The next event of this name for which there is an answer.
    #[track_caller]
    fn find<T>(&mut self, name: &str, mut answer: impl FnMut(&Value) -> Option<T>) -> T {
        loop {
            let (event, data) = self.next().expect("the stream goes on");
            if event == name
                && let Some(found) = answer(&data)
            {
                return found;
            }
        }
    }
}

fn event(block: &str) -> Option<(String, Value)> {
    let name = block
        .lines()
        .find_map(|line| line.strip_prefix("event: "))?;
    let data = block.lines().find_map(|line| line.strip_prefix("data: "))?;
    let data = serde_json::from_str(data).expect("JSON");
    Some((name.to_owned(), data))
}

fn route<'a>(data: &'a Value, name: &str) -> Option<&'a Value> {
    let routes = data["routes"].as_array().expect("a list");
    routes.iter().find(|route| route["name"] == name)
}

#[test]
fn a_snapshot_comes_first_and_has_everything() {
    let service = hello();
    let (name, snapshot) = Events::of(&service).next().expect("an event");
    assert_eq!(name, "snapshot");
    assert!(snapshot["at_unix_ms"].is_number());
    assert_eq!(snapshot["overview"]["name"], "test");
    assert_eq!(snapshot["overview"]["role"], "serve");
    assert_eq!(snapshot["overview"]["pid"], std::process::id());
    assert_eq!(snapshot["overview"]["cores"], 2);
    assert_eq!(snapshot["relief"]["max"], 4);
    assert_eq!(snapshot["lanes"].as_array().map(Vec::len), Some(3));
    assert_eq!(snapshot["stalls"], serde_json::json!([]));
    assert_eq!(snapshot["tasks"], Value::Null);
    assert_eq!(snapshot["upstreams"], Value::Null);
    let hello = route(&snapshot, "GET /hello").expect("is listed");
    assert_eq!(hello["requests"], 0);
    assert_eq!(hello["advised"], false);
}

#[test]
fn only_routes_that_changed_are_told() {
    let service = hello();
    let mut events = Events::of(&service);
    events.find("snapshot", |_| Some(()));
    for _ in 0..3 {
        assert_eq!(service.get("/hello").body, "hello");
    }
    let mut told = 0;
    events.find("routes", |data| {
        told += data["interval"]["requests"].as_u64().expect("a number");
        let hello = route(data, "GET /hello")?;
        for told in data["routes"].as_array().expect("a list") {
            let counted = told["requests"].as_u64() > Some(0) || told["stalls"].as_u64() > Some(0);
            assert!(counted, "nothing of it has changed: {told}");
        }
        (hello["requests"] == 3).then_some(())
    });
    assert_eq!(told, 3);
    let lanes = events.find("lanes", |data| Some(data.clone()));
    assert!(lanes["lanes"].is_array() && lanes["relief"]["active"].is_number());
}

#[cfg(feature = "inference")]
#[test]
fn clients_of_inference_services_are_told_when_they_change() {
    use siding::extract::State;
    use siding::inference::{Client, Request};
    use siding::lifespan::{Lifespan, ResourceError};

    async fn open(lifespan: Lifespan) -> Result<Client, ResourceError> {
        let replica = format!("http://{}", crate::support::nobody());
        let hour = Duration::from_secs(3_600);
        let client = Client::builder("models").replica(replica);
        client.ejection(1, hour, hour).open(&lifespan).await
    }
    async fn ask(State(models): State<Client>) -> Result<(), siding::Error> {
        models.infer(Request::new("echo")).await?;
        Ok(())
    }

    let app = App::new("test").route("/ask", get(ask)).with_lifespan(open);
    let service = with_admin(app, None);
    let mut events = Events::of(&service);
    let before = events.find("snapshot", |data| Some(data["upstreams"].clone()));
    assert_eq!(before["upstreams"][0]["state"], "closed", "{before}");
    assert_eq!(service.get("/ask").status, 503);
    let after = events.find("upstreams", |data| {
        let upstream = &data["upstreams"][0];
        (upstream["state"] == "open").then(|| upstream.clone())
    });
    assert_eq!(after["replicas"][0]["ejections"], 1, "{after}");
}

#[test]
fn a_stall_is_told_as_it_begins_and_as_it_ends_and_so_is_the_move() {
    let (let_go, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let blocking = move || {
        let wait = Arc::clone(&wait);
        async move {
            // Holds its event-loop thread, as no `async fn` should.
            let _ = wait.lock().expect("no panic").recv();
            "let go"
        }
    };
    let service = with_admin(App::new("test").route("/blocking", get(blocking)), None);
    let mut events = Events::of(&service);
    events.find("snapshot", |_| Some(()));
    let mut blocked = service.connect();
    blocked.send("GET /blocking HTTP/1.1\r\nhost: test\r\n\r\n");

    let own = |data: &Value| (data["route"] == "GET /blocking").then(|| data.clone());
    let began = events.find("stall", own);
    assert_eq!(began["over"], false);
    let moved = events.find("moved", own);
    assert_eq!(moved["route_id"], began["route_id"]);
    assert_eq!(moved["from"], "event-loop");
    assert_eq!(moved["to"], "threads");
    assert_eq!(moved["reason"], "convicted");
    // Who comes meanwhile sees it in the snapshot.
    let (_, late) = Events::of(&service).next().expect("an event");
    let stalls = late["stalls"].as_array().expect("a list");
    assert_eq!(
        stalls.iter().find_map(own).expect("is there")["over"],
        false
    );

    let_go.send(()).expect("the handler waits");
    assert_eq!(blocked.reply().body, "let go");
    let ended = events.find("stall", own);
    assert_eq!(ended["over"], true);
    assert_eq!(ended["began_unix_ms"], began["began_unix_ms"]);
    assert_eq!(ended["verdict"], "blocked");
    let after = events.find("routes", |data| {
        let told = route(data, "GET /blocking").cloned();
        told.filter(|route| route["requests"] == 1)
    });
    assert_eq!(after["current_lane"], "threads");
    assert_eq!(after["advised"], true);
}

#[test]
fn all_listeners_are_told_the_same() {
    let service = hello();
    let mut all: Vec<_> = (0..3).map(|_| Events::of(&service)).collect();
    for events in &mut all {
        events.find("snapshot", |_| Some(()));
    }
    assert_eq!(service.get("/hello").body, "hello");
    for events in &mut all {
        events.find("routes", |data| route(data, "GET /hello").map(drop));
    }
}

#[test]
fn streams_end_with_the_application() {
    let service = hello();
    let mut events = Events::of(&service);
    events.find("snapshot", |_| Some(()));
    assert_eq!(service.drain(), Drained::Complete);
    while events.next().is_some() {}
}

#[test]
fn a_stream_takes_the_token_and_ends_with_its_session() {
    let app = App::new("test").route("/hello", get(|| async { "hello" }));
    let service = with_admin(app, Some("sesame"));
    assert_eq!(Events::ask(&service, "").0, 401);
    let bearer = "authorization: Bearer sesame\r\n";
    assert_eq!(Events::ask(&service, bearer).0, 200);

    let mut client = admin(&service);
    let begun = client.post("/api/session", r#"{"token": "sesame"}"#);
    let cookie = begun.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().expect("a pair");
    let (status, mut events) = Events::ask(&service, &format!("cookie: {cookie}\r\n"));
    assert_eq!(status, 200);
    events.find("snapshot", |_| Some(()));
    client.send(format!(
        "DELETE /api/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncookie: {cookie}\r\n\r\n"
    ));
    assert_eq!(client.try_head().expect("is answered").status, 204);
    while events.next().is_some() {}
}

#[test]
fn many_listeners_leave_room_for_others() {
    let service = hello();
    let mut all: Vec<_> = (0..32).map(|_| Events::of(&service)).collect();
    assert_eq!(Events::ask(&service, "").0, 503);
    assert_eq!(admin(&service).get("/live").status, 200);
    assert_eq!(admin(&service).get("/api/lanes").status, 200);
    // A place is free as soon as a listener has gone.
    drop(all.pop());
    crate::support::eventually("there is a place again", || {
        (Events::ask(&service, "").0 == 200).then_some(())
    });
}
