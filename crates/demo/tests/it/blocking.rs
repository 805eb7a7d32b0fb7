//! The wrong forms: an `async fn` that blocks its thread on a service. It holds up nobody, is moved to the threads, and the advice
//! names the service, the place in the code, and what to write instead.

use std::fs;
use std::net::{SocketAddr, TcpStream};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::command;
use crate::redis_server::RedisServer;
use crate::support::{Service, answer, eventually, get_json};
use crate::web_server::WebServer;

/// The service with a variable in its environment, and its admin listener.
fn service(variables: &[(&str, String)]) -> (Service, SocketAddr) {
    let mut command = command(&["--admin", "127.0.0.1:0"]);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let mut service = Service::spawn(command);
    let admin = service.admin_address();
    (service, admin)
}

/// Checks that others are served while a route blocks, that it is moved, and that log and admin listener give the same advice.
/// Returns the route as the admin listener has it.
#[track_caller]
fn convicted(service: &mut Service, admin: SocketAddr, name: &str) -> Value {
    let route = eventually("the route is moved", || {
        assert_eq!(service.get("/health").0, 200);
        let routes = get_json(admin, "/api/routes").1;
        let routes = routes["routes"].as_array().expect("routes");
        let route = routes.iter().find(|route| route["name"] == name);
        let route = route.expect("is listed");
        let evidence = &route["evidence"];
        let complete = !(evidence["stack"].is_null() && evidence["stack_error"].is_null());
        (route["current_lane"] == "threads" && complete).then(|| route.clone())
    });
    assert_eq!(route["declared_lane"], "event-loop", "{route}");
    let line = service.wait_for_log(&format!("{name} blocked the event loop"));
    let advice = route["advice"].as_str().expect("there is advice");
    let (_, change) = advice.split_once("; ").expect("two parts");
    assert!(line.contains(change), "{line:?} is not {advice:?}");
    route
}

#[track_caller]
fn assert_advice(route: &Value, words: &[&str]) {
    let advice = route["advice"].as_str().expect("there is advice");
    for words in words {
        assert!(
            advice.contains(words),
            "{advice:?} lacks {words:?}: {route:#}"
        );
    }
}

/// Once more, where it is now: nothing but its own thread waits.
#[track_caller]
fn asked_again(service: &Service, path: &str) -> TcpStream {
    let asked = service.ask(path);
    assert_eq!(service.get("/health").0, 200);
    asked
}

#[test]
fn a_blocking_http_client() {
    let server = WebServer::start();
    let url = format!("http://{}", server.address());
    let (mut service, admin) = service(&[
        ("EXTERNAL_API_URL", url),
        ("EXTERNAL_API_TIMEOUT", "60".to_owned()),
    ]);
    let asked = service.ask("/bad/external");
    let request = server.request();
    let route = convicted(&mut service, admin, "GET /bad/external");
    assert_eq!(route["evidence"]["peer"], server.address().to_string());
    let peer = format!("from {}", server.address());
    let words = [
        peer.as_str(),
        "`reqwest` instead of `ureq`",
        "plain `fn`",
        "offload",
        "resources/external/blocking.rs",
    ];
    assert_advice(&route, &words);
    request.answer("200 OK", "Hello");
    assert_eq!(answer(asked).0, 200);
    let asked = asked_again(&service, "/bad/external");
    server.request().answer("200 OK", "Hello");
    assert_eq!(answer(asked).0, 200);
}

#[test]
fn a_blocking_redis_client() {
    let Some(redis) = RedisServer::start_on_its_port() else {
        return;
    };
    let (mut service, admin) = service(&[
        ("REDIS_URL", redis.url()),
        ("REDIS_TIMEOUT", "60".to_owned()),
    ]);
    assert_eq!(service.put("/sync/cache/key", "1").0, 204);
    redis.freeze();
    let asked = service.ask("/bad/cache/key");
    let route = convicted(&mut service, admin, "GET /bad/cache/{key}");
    assert_eq!(route["evidence"]["service"], "Redis");
    assert_eq!(route["evidence"]["peer"], redis.address().to_string());
    let peer = format!("{} (Redis)", redis.address());
    let words = [
        peer.as_str(),
        "async API of `redis`",
        "plain `fn`",
        "offload",
        "resources/cache/blocking.rs",
    ];
    assert_advice(&route, &words);
    redis.thaw();
    assert_eq!(answer(asked), (200, "1".to_owned()));
    redis.freeze();
    let asked = asked_again(&service, "/bad/cache/key");
    redis.thaw();
    assert_eq!(answer(asked), (200, "1".to_owned()));
}

#[test]
fn a_blocking_file() {
    let directory = TempDir::new().expect("a place");
    let path = directory
        .path()
        .canonicalize()
        .expect("is there")
        .join("fifo");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    let name = path.display().to_string();
    let (mut service, admin) = service(&[("DEMO_FILE", name.clone())]);
    // The reader waits for a writer.
    let asked = service.ask("/bad/file");
    let route = convicted(&mut service, admin, "GET /bad/file");
    assert_eq!(route["evidence"]["path"], name);
    let fifo = format!("{name} (FIFO)");
    let words = [
        fifo.as_str(),
        "`tokio::fs`",
        "plain `fn`",
        "offload",
        "resources/files.rs",
    ];
    assert_advice(&route, &words);
    fs::write(&path, "Hello").expect("writes");
    assert_eq!(answer(asked), (200, "Hello".to_owned()));
    let asked = asked_again(&service, "/bad/file");
    fs::write(&path, "Bye").expect("writes");
    assert_eq!(answer(asked), (200, "Bye".to_owned()));
}
