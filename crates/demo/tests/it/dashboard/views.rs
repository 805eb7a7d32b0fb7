//! Every view, in every look: it fits, passes axe's checks, and is what the screenshots of the README show.
//!
//! With `SIDING_SCREENSHOTS=DIR` the pictures go into that directory: `just screenshots`.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::browser::{Browser, Look};
use super::traffic::Traffic;
use super::{evidence, route, service, task};
use crate::support::{Service, eventually};

/// Deque's accessibility checks.
const AXE: &str = include_str!("axe/axe.min.js");

const LIGHT: Look = Look {
    width: 1280,
    height: 860,
    scheme: "light",
};
const DARK: Look = Look {
    scheme: "dark",
    ..LIGHT
};
const PHONE: Look = Look {
    width: 375,
    height: 812,
    scheme: "light",
};

/// Of these a picture is kept that is not in the light at the width of a desk.
const ALSO: [(&str, &str); 5] = [
    ("overview", "-dark"),
    ("overview", "-phone"),
    ("route", "-phone"),
    ("stalls", "-dark"),
    ("tasks", "-dark"),
];

/// A view: what it is called, its address, and what is on it once it is there.
struct View {
    name: &'static str,
    address: String,
    shows: (&'static str, &'static str),
}

fn views(service: &Service, admin: SocketAddr) -> Vec<View> {
    let view = |name, address: &str, selector, words| View {
        name,
        address: address.to_owned(),
        shows: (selector, words),
    };
    let failed = service.start_task("fail", r#"{"args": ["the printer is on fire"]}"#);
    service.outcome(&failed);
    assert_eq!(task(admin, &failed)["state"], "FAILURE");
    let bad = route(admin, "GET /bad")["id"].clone();
    vec![
        view("overview", "#/", ".concern .change", "tokio::time::sleep"),
        view("routes", "#/routes", "a.route", "/bad"),
        view(
            "route",
            &format!("#/routes/{bad}"),
            ".advice .change",
            "offload",
        ),
        view("stalls", "#/stalls", ".stalls summary", "clock_nanosleep"),
        view("tasks", "#/tasks", "th .route", "fail"),
        view("task", &format!("#/tasks/{failed}"), ".advice", "on fire"),
        view("workers", "#/workers", "th, .empty-title", ""),
        view("schedules", "#/schedules", "th, .empty-title", ""),
    ]
}

#[test]
fn every_view_fits_and_is_accessible() {
    let (service, admin) = service(&[]);
    let Some(browser) = Browser::open(admin) else {
        return;
    };
    // Alone, and for long enough that its stack is seen.
    assert_eq!(service.get("/bad?ms=2500").0, 200);
    let evidence = evidence(admin, "GET /bad");
    let traffic = Traffic::start(&service);
    let pictures = env::var_os("SIDING_SCREENSHOTS").map(PathBuf::from);
    if pictures.is_some() {
        assert!(
            evidence["stack"].is_array(),
            "too busy for pictures: {evidence}"
        );
        wait_for_a_history(&browser);
    }
    for view in views(&service, admin) {
        for (look, suffix) in [(LIGHT, ""), (DARK, "-dark"), (PHONE, "-phone")] {
            check(&browser, &view, look);
            let kept = suffix.is_empty() || ALSO.contains(&(view.name, suffix));
            if let Some(directory) = pictures.as_ref().filter(|_| kept) {
                fit_the_window_to_all_of(&browser, look);
                picture(
                    &browser,
                    &directory.join(format!("{}{suffix}.png", view.name)),
                );
            }
        }
    }
    drop(traffic);
    browser.assert_no_errors();
}

/// Checks what an address shows at this moment, once that is there.
#[track_caller]
pub(super) fn check_in_every_look(
    browser: &Browser,
    address: &str,
    shows: (&'static str, &'static str),
) {
    let view = View {
        name: "overview",
        address: address.to_owned(),
        shows,
    };
    for look in [LIGHT, DARK, PHONE] {
        check(browser, &view, look);
    }
}

#[track_caller]
fn check(browser: &Browser, view: &View, look: Look) {
    let what = format!("{} at {} px, {}", view.name, look.width, look.scheme);
    browser.look(look);
    browser.go(&view.address);
    browser.wait_for("#link-text", "Live");
    browser.wait_for(view.shows.0, view.shows.1);
    browser.run(OPEN, &[]);
    let over = browser.run(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth;",
        &[],
    );
    assert_eq!(over, 0, "{what}: wider than its window");
    browser.run(AXE, &[]);
    let violations = browser.run_to_its_end(
        "const done = arguments[arguments.length - 1];
        axe.run(document, { resultTypes: ['violations'] }).then(
            ({ violations }) => done(violations.map(({ id, help, nodes }) => [id, help, nodes.map((node) => node.html)])),
            (error) => done(String(error)),
        );",
    );
    assert_eq!(
        violations,
        Value::Array(Vec::new()),
        "{what}: {violations:#}"
    );
}

/// Opens the stall that has a stack, which is folded.
const OPEN: &str = "document.querySelector('.stalls details:has([data-verdict=blocked])')?.setAttribute('open', '');";

/// Makes the window as high as the page is, within reason; a phone stays as high as a phone.
fn fit_the_window_to_all_of(browser: &Browser, look: Look) {
    let script = "return Math.ceil(document.body.getBoundingClientRect().height);";
    let height = browser.run(script, &[]).as_u64().expect("a number");
    let height = u32::try_from(height).expect("fits").clamp(480, 1_320);
    if look.width > PHONE.width {
        browser.look(Look { height, ..look });
    }
}

/// Waits until the plots have something to show.
fn wait_for_a_history(browser: &Browser) {
    for _ in 0..4 {
        let before = points(browser);
        eventually("the plots have more points", || {
            (points(browser) >= before + 20).then_some(())
        });
    }
}

/// How many seconds the plots know of.
fn points(browser: &Browser) -> u64 {
    let script = "const done = arguments[arguments.length - 1];
        import('/assets/js/store.js').then(({ state }) => done(state.history.requests.columns[0].length));";
    browser.run_to_its_end(script).as_u64().expect("a number")
}

/// Keeps what the window shows. Paths are shown as they are for whoever has the repository as the current directory.
fn picture(browser: &Browser, path: &Path) {
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let root = Path::new(repository).canonicalize().expect("is there");
    browser.run(
        "const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) walker.currentNode.data = walker.currentNode.data.replaceAll(arguments[0], '');",
        &[format!("{}/", root.display()).into()],
    );
    let directory = path.parent().expect("has one");
    fs::create_dir_all(directory).expect("can be made");
    fs::write(path, browser.screenshot()).expect("can be written");
}
