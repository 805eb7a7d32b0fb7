//! Steady load.

use std::time::Duration;

use siding_cli::load::{RequestError, Steady, SteadyOutcome};

use crate::support::{nobody, peer, says};

async fn load(site: &siding_cli::load::Site, path: &str) -> Result<SteadyOutcome, RequestError> {
    let load = Steady {
        site,
        path,
        connections: 4,
        span: Duration::from_millis(50),
    };
    load.run().await
}

#[tokio::test]
async fn counts_the_answers() {
    let (site, _process) = peer("steady").await;
    let outcome = load(&site, "/hello").await.unwrap();
    assert!(outcome.answered >= 4);
    assert!(outcome.per_second() > 0.0);
}

#[tokio::test]
async fn one_failure_ends_the_load() {
    let (site, _process) = peer("steady-404").await;
    let error = load(&site, "/nowhere").await.unwrap_err();
    assert!(matches!(error, RequestError::Status(_)), "{error}");
    let error = load(&nobody(), "/hello").await.unwrap_err();
    assert!(matches!(error, RequestError::Connect(_)), "{error}");
    let error = load(&says("220 ready\r\n"), "/hello").await.unwrap_err();
    assert!(matches!(error, RequestError::KeepAlive(_)), "{error}");
}
