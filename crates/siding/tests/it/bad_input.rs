//! Bad input: the proper answer, or a closed connection, and meanwhile others are served.

use std::time::Duration;

use serde::Deserialize;
use siding::extract::{Json, Path, Query};
use siding::{App, get, post};

use crate::support::{Service, start_with};

#[derive(Deserialize)]
struct Wait {
    ms: u32,
}

fn service() -> Service {
    let app = App::new("test")
        .route(
            "/async",
            get(|Query(wait): Query<Wait>| async move { wait.ms.to_string() }),
        )
        .route("/sync", get(|Query(wait): Query<Wait>| wait.ms.to_string()))
        .route(
            "/path/{number}",
            get(|Path(number): Path<u8>| number.to_string()),
        )
        .route("/json", post(|Json(wait): Json<Wait>| wait.ms.to_string()))
        .route("/text", post(|text: String| text.len().to_string()));
    start_with(app, |settings| {
        settings.limits.max_header_bytes = 8 * 1024;
        settings.limits.max_body_bytes = 64 * 1024;
        settings.limits.header_timeout = Duration::from_millis(50);
    })
}

#[test]
fn queries_and_paths_that_make_no_sense() {
    let service = service();
    for path in ["/async", "/sync"] {
        for query in ["ms=abc", "ms=-1", "ms=99999999999", "ms=", ""] {
            service
                .get(&format!("{path}?{query}"))
                .assert_problem(422, "ms");
        }
        assert_eq!(service.get(&format!("{path}?ms=7")).body, "7");
    }
    service.get("/path/abc").assert_problem(422, "number");
    service.get("/path/256").assert_problem(422, "number");
}

#[test]
fn bodies_that_make_no_sense() {
    let service = service();
    let mut client = service.connect();
    client.post("/json", "{").assert_problem(400, "JSON");
    client
        .post("/json", r#"{"ms":"x"}"#)
        .assert_problem(422, "ms");
    client.send("POST /json HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{}");
    client.reply().assert_problem(415, "Content-Type");
    assert_eq!(client.post("/json", r#"{"ms":3}"#).body, "3");
}

#[test]
fn unknown_paths_and_methods() {
    let service = service();
    service.get("/nowhere").assert_problem(404, "nothing");
    let wrong = service.get("/json");
    wrong.assert_problem(405, "method");
    assert_eq!(wrong.header("allow"), Some("POST"));
}

#[test]
fn a_body_that_is_too_long_is_refused_unread() {
    let service = service();
    let mut client = service.connect();
    client.send("POST /text HTTP/1.1\r\nhost: test\r\ncontent-length: 1000000000\r\n\r\n");
    let reply = client.reply();
    reply.assert_problem(413, "65536 bytes");
    assert_eq!(reply.header("connection"), Some("close"));
    assert_eq!(service.get("/async?ms=1").status, 200);
}

#[test]
fn a_refused_client_that_goes_on_sending_still_gets_its_answer() {
    let service = service();
    let mut client = service.connect();
    client.send("POST /text HTTP/1.1\r\nhost: test\r\ncontent-length: 8000000\r\n\r\n");
    client.send(vec![b'x'; 8_000_000]);
    client.reply().assert_problem(413, "65536 bytes");
}

#[test]
fn a_chunked_body_is_counted() {
    let service = service();
    let mut client = service.connect();
    client.send("POST /text HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    for _ in 0..5 {
        client.send(&chunk);
    }
    client.reply().assert_problem(413, "length limit exceeded");
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let service = service();
    let header = "x".repeat(9 * 1024);
    let mut client = service.connect();
    client.send(format!(
        "GET /async?ms=1 HTTP/1.1\r\nhost: test\r\nx-long: {header}\r\n\r\n"
    ));
    client.reply().assert_problem(431, "8192 bytes");
    let mut client = service.connect();
    client.send(format!("GET /{header} HTTP/1.1\r\nhost: test\r\n\r\n"));
    client.reply().assert_problem(431, "8192 bytes");
}

#[test]
fn what_is_not_http_is_answered_400() {
    let service = service();
    let mut client = service.connect();
    client.send("this is not http\r\n\r\n");
    client.reply().assert_problem(400, "not a request");
    drop(client);
    let mut client = service.connect();
    client.send("GET /async?ms=1 HTTP/1.1\r\nhost: test\r\n");
    client.send("x: y\r\n".repeat(101));
    client.send("\r\n");
    client.reply().assert_problem(431, "100 fields");
}

#[test]
fn a_head_without_end_is_refused() {
    let service = service();
    let mut client = service.connect();
    client.send("GET /async?ms=1 HTTP/1.1\r\nx: ");
    // It may be refused before all of it is sent.
    let _ = client.try_send(vec![b'x'; 200_000]);
    client.reply().assert_problem(431, "too long");
}

#[test]
fn half_a_request_is_closed_and_holds_up_nobody() {
    let service = service();
    let mut half = service.connect();
    half.send("GET /async?ms=1 HTTP/1.1\r\nhost: te");
    assert_eq!(service.get("/async?ms=2").body, "2");
    assert!(half.is_closed());
}

#[test]
fn a_trickle_is_half_a_request() {
    let service = service();
    let mut trickle = service.connect();
    trickle.send("GET /async?ms=1 HTTP/1.1\r\n");
    let mut closed = false;
    for _ in 0..10_000 {
        closed = trickle.try_send("x-a: b\r\n").is_err();
        if closed {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    assert!(closed, "it is fed and stays open");
}
