//! Options of calls, and the fields of messages.

use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use siding_tasks::{GetError, Priority, Timestamp};

use crate::fleet::{Fleet, SOON, args, raw};

#[test]
fn celery_5_7_honours_them() {
    Fleet::on_redis("5.7", options);
}

#[test]
fn celery_5_4_honours_them() {
    Fleet::on_redis("5.4", options);
}

async fn options(fleet: Arc<Fleet>) {
    messages_are_those_of_python(&fleet).await;
    // These wait for the worker.
    let urgencies = send_in_order_of_urgency(&fleet).await;
    let expired = send_too_late(&fleet).await;
    let _worker = fleet
        .python_worker(&[
            "--pool=prefork",
            "--concurrency=1",
            "--prefetch-multiplier=1",
            "--queues=celery,special",
        ])
        .await;
    the_urgent_run_first(urgencies).await;
    assert!(
        matches!(expired.get(SOON).await, Err(GetError::Revoked { reason, .. }) if reason == "expired")
    );
    fields_arrive(&fleet).await;
    a_task_waits_for_its_eta(&fleet).await;
    time_limits_end_it(&fleet).await;
    results_are_ignored(&fleet).await;
}

/// What a message says, but for what is of one message, of one process or of one moment.
fn comparable(mut message: Value) -> Value {
    let body = BASE64_STANDARD
        .decode(message["body"].as_str().unwrap())
        .unwrap();
    message["body"] = serde_json::from_slice(&body).unwrap();
    let headers = message["headers"].as_object_mut().unwrap();
    assert_eq!(headers["id"], headers["root_id"]);
    for moment in ["eta", "expires"] {
        if let Some(text) = headers[moment].as_str() {
            assert!(
                Timestamp::parse(text).is_some() && text.ends_with("+00:00"),
                "{text}"
            );
            headers[moment] = json!("a moment");
        }
    }
    let origin = headers["origin"].as_str().unwrap();
    assert!(
        origin.starts_with("gen") && origin.contains('@'),
        "{origin}"
    );
    for name in ["id", "root_id", "origin", "lang"] {
        headers.remove(name).unwrap();
    }
    let properties = message["properties"].as_object_mut().unwrap();
    for name in ["correlation_id", "delivery_tag"] {
        properties.remove(name).unwrap();
    }
    // Python names a queue for answers, also where there is none.
    properties.remove("reply_to");
    if let Some(left) = properties.get_mut("expiration") {
        let millis: u64 = left.as_str().unwrap().parse().unwrap();
        assert!((590_000..=600_000).contains(&millis), "{millis}");
        *left = json!("so long");
    }
    message
}

async fn messages_are_those_of_python(fleet: &Fleet) {
    let send = "
        add.apply_async((2, 3), queue='nowhere')
        add.apply_async((2,), {'y': [1.5, None, 'é']}, queue='nowhere', countdown=60, expires=600, priority=6, time_limit=30,
                        soft_time_limit=20.5, ignore_result=True, headers={'trace': 'x'})
    ";
    fleet.client().run(send).await;
    let numbers = args([json!(2), json!(3)]);
    fleet
        .tasks
        .send_task::<i64>("app.add", numbers, [])
        .queue("nowhere")
        .await
        .unwrap();
    let named = [("y".to_owned(), raw(json!([1.5, null, "é"])))];
    let call = fleet
        .tasks
        .send_task::<i64>("app.add", args([json!(2)]), named)
        .queue("nowhere");
    let call = call
        .countdown(Duration::from_secs(60))
        .expires_in(Duration::from_secs(600));
    let call = call
        .time_limit(Duration::from_secs(30))
        .soft_time_limit(Duration::from_millis(20_500));
    // 9 is the most urgent here, and 0 on Redis.
    let call = call
        .priority(Priority::new(3).unwrap())
        .ignore_result()
        .header("trace", raw("x"));
    call.await.unwrap();
    for key in ["nowhere", "nowhere\x06\x166"] {
        let [python, ours] = fleet.space.list(key).try_into().unwrap();
        assert_eq!(comparable(ours), comparable(python));
    }
}

type Moment = siding_tasks::AsyncResult<f64>;

async fn send_in_order_of_urgency(fleet: &Fleet) -> Vec<(u8, Moment)> {
    let mut sent = Vec::new();
    for number in 0..10 {
        let call = fleet.tasks.send_task("app.started_at", vec![], []);
        let result = call.priority(Priority::new(number).unwrap()).await.unwrap();
        sent.push((number, result));
    }
    sent
}

/// Redis has a list for each of 0, 3, 6 and 9, where 0 is the most urgent: of one list, the oldest is first.
async fn the_urgent_run_first(sent: Vec<(u8, Moment)>) {
    let mut started = Vec::new();
    for (number, result) in sent {
        started.push((result.get(SOON).await.unwrap(), number));
    }
    started.sort_by(|one, other| one.0.total_cmp(&other.0));
    let order: Vec<_> = started.into_iter().map(|(_, number)| number).collect();
    assert_eq!(order, [7, 8, 9, 4, 5, 6, 1, 2, 3, 0]);
}

async fn send_too_late(fleet: &Fleet) -> Moment {
    let call = fleet.tasks.send_task("app.started_at", vec![], []);
    call.expires(Timestamp::from_millis(1_000)).await.unwrap()
}

async fn fields_arrive(fleet: &Fleet) {
    let call = fleet
        .tasks
        .send_task::<Value>("app.request", vec![], [("x".to_owned(), raw(1))]);
    let refused = call.await.unwrap().wait().await.unwrap().exception.unwrap();
    assert_eq!(refused.exc_type, "TypeError");

    let call = fleet
        .tasks
        .send_task::<Value>("app.request", vec![], [])
        .queue("special")
        .task_id("my-id");
    let call = call
        .header("stamped_headers", raw(["stamp"]))
        .header("stamps", raw(json!({"stamp": "v"})));
    let call = call
        .header("trace", raw(json!({"a": [1]})))
        .expires_in(Duration::from_secs(100));
    let known = call.await.unwrap().get(SOON).await.unwrap();
    let expected = json!({"id": "my-id", "task": "app.request", "root_id": "my-id", "correlation_id": "my-id", "retries": 0,
        "parent_id": null, "group": null, "group_index": null, "timelimit": [null, null], "eta": null, "argsrepr": "()",
        "kwargsrepr": "{}", "ignore_result": false, "replaced_task_nesting": 0, "stamped_headers": ["stamp"],
        "stamps": {"stamp": "v"}, "trace": {"a": [1]}});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&known[name], value, "{name}");
    }
    assert_eq!(known["delivery_info"]["routing_key"], json!("special"));
    assert!(Timestamp::parse(known["expires"].as_str().unwrap()).is_some());
}

async fn a_task_waits_for_its_eta(fleet: &Fleet) {
    let eta = Timestamp::now().after(Duration::from_millis(1_500));
    let started = fleet
        .tasks
        .send_task::<f64>("app.started_at", vec![], [])
        .eta(eta)
        .await
        .unwrap();
    let started = started.get(SOON).await.unwrap();
    let eta = Duration::from_millis(eta.as_millis().try_into().unwrap()).as_secs_f64();
    assert!(
        (eta..eta + 20.0).contains(&started),
        "{started} is not right after {eta}"
    );
}

async fn time_limits_end_it(fleet: &Fleet) {
    let slow = || {
        fleet
            .tasks
            .send_task::<String>("app.slow", args([json!(60)]), [])
    };
    let asked = slow()
        .soft_time_limit(Duration::from_millis(500))
        .await
        .unwrap();
    assert_eq!(asked.get(SOON).await.unwrap(), "asked");
    let ended = slow().time_limit(Duration::from_secs(1)).await.unwrap();
    let exception = ended.wait().await.unwrap().exception.unwrap();
    assert_eq!(
        (&*exception.exc_type, &*exception.message),
        ("TimeLimitExceeded", "1")
    );
}

async fn results_are_ignored(fleet: &Fleet) {
    let add = || {
        fleet
            .tasks
            .send_task::<i64>("app.add", args([json!(1), json!(1)]), [])
    };
    let ignored = add().ignore_result().await.unwrap();
    // The worker runs one after the other.
    assert_eq!(add().await.unwrap().get(SOON).await.unwrap(), 2);
    assert_eq!(ignored.meta().await.unwrap(), None);
}
