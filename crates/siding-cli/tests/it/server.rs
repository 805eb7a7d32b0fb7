//! Servers that start, and servers that do not.

use siding_cli::explain::explain;
use siding_cli::load::get_once;
use siding_cli::server::{Capacity, Contender, StartError, cpu_time};

use crate::support::{launch, nobody, peer};

#[tokio::test]
async fn a_started_server_answers_and_ends_with_its_owner() {
    let (site, process) = peer("server").await;
    assert_eq!(get_once(&site, "/hello").await.unwrap(), "Hello, World!");
    assert!(cpu_time(process.pid().unwrap()).is_ok());
    drop(process);
    assert!(get_once(&site, "/hello").await.is_err());
}

#[tokio::test]
async fn a_server_that_ends_early_is_quoted() {
    let early = launch(
        crate::support::SIDING,
        &["bench", "--sideways"],
        "server-early",
    );
    let error = early.start(Capacity::AsConfigured).await.unwrap_err();
    assert!(matches!(error, StartError::Ended { .. }));
    assert!(error.to_string().contains("--sideways"), "{error}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let missing = launch("/nowhere/server", &[], "server-missing");
    let error = missing.start(Capacity::AsConfigured).await.unwrap_err();
    assert!(explain(&error).contains("/nowhere/server"), "{error}");
}

#[tokio::test]
async fn a_running_server_that_does_not_answer_is_named() {
    let site = nobody();
    let running = Contender::Running(site.clone());
    let error = running.server(Capacity::AsConfigured).await.unwrap_err();
    assert!(explain(&error).contains(&site.to_string()), "{error}");
}
