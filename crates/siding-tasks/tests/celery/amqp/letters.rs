//! Messages that cannot be understood.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use siding_tasks::{Broker, State};

use super::support::*;

/// Puts something into a queue past everything.
async fn put(space: &Space, properties: BasicProperties, body: &[u8]) {
    let published = space.direct.basic_publish(
        "".into(),
        space.queue.as_str().into(),
        Default::default(),
        body,
        properties,
    );
    published.await.unwrap().await.unwrap();
}

fn headers(entries: &[(&str, &str)]) -> BasicProperties {
    let mut table = FieldTable::default();
    for (key, value) in entries {
        table.insert((*key).into(), AMQPValue::LongString((*value).into()));
    }
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_headers(table)
}

/// Each of them is moved away with the reason, and the worker lives.
#[test]
fn what_cannot_be_understood_is_moved_away() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![space.message("first")]).await;
        let known = [("task", "add"), ("id", "known")];
        let pickle = headers(&known).with_content_type("application/x-python-serialize".into());
        let garbage: [(BasicProperties, &[u8]); 5] = [
            (BasicProperties::default(), b""),
            (BasicProperties::default(), b"\xff\xfe no json"),
            (headers(&known), b"[1, 2"),
            (pickle, b"\x80\x04."),
            (headers(&[("task", "add")]), b"[[], {}, {}]"),
        ];
        for (properties, body) in garbage {
            put(&space, properties, body).await;
        }
        send(&broker, vec![space.message("last")]).await;
        let claimed = space.claim(&broker, 2).await;
        let tasks: Vec<_> = claimed.iter().map(|one| &*one.message.task).collect();
        assert_eq!(tasks, ["first", "last"]);
        let grave = format!("{}.dead", space.queue);
        assert_eq!(ready(&space.direct, &grave).await, 5);
        for _ in 0..5 {
            let letter = space
                .direct
                .basic_get(grave.as_str().into(), Default::default())
                .await
                .unwrap()
                .unwrap();
            let headers = letter.properties.headers().as_ref().unwrap().inner();
            let AMQPValue::LongString(why) = &headers["x-siding-why"] else {
                panic!("a reason");
            };
            assert!(!why.is_empty());
            let queue = AMQPValue::LongString(space.queue.as_str().into());
            assert_eq!(headers["x-siding-queue"], queue);
            assert_eq!(letter.properties.delivery_mode(), &Some(2));
        }
    });
}

/// Whoever sent it hears that it failed.
#[test]
fn its_task_fails_if_it_is_known() {
    Space::with(|space| async move {
        let client = space.connect().await;
        let worker = space.connect().await;
        let message = space.message("add");
        let id = message.id.clone();
        send(&client, vec![message]).await;
        let got = space
            .direct
            .basic_get(space.queue.as_str().into(), Default::default())
            .await
            .unwrap()
            .unwrap();
        put(&space, got.properties.clone(), b"spoiled").await;
        got.acker.ack(Default::default()).await.unwrap();
        send(&client, vec![space.message("next")]).await;
        assert_eq!(space.claim_one(&worker).await.message.task, "next");
        let meta = client.finished(id).await.unwrap();
        assert_eq!(meta.state, State::Failure);
        assert_eq!(meta.exception.unwrap().exc_type, "DecodeError");
    });
}
