use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use serde_json::json;

use super::*;
use crate::top::input::Action;
use crate::top::wire;

const NOW: f64 = 1_000_000.0;

fn sample(at: Instant, done: u64) -> Sample {
    let bad = json!({
        "id": 7, "name": "GET /bad", "kind": "async fn", "declared_lane": "event_loop", "current_lane": "threads",
        "requests": done, "stalls": 3, "verdict": "blocked", "latency_ms_p50": 1.5, "latency_ms_p99": 1003.0,
        "advice": "Write `fn` instead of `async fn`:\n- async fn bad()\n+ fn bad()",
        "moves": [{"at_unix_ms": NOW - 5_000.0, "from": "event_loop", "to": "threads", "reason": "convicted"}],
        "evidence": {"began_unix_ms": NOW - 9_000.0, "lasted_ms": 1000.0, "verdict": "blocked",
            "summary": "blocked in recvfrom", "syscall": "recvfrom", "peer": "127.0.0.1:5432", "service": "PostgreSQL",
            "stack": [{"function": "demo::bad", "file": "src/bad.rs", "line": 12}]},
    });
    let many = (10..60).map(|id| {
        json!({"id": id, "name": format!("GET /many/{id}"), "declared_lane": "event_loop",
        "current_lane": "event_loop", "requests": 1})
    });
    let routes: Vec<_> = std::iter::once(bad).chain(many).collect();
    Sample {
        at,
        unix_ms: NOW,
        name: "demo".to_owned(),
        lanes: wire::lanes(&json!({"lanes": [
            {"lane": "threads", "threads": 8, "threads_max": 256, "running": 8, "waiting": 30, "waiting_max": 1024,
             "overloaded": true, "refused": done, "completed": done},
            {"lane": "compute", "threads": 2, "threads_max": 2, "running": 1, "waiting_max": 64}]})),
        routes: wire::routes(&json!({ "routes": routes })),
        stalls: wire::stalls(&json!({"stalls": [
            {"route_id": 7, "route": "GET /bad", "over": true, "began_unix_ms": NOW - 9_000.0, "lasted_ms": 1000.0, "summary": "blocked in recvfrom"},
            {"route_id": 7, "route": "GET /bad", "over": false, "began_unix_ms": NOW - 10.0, "lasted_ms": 10.0, "summary": "computing"}]})),
        upstreams: Vec::new(),
        queues: wire::queues(
            &json!({"queues": [{"queue": "celery", "state": "PENDING", "tasks": 12}]}),
        ),
    }
}

fn model() -> Model {
    let began = Instant::now();
    let mut model = Model::new("http://127.0.0.1:8001".to_owned());
    model.sampled(sample(began, 100));
    model.sampled(sample(began + Duration::from_secs(1), 150));
    model
}

fn picture(model: &Model, (width, height): (u16, u16), colours: Colours) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| {
            draw(model, NOW, colours, frame);
        })
        .unwrap();
    terminal.backend().clone()
}

fn shown(model: &Model, size: (u16, u16)) -> String {
    picture(model, size, Colours::Palette).to_string()
}

#[track_caller]
fn shows(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

#[test]
fn the_overview_fits_the_smallest_terminal() {
    let text = shown(&model(), (80, 24));
    shows(
        &text,
        &[
            "siding top http://127.0.0.1:8001 demo",
            "████████████████ OVERLOADED",
            "8/8 (256)",
            "waiting 30/1024",
            "1/2 (2)",
            "Routes 51/51, by requests/s",
            "GET /bad",
            "50.0",
            "1.0s",
            "event_loop -> threads",
            "blocked",
            "     now    10ms  GET /bad  computing",
            "  9s ago",
            "Tasks: celery PENDING 12",
            "q quit",
        ],
    );
}

#[test]
fn an_open_breaker_is_told_and_nothing_of_those_that_are_well() {
    let upstreams = |state: &str| {
        wire::upstreams(&json!({"upstreams": [
            {"name": "prices", "state": state, "replicas": [{"url": "http://a", "state": "open", "last_error": "gave no answer"}]},
            {"name": "faces", "state": "closed", "replicas": [{"url": "http://b", "state": "closed"}]}]}))
    };
    for (state, words) in [
        (
            "open",
            "prices: no replica takes requests; open: http://a gave no answer",
        ),
        (
            "closed",
            "prices: others stand in; open: http://a gave no answer",
        ),
    ] {
        let mut model = model();
        model.sample.as_mut().unwrap().upstreams = upstreams(state);
        let text = shown(&model, (80, 24));
        shows(&text, &[words, "Tasks: celery PENDING 12"]);
        assert!(!text.contains("faces"), "{text}");
    }
}

#[test]
fn a_large_terminal_shows_more_routes_and_all_of_a_lane() {
    let (small, large) = (shown(&model(), (80, 24)), shown(&model(), (120, 40)));
    let routes = |text: &str| text.matches("GET /many/").count();
    assert!(routes(&small) >= 5, "{small}");
    assert!(routes(&large) >= routes(&small) + 16, "{large}");
    shows(&large, &["refused/s 50.0", "done/s 50.0"]);
}

#[test]
fn the_marked_route_is_scrolled_into_view() {
    let mut model = model();
    let _ = model.act(Action::Down(u16::MAX));
    let last = model.route().unwrap().name.clone();
    assert!(!shown(&self::model(), (80, 24)).contains(&last));
    shows(&shown(&model, (80, 24)), &[&last]);
}

#[test]
fn a_route_has_advice_evidence_and_moves() {
    let mut model = model();
    let _ = model.act(Action::Open);
    shows(
        &shown(&model, (80, 24)),
        &[
            "async fn on event_loop -> threads",
            "+ fn bad()",
            "system call  recvfrom",
            "127.0.0.1:5432 (PostgreSQL)",
            "at demo::bad  src/bad.rs:12",
            "5s ago  event_loop -> threads  convicted",
        ],
    );
    let _ = model.act(Action::Down(u16::MAX));
    shows(&shown(&model, (80, 10)), &["convicted"]);
}

#[test]
fn help_is_on_one_screen() {
    let mut model = model();
    let _ = model.act(Action::Help);
    shows(
        &shown(&model, (80, 24)),
        &["Page Up", "since the application started"],
    );
}

#[test]
fn an_outage_is_told_with_what_was_known_before() {
    let mut model = model();
    model.missed(NOW - 42_000.0, "failed to connect".to_owned());
    let text = shown(&model, (80, 24));
    shows(
        &text,
        &[
            "not reachable since 00:15:58 UTC (42s): failed to connect",
            "GET /bad",
        ],
    );
    let mut unknown = Model::new("http://127.0.0.1:9".to_owned());
    shows(
        &shown(&unknown, (80, 24)),
        &["waiting for the first answer"],
    );
    unknown.missed(NOW, "failed to connect".to_owned());
    shows(&shown(&unknown, (80, 24)), &["asked again"]);
}

#[test]
fn the_filter_is_shown_while_it_is_typed() {
    let mut model = model();
    for action in [Action::Filter, Action::Type('b'), Action::Type('a')] {
        let _ = model.act(action);
    }
    shows(
        &shown(&model, (80, 24)),
        &["/ba_", "Routes 1/51 with \"ba\""],
    );
}

#[test]
fn without_colours_there_is_none() {
    let coloured = |colours| {
        let backend = picture(&model(), (80, 24), colours);
        let cells = backend.buffer().content().iter();
        cells.filter(|cell| cell.fg != Color::Reset).count()
    };
    assert!(coloured(Colours::Palette) > 0);
    assert_eq!(coloured(Colours::None), 0);
}

#[test]
fn no_size_is_too_small() {
    for size in [(1, 1), (20, 3), (40, 8), (200, 2)] {
        for page in [Page::Overview, Page::Route, Page::Help] {
            let mut model = model();
            model.page = page;
            let _ = picture(&model, size, Colours::Palette);
        }
    }
}
