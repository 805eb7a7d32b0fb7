//! Queues as Celery makes them, and as others have made them.

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use siding_tasks::{Broker, BrokerError, Enqueue, Enqueued, Priority, Settled};

use super::support::*;

/// Sends to, and consumes from, a queue with this argument. That it is still there with it is seen by declaring it again.
#[track_caller]
fn check_existing(key: &'static str, value: AMQPValue) {
    Space::with(|space| async move {
        let arguments = [(key, value)];
        declare(&space.direct, &space.queue, &arguments).await;
        let broker = space.connect().await;
        send(&broker, vec![space.message("add")]).await;
        let delivery = space.claim_one(&broker).await;
        let settled = broker.settle(delivery.lease, success(&5)).await.unwrap();
        assert_eq!(settled, Settled::Done);
        declare(&space.direct, &space.queue, &arguments).await;
    });
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

#[test]
fn a_quorum_queue_is_used_as_it_is() {
    check_existing("x-queue-type", text("quorum"));
}

#[test]
fn a_queue_with_priorities_is_used_as_it_is() {
    check_existing("x-max-priority", AMQPValue::LongInt(10));
}

#[test]
fn a_queue_whose_messages_expire_is_used_as_it_is() {
    check_existing("x-message-ttl", AMQPValue::LongInt(60_000));
}

/// Durable and without arguments, and bound to the direct exchange of its name.
#[test]
fn a_missing_queue_is_made_as_celery_makes_it() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![space.message("add")]).await;
        declare(&space.direct, &space.queue, &[]).await;
        space
            .direct
            .exchange_declare(
                space.queue.as_str().into(),
                lapin::ExchangeKind::Direct,
                lapin::options::ExchangeDeclareOptions {
                    durable: true,
                    ..Default::default()
                },
                FieldTable::default(),
            )
            .await
            .unwrap();
        let published = space.direct.basic_publish(
            space.queue.as_str().into(),
            space.queue.as_str().into(),
            Default::default(),
            b"through the exchange",
            Default::default(),
        );
        published.await.unwrap().await.unwrap();
        space.await_ready(&space.queue, 2).await;
    });
}

#[test]
fn a_queue_that_was_deleted_is_made_again() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![space.message("before")]).await;
        delete(&space.direct, &space.queue).await;
        send(&broker, vec![space.message("after")]).await;
        assert_eq!(space.claim_one(&broker).await.message.task, "after");
        // Its consumer is told, and consumes anew.
        delete(&space.direct, &space.queue).await;
        send(&broker, vec![space.message("again")]).await;
        assert_eq!(space.claim_one(&broker).await.message.task, "again");
    });
}

/// Messages are durable, carry what Python's do, and are confirmed in bulk.
#[test]
fn many_messages_are_sent_at_once() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let messages: Vec<_> = (0..1_000).map(|_| space.message("add")).collect();
        let ids: Vec<_> = messages.iter().map(|message| message.id.clone()).collect();
        let request = Enqueue {
            messages,
            chords: Vec::new(),
        };
        let answers = broker.enqueue(request).await.unwrap();
        assert_eq!(answers, vec![Enqueued::Accepted; 1_000]);
        assert_eq!(ready(&space.direct, &space.queue).await, 1_000);
        let got = space
            .direct
            .basic_get(space.queue.as_str().into(), Default::default())
            .await
            .unwrap()
            .unwrap();
        let properties = &got.properties;
        assert_eq!(properties.delivery_mode(), &Some(2));
        assert_eq!(
            properties.correlation_id().as_ref().unwrap().as_str(),
            ids[0].as_str()
        );
        assert_eq!(
            properties.content_type().as_ref().unwrap().as_str(),
            "application/json"
        );
        let headers = properties.headers().as_ref().unwrap().inner();
        assert_eq!(headers["task"], text("add"));
        assert_eq!(
            (got.exchange.as_str(), got.routing_key.as_str()),
            ("", &*space.queue)
        );
    });
}

#[test]
fn the_urgent_come_first() {
    Space::with(|space| async move {
        let priorities = [("x-max-priority", AMQPValue::LongInt(10))];
        declare(&space.direct, &space.queue, &priorities).await;
        let broker = space.connect().await;
        let of = |name: &str, priority: u8| siding_tasks::Message {
            priority: broker.priority_number(Priority::new(priority).unwrap()),
            ..space.message(name)
        };
        send(&broker, vec![of("low", 0), of("first", 9), of("middle", 5)]).await;
        let mut names = Vec::new();
        for _ in 0..3 {
            names.push(space.claim_one(&broker).await.message.task);
        }
        assert_eq!(names, ["first", "middle", "low"]);
    });
}

/// A queue that refuses more says so, and the sender hears of it.
#[test]
fn a_full_queue_is_an_error() {
    Space::with(|space| async move {
        let full = [
            ("x-max-length", AMQPValue::LongInt(1)),
            ("x-overflow", text("reject-publish")),
        ];
        declare(&space.direct, &space.queue, &full).await;
        let broker = space.connect().await;
        send(&broker, vec![space.message("one")]).await;
        let request = Enqueue {
            messages: vec![space.message("two")],
            chords: Vec::new(),
        };
        let error = broker.enqueue(request).await.unwrap_err();
        assert!(
            matches!(&error, BrokerError::Unavailable(text) if text.contains("full")),
            "{error:?}"
        );
    });
}

/// Somebody has the queue for themselves: it is not declared anew, and consuming fails with a reason.
#[test]
fn an_exclusive_queue_of_somebody_else_is_left_alone() {
    Space::with(|space| async move {
        let exclusive = QueueDeclareOptions::exclusive();
        space
            .direct
            .queue_declare(
                space.queue.as_str().into(),
                exclusive,
                FieldTable::default(),
            )
            .await
            .unwrap();
        let broker = space.connect().await;
        let error = broker.claim(space.request(1)).await.unwrap_err();
        assert!(
            matches!(&error, BrokerError::Unavailable(text) if text.contains(&space.queue)),
            "{error:?}"
        );
        delete(&space.direct, &space.queue).await;
        declare(&space.direct, &space.queue, &[]).await;
    });
}

#[test]
fn what_amqp_cannot_do_is_refused_with_a_reason() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let mut message = space.message("add");
        message.unique_key = Some("one".to_owned());
        let unique = Enqueue {
            messages: vec![message],
            chords: Vec::new(),
        };
        let chord = Enqueue {
            messages: vec![space.message("add")],
            chords: vec![("group".to_owned(), 1)],
        };
        for (request, word) in [(unique, "unique key"), (chord, "--result-backend redis://")] {
            let error = broker.enqueue(request).await.unwrap_err();
            assert!(
                matches!(&error, BrokerError::Unsupported(text) if text.contains(word)),
                "{error:?}"
            );
        }
        let list = broker.list(Default::default()).await.unwrap_err();
        assert!(matches!(list, BrokerError::Unsupported(_)), "{list:?}");
        let replay = broker.replay("id".into()).await.unwrap_err();
        assert!(matches!(replay, BrokerError::Unsupported(_)), "{replay:?}");
    });
}
