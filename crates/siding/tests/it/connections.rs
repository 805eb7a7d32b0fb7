//! Connections: kept, limited, multiplexed.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use siding::axum::http::{Request, Version};
use siding::{App, get};

use crate::support::{start, start_with};

fn app() -> App {
    App::new("test")
        .route(
            "/async",
            get(|version: Version| async move { format!("{version:?}") }),
        )
        .route("/plain", get(|| "plain"))
}

#[test]
fn a_connection_is_kept() {
    let service = start(app());
    let mut client = service.connect();
    for _ in 0..100 {
        assert_eq!(client.get("/async").body, "HTTP/1.1");
        assert_eq!(client.get("/plain").body, "plain");
    }
}

#[test]
fn requests_may_be_sent_ahead() {
    let service = start(app());
    let mut client = service.connect();
    client.send("GET /plain HTTP/1.1\r\nhost: test\r\n\r\n".repeat(20));
    for _ in 0..20 {
        assert_eq!(client.reply().body, "plain");
    }
}

#[test]
fn an_idle_connection_is_closed() {
    let service = start_with(app(), |settings| {
        settings.limits.keep_alive = Duration::from_millis(50);
    });
    let mut fresh = service.connect();
    let mut used = service.connect();
    assert_eq!(used.get("/async").status, 200);
    assert!(fresh.is_closed());
    assert!(used.is_closed());
}

#[test]
fn beyond_the_limit_connections_wait() {
    let service = start_with(app(), |settings| settings.limits.max_connections = 1);
    let mut first = service.connect();
    assert_eq!(first.get("/async").status, 200);
    let mut second = service.connect();
    second.send("GET /plain HTTP/1.1\r\nhost: test\r\n\r\n");
    assert!(!second.is_answered_within(Duration::from_millis(50)));
    drop(first);
    assert_eq!(second.reply().body, "plain");
}

#[test]
fn http2_is_spoken_with_prior_knowledge() {
    let service = start(app());
    let address = service.address();
    let versions = service.running().wait(async move {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        drop(siding::spawn(connection));
        let ask = |path: &'static str| {
            let mut client = client.clone();
            async move {
                let request = Request::get(format!("http://test{path}"))
                    .body(Empty::<Bytes>::new())
                    .unwrap();
                let reply = client.send_request(request).await.unwrap();
                let body = reply.into_body().collect().await.unwrap().to_bytes();
                String::from_utf8(body.to_vec()).unwrap()
            }
        };
        let (a, b, c) = tokio::join!(ask("/async"), ask("/plain"), ask("/nowhere"));
        [a, b, c]
    });
    assert_eq!(versions[0], "HTTP/2.0");
    assert_eq!(versions[1], "plain");
    assert!(versions[2].contains(r#""status":404"#));
}
