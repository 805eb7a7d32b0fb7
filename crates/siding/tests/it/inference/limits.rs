//! Admission, deadlines and cancellation, and what the application's own clients are told.

use std::time::Duration;

use siding::extract::State;
use siding::inference::{Client, InferErrorKind};
use siding::lifespan::{Lifespan, ResourceError};
use siding::{App, Error, get};
use tokio::time::Instant;

use super::fake::{Fake, Mood};
use super::{Caller, question};
use crate::support::{Service, eventually, start_with};

/// Time stands still but for the timers, so that only what the deadline says can pass.
#[tokio::test(start_paused = true)]
async fn a_service_that_says_nothing_is_given_up_at_the_deadline() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("has one"));
    let limit = Duration::from_secs(5);
    let client = Client::builder("models").replica(url).deadline(limit);
    let client = client
        .ejection(2, limit, limit)
        .build()
        .expect("makes sense");
    for _ in 0..2 {
        let began = Instant::now();
        let error = client.infer(question()).await.expect_err("nobody answers");
        let InferErrorKind::DeadlinePassed { after } = *error.kind() else {
            panic!("{error}");
        };
        assert_eq!((after, began.elapsed()), (limit, limit));
    }
    // Which counted against it.
    let began = Instant::now();
    let error = client
        .infer(question())
        .await
        .expect_err("it is left alone");
    assert!(
        matches!(error.kind(), InferErrorKind::Unavailable { .. }),
        "{error}"
    );
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[test]
fn a_request_that_is_dropped_is_dropped_at_the_service_too() {
    let fake = Fake::start();
    fake.is_in(Mood::Wait);
    let caller = Caller::new(&[&fake], |builder| builder.concurrency(1));
    let asking = caller.begin();
    eventually("it is under way", || (fake.under_way() == 1).then_some(()));
    asking.abort();
    eventually("the service drops it", || {
        (fake.under_way() == 0).then_some(())
    });
    let figures = caller.client.snapshot();
    assert_eq!(
        (figures.replicas[0].outstanding, figures.gate.running),
        (0, 0)
    );
    assert_eq!(figures.replicas[0].failures, 0, "its caller left");
    fake.is_in(Mood::Echo);
    assert_eq!(caller.ask_often(1), 1);
}

#[test]
fn beyond_what_may_run_and_wait_requests_are_refused_at_once() {
    let fake = Fake::start();
    fake.is_in(Mood::Wait);
    let caller = Caller::new(&[&fake], |builder| builder.concurrency(2).waiting(1));
    let asking: Vec<_> = (0..3).map(|_| caller.begin()).collect();
    eventually("two run and one waits", || {
        let gate = caller.client.snapshot().gate;
        (fake.under_way() == 2 && gate.waiting == 1).then_some(())
    });
    match caller.failure() {
        InferErrorKind::Refused { retry_after } => assert!(retry_after >= Duration::from_secs(1)),
        other => panic!("{other:?}"),
    }
    assert_eq!(fake.executions(), 2);
    fake.go_on(3);
    for asking in asking {
        assert!(caller.end(asking).is_ok());
    }
}

/// An application that asks models in an `async fn` and in a plain one.
fn app(builder: siding::inference::ClientBuilder, deadline: Duration) -> Service {
    async fn awaited(State(models): State<Client>) -> Result<&'static str, Error> {
        models.infer(question()).await?;
        Ok("answered")
    }
    fn blocking(State(models): State<Client>) -> Result<&'static str, Error> {
        models.infer_blocking(question())?;
        Ok("answered")
    }
    let open = async move |lifespan: Lifespan| -> Result<Client, ResourceError> {
        builder.open(&lifespan).await
    };
    let app = App::new("test")
        .route("/async", get(awaited))
        .route("/sync", get(blocking))
        .with_lifespan(open)
        .with_health_routes();
    start_with(app, |settings| {
        settings.limits.request_deadline = deadline;
        settings.admin = Some((std::net::Ipv4Addr::LOCALHOST, 0).into());
    })
}

const LONG: Duration = Duration::from_secs(3_600);

#[test]
fn an_application_answers_without_the_service() {
    let address = crate::support::nobody();
    let builder = Client::builder("models").replica(format!("http://{address}"));
    let service = app(builder.ejection(2, LONG, LONG), Duration::from_secs(30));
    for path in ["/async", "/sync", "/async"] {
        let reply = service.get(path);
        reply.assert_problem(503, "not available at the moment");
        assert!(reply.header("retry-after").is_some());
        assert!(!reply.body.contains("127.0.0.1"), "{reply:?}");
    }
    assert_eq!(service.get("/ready").status, 200);
    let admin = service.running().admin_address().expect("is there");
    let reply = crate::support::Client::connect(admin)
        .expect("connects")
        .get("/api/upstreams");
    let upstream = &reply.json()["upstreams"][0];
    assert_eq!(upstream["name"], "models");
    assert_eq!(upstream["state"], "open");
    let replica = &upstream["replicas"][0];
    assert_eq!(replica["url"], format!("http://{address}"));
    assert_eq!(
        (&replica["failures"], &replica["ejections"]),
        (&2.into(), &1.into())
    );
    assert!(replica["open_until_unix_ms"].is_number());
    assert!(
        replica["last_error"]
            .as_str()
            .expect("text")
            .contains("refused")
    );
    let metrics = crate::support::Client::connect(admin)
        .expect("connects")
        .get("/metrics")
        .body;
    let client = r#"client="models""#;
    let of_replica = format!(r#"{client},replica="http://{address}""#);
    for line in [
        format!("siding_upstream_requests_total{{{client}}} 3"),
        format!("siding_upstream_answered_total{{{client}}} 0"),
        format!(r#"siding_upstream_replica_state{{{of_replica},state="open"}} 1"#),
        format!(r#"siding_upstream_replica_state{{{of_replica},state="closed"}} 0"#),
        format!("siding_upstream_replica_failures_total{{{of_replica}}} 2"),
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
    let service = format!("siding_upstream_service_seconds{{{client}}} ");
    let seconds = metrics
        .lines()
        .find_map(|found| found.strip_prefix(&service));
    let seconds: f64 = seconds.expect("is there").parse().expect("a number");
    assert!(seconds > 0.0, "two were under way: {metrics}");
}

#[test]
fn the_deadline_of_the_request_goes_before_the_clients_own() {
    let fake = Fake::start();
    fake.is_in(Mood::Wait);
    let builder = Client::builder("models").replica(fake.url()).deadline(LONG);
    let service = app(builder, Duration::from_millis(200));
    for path in ["/async", "/sync"] {
        service
            .get(path)
            .assert_problem(504, "within the request's deadline");
        eventually("the service drops it", || {
            (fake.under_way() == 0).then_some(())
        });
    }
    fake.is_in(Mood::Echo);
    for path in ["/async", "/sync"] {
        assert_eq!(service.get(path).body, "answered");
    }
}

#[test]
fn a_service_that_is_asked_for_makes_the_application_unready() {
    let fake = Fake::start();
    fake.is_ready(false);
    let builder = Client::builder("models").replica(fake.url());
    let service = app(builder.with_ready_check(), LONG);
    assert_eq!(service.get("/ready").status, 503);
    fake.is_ready(true);
    eventually("it is ready", || {
        (service.get("/ready").status == 200).then_some(())
    });
}

#[test]
fn answers_that_are_no_use_are_502_without_what_was_said() {
    let fake = Fake::start();
    let builder = Client::builder("models").replica(fake.url());
    let service = app(builder, LONG);
    for status in [400, 500] {
        fake.is_in(Mood::Say(status, &[], r#"{"error":"hush"}"#.to_owned()));
        for path in ["/async", "/sync"] {
            let reply = service.get(path);
            reply.assert_problem(502, "no answer that can be used");
            assert!(!reply.body.contains("hush"), "{reply:?}");
        }
    }
}
