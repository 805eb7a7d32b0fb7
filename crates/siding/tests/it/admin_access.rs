//! Who may ask the admin listener what.

use std::net::Ipv4Addr;

use siding::{App, get};

use crate::support::{Client, Reply, Service, start_with};

fn service(token: Option<&str>) -> Service {
    let app = App::new("test").route("/", get(|| async { "public" }));
    start_with(app, |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
        settings.admin_token = token.map(str::to_owned);
    })
}

fn admin(service: &Service) -> Client {
    let address = service.running().admin_address();
    Client::connect(address.expect("an admin listener")).expect("connects")
}

/// One request with these lines for headers, on a connection of its own.
fn ask(service: &Service, method: &str, path: &str, headers: &[&str], body: &str) -> Reply {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    for line in headers {
        head += &format!("{line}\r\n");
    }
    if !headers.iter().any(|line| line.starts_with("host:")) {
        head += "host: localhost:8001\r\n";
    }
    let length = body.len();
    let mut client = admin(service);
    client.send(format!("{head}content-length: {length}\r\n\r\n{body}"));
    client.reply()
}

const JSON: &str = "content-type: application/json";
const LOGIN: &str = r#"{"token": "sesame"}"#;

/// Begins a session, and returns the line that a browser sends then.
fn log_in(service: &Service) -> String {
    let reply = ask(service, "POST", "/api/session", &[JSON], LOGIN);
    assert_eq!(reply.status, 204, "{reply:?}");
    let cookie = reply.header("set-cookie").expect("a cookie");
    for attribute in ["; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age="] {
        assert!(cookie.contains(attribute), "{cookie} lacks {attribute}");
    }
    assert!(!cookie.contains("sesame"));
    let (pair, _) = cookie.split_once(';').expect("attributes");
    format!("cookie: theme=dark; {pair}")
}

#[test]
fn a_session_takes_the_place_of_the_token() {
    let service = service(Some("sesame"));
    let cookie = log_in(&service);
    let get = |cookie: &str| ask(&service, "GET", "/api/overview", &[cookie], "").status;
    assert_eq!(get(&cookie), 200);
    assert_eq!(get("cookie: siding-admin-0=guessed"), 401);
    assert_eq!(get("accept: */*"), 401);
    let own = "origin: http://localhost:8001";
    let ended = ask(
        &service,
        "DELETE",
        "/api/session",
        &[JSON, own, &cookie],
        "",
    );
    assert_eq!(ended.status, 204);
    assert!(
        ended
            .header("set-cookie")
            .expect("a cookie")
            .contains("Max-Age=0")
    );
    assert_eq!(get(&cookie), 401);
}

#[test]
fn a_session_begins_with_the_token_only() {
    let service = service(Some("sesame"));
    let wrong = ask(
        &service,
        "POST",
        "/api/session",
        &[JSON],
        r#"{"token": "sesam"}"#,
    );
    wrong.assert_problem(401, "token");
    assert_eq!(wrong.header("set-cookie"), None);
    let nonsense = ask(&service, "POST", "/api/session", &[JSON], "sesame");
    nonsense.assert_problem(400, "token");
}

#[test]
fn without_a_token_there_is_nothing_to_begin() {
    let service = service(None);
    let begun = ask(&service, "POST", "/api/session", &[JSON], LOGIN);
    assert_eq!((begun.status, begun.header("set-cookie")), (204, None));
    let overview = ask(&service, "GET", "/api/overview", &[], "").json();
    assert_eq!(overview["auth"], "none");
}

#[test]
fn what_a_session_changes_comes_from_the_page() {
    let service = service(Some("sesame"));
    let cookie = log_in(&service);
    let post = |headers: &[&str]| {
        let headers = [headers, &[JSON, &cookie]].concat();
        ask(&service, "POST", "/api/tasks/some/retry", &headers, "{}")
    };
    // It has got as far as the endpoint.
    let through = |reply: Reply| reply.assert_problem(404, "has no tasks");
    post(&[]).assert_problem(403, "Origin");
    through(post(&["origin: http://localhost:8001"]));
    through(post(&["origin: https://LOCALHOST:8001"]));
    through(post(&["sec-fetch-site: same-origin"]));
    for other in [
        "origin: http://localhost:3000",
        "origin: http://localhost",
        "origin: http://evil.example",
        "origin: null",
        "sec-fetch-site: cross-site",
        "sec-fetch-site: same-site",
    ] {
        post(&[other]).assert_problem(403, "another origin");
    }
}

#[test]
fn another_site_is_refused_whatever_it_asks_and_knows() {
    for service in [service(None), service(Some("sesame"))] {
        let bearer = "authorization: Bearer sesame";
        for (method, path) in [
            ("GET", "/api/lanes"),
            ("GET", "/api/live"),
            ("POST", "/api/session"),
            ("DELETE", "/api/session"),
            ("POST", "/api/tasks/some/revoke"),
        ] {
            for site in ["sec-fetch-site: cross-site", "origin: http://evil.example"] {
                let reply = ask(&service, method, path, &[JSON, bearer, site], LOGIN);
                reply.assert_problem(403, "another origin");
            }
        }
    }
}

#[test]
fn what_changes_something_is_json() {
    let service = service(None);
    for content_type in [
        "accept: */*",
        "content-type: text/plain",
        "content-type: application/x-www-form-urlencoded",
        "content-type: application/jsonp",
    ] {
        for (method, path) in [
            ("POST", "/api/tasks/some/retry"),
            ("DELETE", "/api/session"),
        ] {
            let reply = ask(&service, method, path, &[content_type], "{}");
            reply.assert_problem(403, "application/json");
        }
    }
    let charset = ["content-type: Application/JSON; charset=utf-8"];
    let reply = ask(&service, "POST", "/api/tasks/some/retry", &charset, "{}");
    reply.assert_problem(404, "has no tasks");
}

#[test]
fn without_a_token_only_names_of_this_machine_are_answered() {
    let open = service(None);
    let get = |service: &Service, path: &str, host: &str| {
        ask(service, "GET", path, &[&format!("host: {host}")], "")
    };
    for own in ["localhost", "127.0.0.1:8001", "[::1]:8001", "LocalHost:1"] {
        assert_eq!(get(&open, "/api/lanes", own).status, 200, "{own}");
    }
    for other in [
        "evil.example",
        "evil.example:8001",
        "10.0.0.1",
        "localhost.evil.example",
    ] {
        for path in ["/api/lanes", "/api/live", "/api/tasks"] {
            get(&open, path, other).assert_problem(421, "--admin-token");
        }
    }
    // Orchestrators ask by whatever name they have, and are told little.
    assert_eq!(get(&open, "/live", "evil.example").status, 200);
    let locked = service(Some("sesame"));
    get(&locked, "/api/lanes", "evil.example").assert_problem(401, "token");
}

#[test]
fn a_request_for_two_hosts_is_for_none() {
    let service = service(None);
    let hosts = ["host: localhost", "host: evil.example"];
    let reply = ask(&service, "GET", "/api/lanes", &hosts, "");
    reply.assert_problem(421, "Host");
}

#[test]
fn every_answer_says_what_a_browser_may_do_with_it() {
    let service = service(Some("sesame"));
    for (method, path, status) in [
        ("GET", "/", 200),
        ("GET", "/assets/js/main.js", 200),
        ("GET", "/assets/none.js", 404),
        ("GET", "/none", 404),
        ("GET", "/live", 200),
        ("GET", "/api/lanes", 401),
        ("POST", "/api/lanes", 403),
    ] {
        let reply = ask(&service, method, path, &[], "");
        assert_eq!(reply.status, status, "{path}");
        let policy = reply.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"));
        assert!(!policy.contains("unsafe"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        let page = path == "/" || status == 200 && path.starts_with("/assets");
        let kept = if page { "no-cache" } else { "no-store" };
        assert_eq!(reply.header("cache-control"), Some(kept), "{path}");
    }
}

#[test]
fn the_page_is_sent_again_when_it_has_changed() {
    let service = service(Some("sesame"));
    for path in ["/", "/assets/js/main.js"] {
        let first = ask(&service, "GET", path, &[], "");
        assert!(first.body.len() > 1, "{path} is empty");
        let tag = first.header("etag").expect("a tag");
        let held = |tag: &str| {
            let line = format!("if-none-match: {tag}");
            let mut client = admin(&service);
            client.send(format!(
                "GET {path} HTTP/1.1\r\nhost: localhost\r\n{line}\r\n\r\n"
            ));
            client.try_head().expect("is answered").status
        };
        assert_eq!(held(tag), 304);
        assert_eq!(held(&format!("\"older\", W/{tag}")), 304);
        assert_eq!(held("\"older\""), 200);
    }
}

#[test]
fn who_guesses_keeps_nobody_out() {
    let service = service(Some("sesame"));
    // They are not waited for: each takes a second.
    let mut guesses: Vec<_> = (0..4).map(|_| admin(&service)).collect();
    for guess in &mut guesses {
        guess.send("GET /api/lanes HTTP/1.1\r\nhost: test\r\nauthorization: Bearer guess\r\n\r\n");
    }
    let bearer = ["authorization: Bearer sesame"];
    assert_eq!(ask(&service, "GET", "/api/lanes", &bearer, "").status, 200);
    for guess in &mut guesses {
        guess.reply().assert_problem(401, "token");
    }
}
