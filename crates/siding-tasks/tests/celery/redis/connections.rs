//! Connections that are lost.

use std::time::Duration;

use siding_tasks::{Broker, BrokerError, BrokerUrl, Message, Redis, RedisSettings};
use tokio::net::TcpListener;

use super::support::*;
use crate::proxy::{Mode, Proxy};

async fn through(space: &Space, port: u16) -> Redis {
    let BrokerUrl::Redis(url) = format!("redis://127.0.0.1:{port}/8").parse().unwrap() else {
        panic!("a URL of Redis");
    };
    let settings = RedisSettings {
        url,
        response_timeout: Duration::from_millis(300),
        ..space.settings.clone()
    };
    Redis::connect(settings).await.unwrap()
}

/// Waits for a message as a worker does.
async fn consume(broker: &Redis) -> String {
    loop {
        let changed = broker.changed();
        if let Ok(claim) = broker.claim(request(1)).await
            && let Some(delivery) = claim.deliveries.into_iter().next()
        {
            return delivery.message.task;
        }
        changed.await;
    }
}

/// News come from the server: nobody polls for them.
#[test]
fn who_waits_hears_of_a_message() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let waiting = spawn({
            let broker = broker.clone();
            async move { consume(&broker).await }
        });
        let other = space.connect().await;
        send(&other, vec![Message::new("news")]).await;
        assert_eq!(waiting.await.unwrap(), "news");
    });
}

/// The other end is silent, and the kernel has not noticed.
#[test]
fn a_half_open_connection_is_replaced() {
    Space::with(|space| async move {
        let proxy = Proxy::start(6379).await;
        let broker = through(&space, proxy.port).await;
        let waiting = spawn({
            let broker = broker.clone();
            async move { consume(&broker).await }
        });
        send(&broker, vec![]).await;
        proxy.tell(Mode::Silent);
        let direct = space.connect().await;
        send(&direct, vec![Message::new("after")]).await;
        assert_eq!(waiting.await.unwrap(), "after");
    });
}

#[test]
fn a_killed_connection_is_replaced() {
    Space::with(|space| async move {
        let proxy = Proxy::start(6379).await;
        let broker = through(&space, proxy.port).await;
        send(&broker, vec![Message::new("before")]).await;
        assert_eq!(consume(&broker).await, "before");
        proxy.tell(Mode::Closed);
        let sent = eventually(|| async {
            let request = siding_tasks::Enqueue {
                messages: vec![Message::new("after")],
                chords: Vec::new(),
            };
            broker.enqueue(request).await.ok()
        });
        sent.await;
        assert_eq!(consume(&broker).await, "after");
    });
}

#[test]
fn who_cannot_be_reached_is_named_without_the_password() {
    Space::with(|space| async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let BrokerUrl::Redis(url) = format!("redis://:secret@127.0.0.1:{port}/8")
            .parse()
            .unwrap()
        else {
            panic!("a URL of Redis");
        };
        let settings = RedisSettings {
            url,
            ..space.settings.clone()
        };
        let error = Redis::connect(settings).await.unwrap_err();
        assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains(&format!("127.0.0.1:{port}")) && !text.contains("secret"),
            "{text}"
        );
    });
}
