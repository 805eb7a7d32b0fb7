//! The dashboard, as people use it: in a browser, with the pointer, by keyboard, and on a phone.

mod browser;
mod traffic;
mod views;
mod web_driver;

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::predict::{PYTHON, predict, wait_for_service};
use crate::program::{Still, command};
use crate::support::{
    DEADLINE, Service, answer, eventually, eventually_within, get_json, say_left_out,
};
use browser::Browser;

/// A service and its admin listener.
fn service(args: &[&str]) -> (Service, SocketAddr) {
    let mut service = Service::start(&[&["--admin", "127.0.0.1:0"], args].concat());
    let admin = service.admin_address();
    (service, admin)
}

/// The task with this id, as the admin listener has it.
#[track_caller]
fn task(admin: SocketAddr, id: &str) -> Value {
    let (status, page) = get_json(admin, "/api/tasks");
    assert_eq!(status, 200, "{page}");
    let tasks = page["tasks"].as_array().expect("a list");
    let task = tasks.iter().find(|task| task["id"] == id);
    task.expect("is listed").clone()
}

/// A route, as the admin listener has it.
#[track_caller]
fn route(admin: SocketAddr, name: &str) -> Value {
    let routes = get_json(admin, "/api/routes").1;
    let routes = routes["routes"].as_array().expect("routes");
    let route = routes.iter().find(|route| route["name"] == name);
    route.expect("is listed").clone()
}

/// The evidence against a route, once its stack has been resolved, which takes long the first time: all symbols of the program are read
/// for it. On a machine that is very busy there may be an error in its place.
#[track_caller]
fn evidence(admin: SocketAddr, name: &str) -> Value {
    eventually_within(DEADLINE * 4, "the evidence is complete", || {
        let evidence = &route(admin, name)["evidence"];
        let complete = !(evidence["stack"].is_null() && evidence["stack_error"].is_null());
        complete.then(|| evidence.clone())
    })
}

#[test]
fn shows_what_blocks_while_it_happens_and_what_to_change() {
    let (service, admin) = service(&[]);
    let Some(browser) = Browser::open(admin) else {
        return;
    };
    browser.wait_for("#link-text", "Live");
    // Of a machine that is very busy it may say more than that all is well, and count more routes than one below.
    browser.wait_for(".sentence", "");
    browser.run("window.neverLoadedAgain = true;", &[]);

    let asked = service.ask("/bad?ms=2500");
    browser.wait_for(".latest", "GET /bad");
    assert_eq!(answer(asked).0, 200);
    browser.wait_for(".sentence", "should be changed");
    browser.wait_for(".concern .change", "tokio::time::sleep");

    browser.click(".tabs a", "Routes");
    browser.wait_for("tr:has(.verdict) .placement", "event-loop to →threads");
    let bad = route(admin, "GET /bad")["id"].clone();
    browser.click(&format!("a.route[href='#/routes/{bad}']"), "GET /bad");
    route_has_its_evidence(&browser, &evidence(admin, "GET /bad"));

    browser.click(".tabs a", "Stalls");
    browser.wait_for(".stalls summary", "GET /bad");
    browser.wait_for(".stalls summary", "clock_nanosleep");
    assert_eq!(browser.run("return window.neverLoadedAgain;", &[]), true);
    browser.assert_no_errors();
}

#[track_caller]
fn route_has_its_evidence(browser: &Browser, evidence: &Value) {
    browser.wait_for("h1", "GET /bad");
    browser.wait_for(".advice .change", "wrap the call in offload(|| …)");
    browser.wait_for(".diff ins", "offload(move || blocking_call()).await?");
    browser.wait_for(".facts", "clock_nanosleep");
    browser.wait_for(".timeline", "convicted");
    if let Some(why) = evidence["stack_error"].as_str() {
        browser.wait_for(".panel", why);
        return say_left_out("there is no stack to show: the machine is too busy");
    }
    browser.wait_for(".stack [data-own] .place", "routes/wait.rs");
    browser.wait_for(".source [data-marked]", "thread::sleep(duration);");
}

#[test]
fn shows_a_service_of_models_that_hangs_and_that_it_is_well_again() {
    let mut command = command(&["--admin", "127.0.0.1:0"]);
    command.env_remove("INFERENCE_URL");
    command.env("INFERENCE_TIMEOUT", "1");
    let mut service = Service::spawn(command);
    let admin = service.admin_address();
    let Some(browser) = Browser::open(admin) else {
        return;
    };
    let process = wait_for_service(&service, None);
    browser.wait_for(".upstreams h3 .state", "closed");
    browser.wait_for(".upstreams .replica", "http://127.0.0.1:");

    let still = Still::new(process);
    eventually("its breaker opens", || {
        predict(&service, PYTHON);
        let upstream = &get_json(admin, "/api/upstreams").1["upstreams"][0];
        (upstream["state"] == "open").then_some(())
    });
    browser.wait_for(".upstreams h3 .state[data-state=open]", "open");
    browser.wait_for(".upstreams .replicas", "gave no answer");
    browser.wait_for(".concern", "No replica of inference service takes requests");
    views::check_in_every_look(
        &browser,
        "#/",
        (".upstreams h3 .state[data-state=open]", "open"),
    );

    drop(still);
    eventually("it is asked again, and answers", || {
        (predict(&service, PYTHON).0 == 200).then_some(())
    });
    browser.wait_for(".upstreams h3 .state", "closed");
    browser.assert_no_errors();
}

#[test]
fn retries_a_failed_task_once_it_is_confirmed() {
    let (service, admin) = service(&[]);
    let Some(browser) = Browser::open(admin) else {
        return;
    };
    // Markup, to see that it stays text.
    let id = service.start_task("fail", r#"{"args": ["<b id=injected>no luck</b>"]}"#);
    service.outcome(&id);
    let failed = task(admin, &id);

    browser.wait_for(".concern", "1 task failed");
    browser.click(".concern a", "Failed tasks");
    browser.wait_for("td, th", "<b id=injected>no luck</b>");
    assert!(browser.texts("#injected").is_empty());

    browser.click("td button", "Retry");
    browser.click("dialog button", "Cancel");
    browser.click("td button", "Retry");
    assert_eq!(browser.texts("dialog h2"), ["Retry fail?"]);
    assert_eq!(task(admin, &id), failed, "nothing was done unasked");
    browser.click("dialog button[type=submit]", "Retry");
    browser.wait_for(".toast", "fail waits again");
    eventually("it fails once more", || {
        let task = task(admin, &id);
        (task["state"] == "FAILURE" && task["date_done"] != failed["date_done"]).then_some(())
    });
    browser.assert_no_errors();
}

#[test]
fn revokes_a_task_that_waits() {
    let (service, admin) = service(&["--no-worker"]);
    let Some(browser) = Browser::open(admin) else {
        return;
    };
    let id = service.start_task("add", r#"{"args": [1, 2], "countdown": 3600}"#);
    browser.go(&format!("#/tasks/{id}"));
    browser.wait_for("h1", "add");
    browser.wait_for(".code", "add(1, 2)");
    browser.click("button", "Revoke");
    browser.click("dialog button[type=submit]", "Revoke");
    browser.wait_for(".about .state", "revoked");
    assert_eq!(task(admin, &id)["state"], "REVOKED");
    browser.assert_no_errors();
}

#[test]
fn asks_for_the_token_once() {
    let (_service, admin) = service(&["--admin-token", "sesame"]);
    let Some(browser) = Browser::open(admin) else {
        return;
    };
    browser.wait_for("h1", "Sign in");
    browser.press("open\u{e007}");
    browser.wait_for(".failed", "This is not the token");
    browser.press("sesame\u{e007}");
    browser.wait_for(".sentence", "");
    // The session outlives the page.
    browser.go("?again#/routes");
    browser.wait_for("a.route", "GET /hello");
    assert_eq!(
        browser.run("return document.cookie;", &[]),
        "",
        "no script can read it"
    );
    browser.click("button", "Sign out");
    browser.wait_for("h1", "Sign in");
}

#[test]
fn is_used_by_keyboard() {
    let (_service, admin) = service(&[]);
    let Some(browser) = Browser::open(admin) else {
        return;
    };
    browser.wait_for("#link-text", "Live");
    let focused = || {
        browser.run(
            "return document.activeElement.id || document.activeElement.textContent;",
            &[],
        )
    };
    browser.press("\u{e004}");
    assert_eq!(focused(), "skip");
    browser.press("\u{e007}");
    assert_eq!(focused(), "main");

    browser.go("#/routes");
    browser.wait_for("a.route", "GET /hello");
    browser.run(
        "document.querySelector('[data-column=name] button').focus();",
        &[],
    );
    browser.press("\u{e007}");
    let sorted = || {
        browser.run(
            "return document.querySelector('[aria-sort]').getAttribute('aria-sort');",
            &[],
        )
    };
    assert_eq!(sorted(), "ascending");
    let names = browser.texts("tbody tr .route");
    assert!(
        names.is_sorted_by_key(|name| name.to_lowercase()),
        "{names:?}"
    );
    browser.press("\u{e007}");
    assert_eq!(sorted(), "descending");

    browser.run("document.getElementById('search').focus();", &[]);
    browser.press("hello-sync");
    assert_eq!(
        browser.texts("tbody tr:not([hidden]) .route"),
        ["GET /hello-sync"]
    );
    assert_eq!(focused(), "search");
    browser.assert_no_errors();
}

#[test]
fn says_when_what_it_shows_is_old() {
    let (service, admin) = service(&[]);
    let Some(browser) = Browser::open(admin) else {
        return;
    };
    browser.wait_for("#link-text", "Live");
    service.kill();
    browser.wait_for("#link-text", "Disconnected");
    browser.wait_for("#stale", "What you see is from");
    let shown = browser.run("return document.getElementById('stale').hidden;", &[]);
    assert_eq!(shown, json!(false));
}
