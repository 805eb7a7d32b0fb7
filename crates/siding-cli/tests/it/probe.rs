//! The prober.

use std::time::Duration;

use siding_cli::load::get_once;
use siding_cli::probe::Prober;

use crate::support::{nobody, peer};

const EVERY: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn asks_until_it_is_told_to_stop() {
    let (site, _process) = peer("probe").await;
    let prober = Prober::start(site.clone(), "/health", EVERY).unwrap();
    get_once(&site, "/async?ms=50").await.unwrap();
    let log = prober.finish(PATIENCE).await.unwrap();
    assert!(!log.probes.is_empty());
    assert!(log.failures.is_empty(), "{}", log.failures);
    let mut due: Vec<_> = log.probes.iter().map(|probe| probe.due).collect();
    due.sort_unstable();
    assert!(due.windows(2).all(|pair| pair[1] - pair[0] == EVERY));
}

#[tokio::test]
async fn a_stalled_server_makes_every_probe_late() {
    let (site, _process) = peer("probe-stall").await;
    let prober = Prober::start(site.clone(), "/async?ms=60000", EVERY).unwrap();
    get_once(&site, "/async?ms=20").await.unwrap();
    let log = prober.finish(Duration::from_millis(1)).await.unwrap();
    assert!(!log.probes.is_empty());
    assert!(log.failures.is_empty(), "{}", log.failures);
    assert_eq!(log.unanswered, log.probes.len());
}

#[tokio::test]
async fn probes_that_nobody_answers_are_failures() {
    let (site, _process) = peer("probe-nobody").await;
    let prober = Prober::start(nobody(), "/health", EVERY).unwrap();
    get_once(&site, "/async?ms=20").await.unwrap();
    let log = prober.finish(PATIENCE).await.unwrap();
    assert_eq!(log.failures.count(), log.probes.len());
}
