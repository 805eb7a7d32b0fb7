//! Steady load.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Request, State};
use siding_cli::load::{KeepAlive, RequestError, Site, Steady, SteadyOutcome};
use tokio::net::TcpListener;

use crate::support::{nobody, peer, says};

async fn load(site: &siding_cli::load::Site, path: &str) -> Result<SteadyOutcome, RequestError> {
    let load = Steady {
        site,
        requests: &[site.request_bytes(path)],
        connections: 4,
        pause: Duration::ZERO,
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
    assert_eq!(outcome.latencies.count(), outcome.answered);
    assert!(outcome.latencies.percentile(99) <= outcome.latencies.percentile(100));
}

#[tokio::test]
async fn a_connection_asks_for_one_path_after_another() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let note = async |State(asked): State<Arc<Mutex<Vec<String>>>>, request: Request| {
        asked.lock().unwrap().push(request.uri().to_string());
    };
    let app = axum::Router::new().fallback(note).with_state(asked.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site::from(listener.local_addr().unwrap());
    let load = async {
        let requests = ["/0", "/1", "/2?n=2"].map(|path| site.request_bytes(path));
        let mut connection = KeepAlive::open(&site, requests.into(), 1).await.unwrap();
        for _ in 0..4 {
            connection.exchange().await.unwrap();
        }
    };
    tokio::select! {
        served = axum::serve(listener, app) => served.unwrap(),
        () = load => {}
    }
    assert_eq!(*asked.lock().unwrap(), ["/1", "/2?n=2", "/0", "/1"]);
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
