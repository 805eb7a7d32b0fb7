//! Connections that are lost.

use std::time::Duration;

use siding_tasks::{Broker, BrokerError, BrokerUrl, Message, Redis, RedisSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::support::*;

/// A port that passes on to Redis what it gets. What it is told to do to its connections holds for those that are open.
struct Proxy {
    port: u16,
    told: watch::Sender<Mode>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Pass,
    /// Keeps everything for itself: the kernel answers, and nobody else.
    Silent,
    Closed,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, listen) = watch::channel(Mode::Pass);
        spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect("127.0.0.1:6379").await.unwrap();
                let (client, server) = (client.into_split(), server.into_split());
                let mut listen = listen.clone();
                listen.mark_unchanged();
                spawn(pass(client.0, server.1, listen.clone()));
                spawn(pass(server.0, client.1, listen));
            }
        });
        Self { port, told }
    }

    fn tell(&self, mode: Mode) {
        self.told.send_replace(mode);
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut listen: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 65_536];
    loop {
        let read = tokio::select! {
            biased;
            told = listen.changed() => {
                let is_silent = told.is_ok() && *listen.borrow() == Mode::Silent;
                if is_silent {
                    std::future::pending::<()>().await;
                }
                return;
            }
            read = from.read(&mut buffer) => read,
        };
        let Ok(read @ 1..) = read else { return };
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

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
        let proxy = Proxy::start().await;
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
        let proxy = Proxy::start().await;
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
