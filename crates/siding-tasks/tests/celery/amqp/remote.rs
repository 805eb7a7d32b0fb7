//! Events and remote control.

use std::collections::BTreeMap;
use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use siding_tasks::{Broadcast, Broker, RawJson, Revocation};
use tokio::sync::mpsc;

use super::support::*;
use crate::proxy::{Mode, Proxy};

type Heard = (String, BasicProperties, Vec<u8>);

/// Hears what goes through an exchange.
async fn overhear(space: &Space, exchange: &str, key: &str) -> mpsc::UnboundedReceiver<Heard> {
    let queue = space.direct.queue_declare(
        "".into(),
        QueueDeclareOptions::exclusive(),
        FieldTable::default(),
    );
    let queue = queue.await.unwrap().name().clone();
    let bound = space.direct.queue_bind(
        queue.clone(),
        exchange.into(),
        key.into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bound.await.unwrap();
    let options = BasicConsumeOptions {
        no_ack: true,
        ..Default::default()
    };
    let consumer = space
        .direct
        .basic_consume(queue, "".into(), options, FieldTable::default());
    let consumer = consumer.await.unwrap();
    let (tell, heard) = mpsc::unbounded_channel();
    consumer.set_delegate(move |delivery: lapin::message::DeliveryResult| {
        if let Ok(Some(delivery)) = delivery {
            let key = delivery.routing_key.as_str().to_owned();
            let _ = tell.send((key, delivery.properties.clone(), delivery.data.clone()));
        }
        std::future::ready(())
    });
    heard
}

fn json(value: &serde_json::Value) -> RawJson {
    RawJson::of(value).unwrap()
}

#[test]
fn events_are_published_by_their_type() {
    Space::with_host(|space| async move {
        let broker = space.connect().await;
        let remote = broker.remote().unwrap();
        let event = json(&serde_json::json!({"type": "worker-online", "clock": 1}));
        let publish = || {
            let key = "worker.online".to_owned();
            remote.publish(key, "w@here".to_owned(), event.clone())
        };
        // Makes the exchange.
        publish().await.unwrap();
        let mut heard = overhear(&space, "celeryev", "worker.#").await;
        publish().await.unwrap();
        let (key, properties, body) = heard.recv().await.unwrap();
        assert_eq!((&*key, &*body), ("worker.online", event.get().as_bytes()));
        let headers = properties.headers().as_ref().unwrap().inner();
        assert_eq!(
            headers["hostname"],
            lapin::types::AMQPValue::LongString("w@here".into())
        );
    });
}

#[test]
fn broadcasts_are_heard_across_lost_connections() {
    Space::with_host(|space| async move {
        let proxy = Proxy::start(5672).await;
        let mut settings = space.settings.clone();
        settings.url.port = proxy.port;
        let worker = siding_tasks::Amqp::connect(settings).await.unwrap();
        let client = space.connect().await.remote().unwrap();
        let mut listener = worker.remote().unwrap().listen("w@here".to_owned());
        let request = Broadcast {
            headers: BTreeMap::from([
                ("clock".to_owned(), json(&1.into())),
                ("expires".to_owned(), json(&0.into())),
            ]),
            body: json(
                &serde_json::json!({"method": "ping", "arguments": {}, "destination": null}),
            ),
        };
        let queue = "w@here.celery.pidbox";
        eventually(|| async { space.look(queue).await.then_some(()) }).await;
        client.broadcast(request.clone()).await.unwrap();
        assert_eq!(listener.next().await, request);
        let changed = worker.changed();
        proxy.tell(Mode::Closed);
        changed.await;
        // It may not listen yet, or its queue be on its way out.
        let heard = loop {
            client.broadcast(request.clone()).await.unwrap();
            let next = tokio::time::timeout(Duration::from_millis(100), listener.next());
            if let Ok(heard) = next.await {
                break heard;
            }
        };
        assert_eq!(heard, request);
        // Nobody listens any more.
        drop(listener);
        eventually(|| async { (!space.look(queue).await).then_some(()) }).await;
    });
}

#[test]
fn answers_go_where_they_were_asked_for() {
    Space::with_host(|space| async move {
        let worker = space.connect().await;
        let remote = worker.remote().unwrap();
        let answer = Broadcast {
            headers: BTreeMap::from([("ticket".to_owned(), json(&"t".into()))]),
            body: json(&serde_json::json!({"w@here": {"ok": "pong"}})),
        };
        let (exchange, key) = ("reply.celery.pidbox", "someone");
        let say = || remote.answer(exchange.to_owned(), key.to_owned(), answer.clone());
        // Makes the exchange.
        say().await.unwrap();
        let mut heard = overhear(&space, exchange, key).await;
        say().await.unwrap();
        let (_, properties, body) = heard.recv().await.unwrap();
        assert_eq!(body, answer.body.get().as_bytes());
        let headers = properties.headers().as_ref().unwrap().inner();
        assert_eq!(
            headers["ticket"],
            lapin::types::AMQPValue::LongString("t".into())
        );
    });
}

#[test]
fn a_revocation_is_broadcast() {
    Space::with_host(|space| async move {
        let worker = space.connect().await;
        let mut listener = worker.remote().unwrap().listen("w@here".to_owned());
        eventually(|| async { space.look("w@here.celery.pidbox").await.then_some(()) }).await;
        let client = space.connect().await;
        client
            .revoke("the-task".into(), Revocation::Terminate)
            .await
            .unwrap();
        let heard: serde_json::Value = listener.next().await.body.read().unwrap();
        assert_eq!(heard["method"], "revoke");
        let expected =
            serde_json::json!({"task_id": "the-task", "terminate": true, "signal": null});
        assert_eq!(heard["arguments"], expected);
    });
}

#[test]
fn the_connection_is_described_without_its_password() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let info = broker.remote().unwrap().info();
        assert_eq!((info.transport, info.port), ("amqp", 5672));
        assert_eq!((&*info.virtual_host, info.ssl), ("/", false));
        assert_eq!(info.userid.as_deref(), Some("guest"));
        declare(&space.direct, &space.queue, &[]).await;
    });
}
