//! Connections that are lost, and those that never come about.

use std::time::Duration;

use siding_tasks::{
    Amqp, AmqpSettings, Broker, BrokerError, Enqueue, Renewal, Secret, Settled, State,
};
use tokio::net::TcpListener;

use super::support::*;
use crate::proxy::{Mode, Proxy};

async fn through(space: &Space, proxy: &Proxy) -> Amqp {
    let mut settings = space.settings.clone();
    settings.url.port = proxy.port;
    Amqp::connect(settings).await.unwrap()
}

/// What was held is delivered again, and what the late worker says does not count.
async fn check_loss(space: Space, mode: Mode) {
    let proxy = Proxy::start(5672).await;
    let worker = through(&space, &proxy).await;
    let client = space.connect().await;
    send(&client, vec![space.message("add")]).await;
    let lost = space.claim_one(&worker).await;
    let mut changed = worker.changed();
    proxy.tell(mode);
    // Other things change, too.
    loop {
        changed.await;
        changed = worker.changed();
        let renewals = worker.renew(vec![lost.lease.clone()]).await.unwrap();
        if renewals == [Renewal::Lost] {
            break;
        }
    }
    let settled = worker.settle(lost.lease, success(&0)).await.unwrap();
    assert_eq!(settled, Settled::Refused);
    // A machine that is busy enough misses a heartbeat of the new connection, too.
    loop {
        let again = space.claim_one(&worker).await;
        assert_eq!(again.message.id, lost.message.id);
        assert!(again.deliveries >= 2, "{} deliveries", again.deliveries);
        let settled = worker.settle(again.lease, success(&5)).await.unwrap();
        if settled == Settled::Done {
            break;
        }
    }
    let meta = client.finished(lost.message.id).await.unwrap();
    assert_eq!(
        (meta.state, meta.result.unwrap().get()),
        (State::Success, "5")
    );
}

#[test]
fn a_closed_connection_is_replaced() {
    Space::with(|space| check_loss(space, Mode::Closed));
}

/// The other end is silent, and the kernel has not noticed. The server still holds the message for it, until it is told, or
/// has waited for two heartbeats.
#[test]
fn a_half_open_connection_is_replaced() {
    Space::with(|mut space| async move {
        space.settings.url.heartbeat = Some(Duration::from_secs(2));
        check_loss(space, Mode::Silent).await;
    });
}

/// As an operator does it.
#[test]
fn a_connection_that_the_server_closes_is_replaced() {
    Space::with_host(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![space.message("add")]).await;
        let lost = space.claim_one(&broker).await;
        let changed = broker.changed();
        let host = space.settings.url.virtual_host.clone();
        let closed = tokio::task::spawn_blocking(move || {
            rabbitmqctl(&["close_all_connections", "--vhost", &host, "a test"])
        });
        assert!(closed.await.unwrap());
        changed.await;
        let again = space.claim_one(&broker).await;
        assert_eq!((again.message.id, again.deliveries), (lost.message.id, 2));
        let settled = broker.settle(lost.lease, success(&0)).await.unwrap();
        assert_eq!(settled, Settled::Refused);
    });
}

/// Results that come while the connection is lost are there when it is back.
#[test]
fn results_survive_a_lost_connection() {
    Space::with(|space| async move {
        let proxy = Proxy::start(5672).await;
        let client = through(&space, &proxy).await;
        let worker = space.connect().await;
        let messages = [space.message("before"), space.message("after")];
        let ids = messages.clone().map(|message| message.id);
        send(&client, messages.to_vec()).await;
        proxy.tell(Mode::Closed);
        for delivery in space.claim(&worker, 2).await {
            let task = delivery.message.task.clone();
            let _ = worker.settle(delivery.lease, success(&task)).await.unwrap();
        }
        for id in ids {
            assert_eq!(client.finished(id).await.unwrap().state, State::Success);
        }
    });
}

/// A request during an outage waits a little, and then says what is the matter.
#[test]
fn without_a_connection_sending_fails_in_time() {
    Space::with(|space| async move {
        let proxy = Proxy::start(5672).await;
        let mut settings = space.settings.clone();
        settings.url.port = proxy.port;
        settings.outage_timeout = Duration::from_millis(100);
        settings.response_timeout = Duration::from_millis(500);
        let broker = Amqp::connect(settings).await.unwrap();
        let port = proxy.port;
        proxy.refuse();
        let error = eventually(|| async {
            let request = Enqueue {
                messages: vec![space.message("add")],
                chords: Vec::new(),
            };
            broker.enqueue(request).await.err()
        });
        let error = error.await;
        assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}");
        let told = eventually(|| async {
            let error = broker.overview().await.unwrap_err().to_string();
            error
                .contains(&format!("127.0.0.1:{port}"))
                .then_some(error)
        });
        assert!(!told.await.contains("guest"));
        let claim = broker.claim(space.request(1)).await.unwrap();
        assert_eq!(claim.deliveries, []);
        broker.close().await;
        let error = broker.claim(space.request(1)).await.unwrap_err();
        assert!(matches!(error, BrokerError::Closed), "{error:?}");
        declare(&space.direct, &space.queue, &[]).await;
    });
}

async fn refused(change: impl FnOnce(&mut AmqpSettings), space: &Space) -> String {
    let mut settings = space.settings.clone();
    settings.response_timeout = Duration::from_secs(2);
    settings.url.password = Secret::new("s3cr3t");
    change(&mut settings);
    let error = Amqp::connect(settings).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
    assert!(
        shown.contains("127.0.0.1:"),
        "it says which server: {shown}"
    );
    error.to_string()
}

#[test]
fn who_is_not_let_in_is_told_why() {
    Space::with(|space| async move {
        let wrong = refused(|_| {}, &space).await;
        assert!(wrong.contains("refused the user \"guest\""), "{wrong}");
        let nowhere = refused(
            |settings| {
                settings.url.password = Secret::new("guest");
                settings.url.virtual_host = "no such host".to_owned();
            },
            &space,
        );
        let nowhere = nowhere.await;
        assert!(
            nowhere.contains("virtual host \"no such host\""),
            "{nowhere}"
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let silent = refused(|settings| settings.url.port = port, &space).await;
        assert!(silent.contains("did not answer"), "{silent}");
        drop(listener);
        let closed = refused(|settings| settings.url.port = port, &space).await;
        assert!(closed.contains("nothing listens"), "{closed}");
    });
}

#[test]
fn a_server_without_tls_is_told_from_one_with() {
    Space::with(|space| async move {
        let error = refused(
            |settings| {
                settings.url.tls = siding_tasks::Tls::On(siding_tasks::TlsFiles::default());
            },
            &space,
        );
        let error = error.await;
        assert!(error.contains("check that this port speaks TLS"), "{error}");
    });
}
