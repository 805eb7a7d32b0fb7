//! Many requests at the same time.

use std::time::Duration;

use siding_cli::load::{Burst, open_connections};

use crate::support::{nobody, peer, says};

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn every_request_on_a_fresh_connection_is_answered() {
    let (site, _process) = peer("burst-fresh").await;
    let burst = Burst {
        site: &site,
        path: "/async?ms=1",
        concurrency: 50,
        limit: LIMIT,
    };
    let mut told = Vec::new();
    let outcome = burst
        .on_fresh_connections(|answered| told.push(answered))
        .await;
    assert_eq!((outcome.answered, outcome.unanswered), (50, 0));
    assert!(outcome.failures.is_empty(), "{}", outcome.failures);
    assert_eq!(told, (1..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn connections_opened_before_are_used_again() {
    let (site, _process) = peer("burst-open").await;
    let connections = open_connections(&site, 70).await.unwrap();
    assert_eq!(connections.len(), 70);
    let burst = Burst {
        site: &site,
        path: "/async?ms=1",
        concurrency: 70,
        limit: LIMIT,
    };
    let outcome = burst.on_open_connections(connections, |_| ()).await;
    assert_eq!((outcome.answered, outcome.failures.count()), (70, 0));
}

#[tokio::test]
async fn answers_other_than_200_are_failures() {
    let (site, _process) = peer("burst-404").await;
    let burst = Burst {
        site: &site,
        path: "/nowhere",
        concurrency: 3,
        limit: LIMIT,
    };
    let outcome = burst.on_fresh_connections(|_| ()).await;
    assert_eq!(outcome.answered, 0);
    assert_eq!(
        outcome.failures.to_string(),
        "3 × the answer was 404 Not Found"
    );
}

#[tokio::test]
async fn what_is_late_goes_unanswered() {
    let (site, _process) = peer("burst-late").await;
    let burst = Burst {
        site: &site,
        path: "/async?ms=60000",
        concurrency: 2,
        limit: Duration::from_millis(50),
    };
    let outcome = burst.on_fresh_connections(|_| ()).await;
    assert_eq!((outcome.answered, outcome.unanswered), (0, 2));
}

#[tokio::test]
async fn says_when_nobody_listens_and_when_it_is_not_http() {
    let sites = [
        (nobody(), "failed to connect"),
        (
            says("SSH-2.0-OpenSSH_9\r\n"),
            "failed to get an HTTP answer",
        ),
    ];
    for (site, expected) in sites {
        let burst = Burst {
            site: &site,
            path: "/health",
            concurrency: 1,
            limit: LIMIT,
        };
        let failures = burst
            .on_fresh_connections(|_| ())
            .await
            .failures
            .to_string();
        assert!(failures.contains(expected), "{failures}");
    }
}
