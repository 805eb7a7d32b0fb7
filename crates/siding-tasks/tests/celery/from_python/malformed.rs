//! What is no message, or none that can be read, ends no worker, and its sender is told if it has a name.

use std::sync::Arc;

use serde_json::{Value, json};

use super::app;
use crate::fleet::{Client, Fleet, Over, Running};

#[test]
fn celery_5_7_is_told() {
    Fleet::on_redis("5.7", malformed);
}

#[test]
fn celery_5_4_is_told() {
    Fleet::on_redis("5.4", malformed);
}

#[test]
fn celery_5_7_is_told_over_rabbitmq() {
    Fleet::over(Over::RabbitMq, "5.7", malformed);
}

async fn malformed(fleet: Arc<Fleet>) {
    app::register(&fleet);
    let worker = Running::start(fleet.worker());
    let mut client = fleet.client();
    // What RabbitMQ carries has another form, and is broken in other ways: amqp/letters.rs.
    if fleet.space.over == Over::Redis {
        what_is_no_message_is_put_aside(&fleet, &mut client).await;
        what_cannot_be_read_fails(&fleet, &mut client).await;
    }
    other_serializers_and_compressions_are_refused(&mut client).await;
    protocol_1_is_understood(&mut client, fleet.space.over).await;
    worker.stop().await;
}

/// A call that Python made, to be broken.
async fn envelope(fleet: &Fleet, client: &mut Client) -> Value {
    client
        .run("app.send_task('rust.add', (1, 2), queue='spare')")
        .await;
    let text: String = fleet.space.ask("RPOP", "spare", &[]);
    serde_json::from_str(&text).unwrap()
}

async fn add(client: &mut Client) {
    assert_eq!(
        client
            .run("out = get(app.send_task('rust.add', (1, 2)))")
            .await,
        json!(3)
    );
}

async fn what_is_no_message_is_put_aside(fleet: &Fleet, client: &mut Client) {
    let mut nameless = envelope(fleet, client).await;
    nameless["properties"]
        .as_object_mut()
        .unwrap()
        .remove("delivery_tag");
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let texts = [
        "",
        "null",
        "[]",
        "{}",
        "\u{0}",
        "{\"properties\": 1",
        &nameless.to_string(),
        &deep,
    ];
    for text in texts {
        let _: u64 = fleet.space.ask("LPUSH", "rust", &[text]);
    }
    add(client).await;
    let kept: u64 = fleet.space.ask("LLEN", "siding.undecodable", &[]);
    assert_eq!(kept, texts.len() as u64);
}

async fn what_cannot_be_read_fails(fleet: &Fleet, client: &mut Client) {
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 5] = [
        (|envelope| envelope["body"] = json!("?"), "not base64"),
        (
            |envelope| envelope["body"] = json!("aGVsbG8="),
            "[args, kwargs, embed]",
        ),
        (
            |envelope| envelope["properties"]["delivery_info"] = Value::Null,
            "delivery_info",
        ),
        (
            |envelope| envelope["headers"]["eta"] = json!("soon"),
            "`eta`",
        ),
        (
            |envelope| envelope["headers"]["compression"] = json!("gzip"),
            "cannot be decompressed",
        ),
    ];
    for (change, why) in changes {
        let mut broken = envelope(fleet, client).await;
        change(&mut broken);
        let _: u64 = fleet.space.ask("LPUSH", "rust", &[&broken.to_string()]);
        let id = &broken["headers"]["id"];
        let shown = client
            .run(&format!(
                "out = repr(get(AsyncResult({id}), propagate=False))"
            ))
            .await;
        let shown = shown.as_str().unwrap();
        assert!(
            shown.starts_with("DecodeError(") && shown.contains(why),
            "{shown}"
        );
    }
    add(client).await;
}

async fn other_serializers_and_compressions_are_refused(client: &mut Client) {
    let script = "
        def shown(**options):
            return repr(get(app.send_task('rust.add', (1, 2), **options), propagate=False))
        out = [shown(serializer='pickle'), shown(compression='bzip2')]
    ";
    let shown: Vec<String> = serde_json::from_value(client.run(script).await).unwrap();
    assert!(
        shown[0].contains("only application/json is accepted"),
        "{shown:?}"
    );
    assert!(
        shown[1].contains("only application/x-gzip is accepted"),
        "{shown:?}"
    );
}

async fn protocol_1_is_understood(client: &mut Client, over: Over) {
    let script = "
        app.amqp.create_task_message = app.amqp.as_task_v1
        call = app.send_task('rust.add', (1,), {'y': 2}, countdown=0.01, expires=60, time_limit=30)
        linked = s('rust.add', 1, 2).apply_async(link=s('rust.add', 10).set(task_id='linked'))
        out = [get(call), get(AsyncResult('linked'))]
    ";
    assert_eq!(client.run(script).await, json!([3, 13]));
    if over.keeps_results() {
        let script = "
            total = chord([s('rust.add', n, n) for n in range(3)], s('rust.total')).apply_async()
            out = get(total)
        ";
        assert_eq!(client.run(script).await, json!(6));
    }
}
