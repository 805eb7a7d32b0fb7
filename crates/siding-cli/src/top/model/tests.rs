use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::top::wire;

fn sample(at: Instant, routes: &Value, lanes: &Value) -> Sample {
    Sample {
        at,
        unix_ms: 0.0,
        name: String::new(),
        lanes: wire::lanes(&json!({ "lanes": lanes })),
        routes: wire::routes(&json!({ "routes": routes })),
        stalls: Vec::new(),
        upstreams: Vec::new(),
        queues: Vec::new(),
    }
}

/// Two samples, two seconds apart.
fn model() -> Model {
    let began = Instant::now();
    let mut model = Model::new("http://test".to_owned());
    model.sampled(sample(
        began,
        &json!([
            {"id": 1, "name": "GET /a", "requests": 10}, {"id": 2, "name": "GET /b", "requests": 10},
            {"id": 3, "name": "POST /c", "requests": 500}]),
        &json!([{"lane": "threads", "threads": 4, "refused": 0, "completed": 100}]),
    ));
    model.sampled(sample(
        began + Duration::from_secs(2),
        &json!([
            {"id": 1, "name": "GET /a", "requests": 12, "latency_ms_p99": 9.0}, {"id": 2, "name": "GET /b", "requests": 60},
            {"id": 3, "name": "POST /c", "requests": 1, "stalls": 4}]),
        &json!([{"lane": "threads", "threads": 6, "refused": 8, "completed": 300}]),
    ));
    model
}

fn names(model: &Model) -> Vec<&str> {
    let routes = model.routes();
    routes.iter().map(|route| route.name.as_str()).collect()
}

#[track_caller]
fn act(model: &mut Model, actions: &[Action]) {
    for action in actions {
        assert_eq!(model.act(*action), Next::Draw);
    }
}

#[test]
fn rates_are_differences_over_time() {
    let model = model();
    assert_eq!(model.rates.requests(1), Some(1.0));
    assert_eq!(model.rates.requests(2), Some(25.0));
    let lane = model.rates.lane("threads").unwrap();
    assert_eq!((lane.completed, lane.refused, lane.grown), (100.0, 4.0, 2));
}

#[test]
fn a_server_that_started_anew_has_no_rate_yet() {
    assert_eq!(model().rates.requests(3), None);
}

#[test]
fn each_order_has_its_greatest_first() {
    let mut model = model();
    assert_eq!(names(&model), ["GET /b", "GET /a", "POST /c"]);
    act(&mut model, &[Action::Sort]);
    assert_eq!((model.sort, names(&model)[0]), (Sort::P99, "GET /a"));
    act(&mut model, &[Action::Sort]);
    assert_eq!((model.sort, names(&model)[0]), (Sort::Stalls, "POST /c"));
    act(&mut model, &[Action::Sort]);
    assert_eq!((model.sort, names(&model)[0]), (Sort::Name, "GET /a"));
    act(&mut model, &[Action::Sort]);
    assert_eq!(model.sort, Sort::Rate);
}

#[test]
fn the_mark_follows_its_route_and_stops_at_the_ends() {
    let mut model = model();
    // The first sample had no rates, and this route the most requests.
    assert_eq!(model.route().unwrap().name, "POST /c");
    act(&mut model, &[Action::Up(1)]);
    assert_eq!(model.route().unwrap().name, "GET /a");
    act(&mut model, &[Action::Sort, Action::Sort]);
    assert_eq!(model.route().unwrap().name, "GET /a");
    act(&mut model, &[Action::Down(90)]);
    assert_eq!(model.route().unwrap().name, names(&model)[2]);
    act(&mut model, &[Action::Up(90)]);
    assert_eq!(model.route().unwrap().name, names(&model)[0]);
}

#[test]
fn the_filter_hides_and_esc_shows_again() {
    let mut model = model();
    act(&mut model, &[Action::Filter]);
    act(
        &mut model,
        &"pOSTx".chars().map(Action::Type).collect::<Vec<_>>(),
    );
    assert!(names(&model).is_empty() && model.route().is_none());
    act(&mut model, &[Action::Erase]);
    assert_eq!(names(&model), ["POST /c"]);
    act(&mut model, &[Action::Open]);
    assert!(!model.typing, "Enter keeps the filter and ends the typing");
    act(&mut model, &[Action::Open]);
    assert_eq!((model.page, model.selected), (Page::Route, Some(3)));
    act(&mut model, &[Action::Back]);
    assert_eq!(names(&model), ["POST /c"]);
    act(&mut model, &[Action::Back]);
    assert_eq!(names(&model).len(), 3);
}

#[test]
fn an_outage_keeps_its_beginning_and_ends_with_a_sample() {
    let mut model = model();
    model.missed(1_000.0, "refused".to_owned());
    model.missed(2_000.0, "timeout".to_owned());
    let outage = model.outage.clone().unwrap();
    assert_eq!(
        (outage.since_unix_ms, outage.why.as_str()),
        (1_000.0, "timeout")
    );
    assert_eq!(names(&model).len(), 3, "what was known is still shown");
    model.sampled(sample(Instant::now(), &json!([]), &json!([])));
    assert_eq!(model.outage, None);
}

#[test]
fn a_pause_holds_the_picture() {
    let mut model = model();
    act(&mut model, &[Action::Pause]);
    model.sampled(sample(Instant::now(), &json!([]), &json!([])));
    assert_eq!(names(&model).len(), 3);
    act(&mut model, &[Action::Pause]);
    model.sampled(sample(Instant::now(), &json!([]), &json!([])));
    assert!(names(&model).is_empty());
}

#[test]
fn a_route_that_is_gone_closes_nothing_and_breaks_nothing() {
    let mut model = model();
    act(&mut model, &[Action::Open]);
    model.sampled(sample(Instant::now(), &json!([]), &json!([])));
    assert_eq!((model.page, model.route()), (Page::Route, None));
    act(
        &mut model,
        &[Action::Up(3), Action::Down(5), Action::Back, Action::Open],
    );
    assert_eq!(model.page, Page::Overview);
    assert_eq!(model.act(Action::Leave), Next::Leave);
}
