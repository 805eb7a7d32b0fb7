//! Another server becomes the master.

use siding_tasks::{Broker, BrokerError, Enqueue, Message, Redis, Settled};

use super::fake::Sentinel;
use super::settings;
use crate::redis::servers::{Server, run};
use crate::redis::support::*;

/// Two servers, and a sentinel that names the first of them.
struct Pair {
    old: Server,
    new: Server,
    sentinel: Sentinel,
    broker: Redis,
}

impl Pair {
    async fn start() -> Option<Self> {
        let plain = || Server::start(&["port {port}", "bind 127.0.0.1"], |_| {});
        let (old, new) = (plain()?, plain()?);
        let sentinel = Sentinel::naming(Some(old.port)).await;
        let url = format!("sentinel://127.0.0.1:{}?master_name=shop", sentinel.port);
        let broker = eventually(|| async { Redis::connect(settings(&url)).await.ok() }).await;
        Some(Self {
            old,
            new,
            sentinel,
            broker,
        })
    }
}

/// A broker on one server, whatever sentinels say.
async fn direct(server: &Server) -> Redis {
    let url = format!("redis://127.0.0.1:{}", server.port);
    eventually(|| async { Redis::connect(settings(&url)).await.ok() }).await
}

/// A command to one server, whatever sentinels say.
async fn ask<T: ::redis::FromRedisValue>(server: &Server, command: &str) -> T {
    let client = ::redis::Client::open(format!("redis://127.0.0.1:{}", server.port)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut words = command.split(' ');
    let mut command = ::redis::cmd(words.next().unwrap());
    command.arg(words.collect::<Vec<_>>());
    command.query_async(&mut connection).await.unwrap()
}

/// Waits for a message as a worker does.
async fn consume(broker: Redis) -> String {
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

/// After a failover the old master answers as before until the sentinels come back to it.
#[test]
fn who_waits_at_the_old_master_goes_to_the_new_one() {
    run(async {
        let Some(pair) = Pair::start().await else {
            return;
        };
        let waiting = spawn(consume(pair.broker.clone()));
        eventually(|| async {
            let clients: String = ask(&pair.old, "INFO clients").await;
            clients.contains("tracking_clients:1").then_some(())
        })
        .await;
        let new = direct(&pair.new).await;
        pair.sentinel.name(pair.new.port);
        send(&new, vec![Message::new("after")]).await;
        assert_eq!(waiting.await.unwrap(), "after");
    });
}

#[test]
fn who_waits_for_a_result_gets_it_from_the_new_master() {
    run(async {
        let Some(pair) = Pair::start().await else {
            return;
        };
        let message = Message::new("add");
        let id = message.id.clone();
        let broker = pair.broker.clone();
        let waiting = spawn(async move { broker.finished(id).await });
        eventually(|| async {
            let channels: Vec<String> = ask(&pair.old, "PUBSUB CHANNELS").await;
            (!channels.is_empty()).then_some(())
        })
        .await;
        let new = direct(&pair.new).await;
        pair.sentinel.name(pair.new.port);
        send(&new, vec![message]).await;
        let delivery = claim_one(&new).await;
        let settled = new.settle(delivery.lease, success(&7)).await.unwrap();
        assert_eq!(settled, Settled::Done);
        let meta = waiting.await.unwrap().unwrap();
        assert_eq!(meta.result.unwrap().read::<i64>().unwrap(), 7);
    });
}

/// It says so itself when something is written, before its sentinels name another.
#[test]
fn a_demoted_master_is_given_up() {
    run(async {
        let Some(pair) = Pair::start().await else {
            return;
        };
        let new = direct(&pair.new).await;
        ask::<()>(&pair.old, "REPLICAOF 127.0.0.1 1").await;
        let refused = enqueue(&pair.broker, "lost").await.unwrap_err();
        let asked = pair.sentinel.asked();
        let again = enqueue(&pair.broker, "lost").await.unwrap_err();
        for (error, part) in [
            (refused, "read only replica"),
            (again, "no master but a slave"),
        ] {
            assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}");
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(pair.sentinel.asked() > asked);

        pair.sentinel.name(pair.new.port);
        eventually(|| async { enqueue(&pair.broker, "after").await.ok() }).await;
        assert_eq!(claim_one(&new).await.message.task, "after");
    });
}

async fn enqueue(broker: &Redis, task: &str) -> Result<(), BrokerError> {
    let request = Enqueue {
        messages: vec![Message::new(task)],
        chords: Vec::new(),
    };
    broker.enqueue(request).await.map(drop)
}
