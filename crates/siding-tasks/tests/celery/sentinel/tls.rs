//! Sentinels and a master that take TLS only.

use siding_tasks::{Message, Redis};

use super::settings;
use crate::redis::servers::{Server, make_certificates, run};
use crate::redis::support::*;

const LINES: [&str; 7] = [
    "port 0",
    "tls-port {port}",
    "bind 127.0.0.1",
    "tls-cert-file {dir}/server.pem",
    "tls-key-file {dir}/server.key",
    "tls-ca-cert-file {dir}/ca.pem",
    "tls-auth-clients no",
];

/// Each has its own authority.
#[test]
fn the_sentinels_and_the_master_are_checked() {
    run(async {
        let Some(master) = Server::start(&LINES, make_certificates) else {
            return;
        };
        let monitor = format!("sentinel monitor shop 127.0.0.1 {} 1", master.port);
        let lines = [&LINES[..], &[&monitor]].concat();
        let Some(sentinel) = Server::start_sentinel(&lines, make_certificates) else {
            return;
        };
        let (ours, theirs) = (master.directory(), sentinel.directory());
        let url = |ca: &str| {
            let port = sentinel.port;
            settings(&format!(
                "sentinel://127.0.0.1:{port}?master_name=shop&sentinel_ssl_ca_certs={theirs}/ca.pem&ssl_ca_certs={ca}/ca.pem"
            ))
        };
        let broker = eventually(|| async { Redis::connect(url(ours)).await.ok() }).await;
        send(&broker, vec![Message::new("add")]).await;
        assert_eq!(claim_one(&broker).await.message.task, "add");
        let stranger = Redis::connect(url(theirs)).await.unwrap_err();
        let text = stranger.to_string();
        assert!(
            text.contains("certificate") && text.contains(&master.port.to_string()),
            "{text}"
        );
    });
}
