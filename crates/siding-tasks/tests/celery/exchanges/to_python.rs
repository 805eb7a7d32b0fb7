//! Siding sends to exchanges that Python's workers have queues at, on Redis.

use std::sync::Arc;

use serde_json::{Value, json};
use siding_tasks::{Canvas, Exchange};

use super::{check_unroutable, pythons};
use crate::fleet::{Fleet, Running, SOON, Space, args};
use crate::from_python::app;

#[test]
fn celery_5_7_gets_what_is_for_its_queues() {
    Fleet::in_space("5.7", settings, exchanges);
}

#[test]
fn celery_5_4_gets_what_is_for_its_queues() {
    Fleet::in_space("5.4", settings, exchanges);
}

fn settings(space: &mut Space) {
    space.celery = json!({"queues": pythons()});
}

async fn exchanges(fleet: Arc<Fleet>) {
    messages_are_those_of_python(&fleet).await;
    let _worker = fleet
        .python_worker(&["--pool=solo", "--queues=one,videos,pairs"])
        .await;
    the_routing_key_leads_to_a_queue(&fleet).await;
    what_leads_nowhere_is_not_sent(&fleet).await;
    steps_go_to_exchanges(&fleet).await;
}

/// But for what is of one message.
fn properties(message: &Value) -> Value {
    let mut properties = message["properties"].clone();
    for name in ["correlation_id", "delivery_tag", "reply_to"] {
        properties.as_object_mut().unwrap().remove(name);
    }
    properties
}

async fn messages_are_those_of_python(fleet: &Fleet) {
    let send = "
        with app.connection_for_write() as connection:
            for name in ('one', 'videos', 'pairs'):
                app.amqp.queues[name](connection).declare()
        add.apply_async((2, 3), exchange='shop', routing_key='one')
        add.apply_async((2, 3), queue='videos', routing_key='media.video.new', priority=6)
        add.apply_async((2, 3), queue='videos', routing_key='media.pair')
    ";
    fleet.client().run(send).await;
    let of_python = ["one", "videos\u{6}\u{16}6", "pairs"].map(|list| fleet.space.list(list));
    for (exchange, key, priority) in [
        (Exchange::direct("shop"), "one", None),
        // 9 is the most urgent here, and 0 on Redis.
        (Exchange::topic("media"), "media.video.new", Some(3)),
        (Exchange::topic("media"), "media.pair", None),
    ] {
        let mut call = add(fleet).exchange(exchange, key);
        if let Some(priority) = priority {
            call = call.priority(siding_tasks::Priority::new(priority).unwrap());
        }
        call.await.unwrap();
    }
    let all = ["one", "videos\u{6}\u{16}6", "pairs"].map(|list| fleet.space.list(list));
    for (python, all) in of_python.iter().zip(&all) {
        let [of_python, of_siding] = &all[..] else {
            panic!("two messages: {all:?}");
        };
        assert_eq!(of_python, &python[0]);
        assert_eq!(properties(of_siding), properties(of_python));
        assert_ne!(of_python["properties"]["delivery_info"]["exchange"], "");
    }
}

fn add(fleet: &Fleet) -> siding_tasks::ApplyAsync<i64> {
    let numbers = args([json!(2), json!(3)]);
    fleet.tasks.send_task::<i64>("app.add", numbers, [])
}

async fn the_routing_key_leads_to_a_queue(fleet: &Fleet) {
    for (exchange, key) in [
        (Exchange::direct("shop"), "one"),
        (Exchange::topic("media"), "media.video.a.b"),
        (Exchange::topic("media"), "big.pair"),
    ] {
        let call = fleet.tasks.send_task::<Value>("app.request", vec![], []);
        let result = call.exchange(exchange.clone(), key).await.unwrap();
        let request = result.get(SOON).await.unwrap();
        let info = &request["delivery_info"];
        assert_eq!(
            (&info["exchange"], &info["routing_key"]),
            (&json!(exchange.name), &json!(key))
        );
    }
}

async fn what_leads_nowhere_is_not_sent(fleet: &Fleet) {
    for (exchange, key) in [
        (Exchange::direct("shop"), "on"),
        (Exchange::topic("media"), "media.audio"),
        // As kombu matches, which takes the dot for part of the key.
        (Exchange::topic("media"), "media.video"),
        (Exchange::topic("media"), "a.b.pair"),
        (Exchange::direct("nowhere"), "two"),
    ] {
        let name = exchange.name.clone();
        check_unroutable(add(fleet).exchange(exchange, key).await, &name);
        assert!(fleet.space.list(key).is_empty());
    }
    // All of a request, or nothing.
    let part = || -> Canvas<i64> {
        let numbers = args([json!(2), json!(3)]);
        fleet.tasks.signature("app.add", numbers, [])
    };
    let total = fleet.tasks.signature::<i64>("app.total", vec![], []);
    let lost = part().exchange(Exchange::direct("nowhere"), "one");
    let chord = siding_tasks::chord([part().queue("later"), lost], total);
    check_unroutable(chord.delay().await, "nowhere");
    assert!(fleet.space.list("later").is_empty());
}

/// Steps of a workflow, whoever made it and whoever sends them.
async fn steps_go_to_exchanges(fleet: &Fleet) {
    app::register(fleet);
    let worker = Running::start(fleet.worker());
    let script = "
        step = add.s(10).set(exchange='media', exchange_type='topic', routing_key='media.video.step')
        sums = signature('rust.add', (1, 2), queue='rust') | step | signature('rust.add', (100,), queue='rust')
        lost = signature('rust.add', (1, 2), queue='rust') | add.s(10).set(exchange='nowhere', routing_key='x')
        first = lost.apply_async().parent
        out = [get(sums.apply_async()), get(first)]
    ";
    assert_eq!(fleet.client().run(script).await, json!([113, 3]));
    let sum = |name: &str, list: Vec<Value>| {
        let list = list.iter().map(crate::fleet::raw).collect();
        fleet.tasks.signature::<i64>(name, list, [])
    };
    // Python's worker sends the second step.
    let first = sum("app.add", vec![json!(1), json!(2)]).exchange(Exchange::direct("shop"), "one");
    let second = sum("app.add", vec![json!(10)]).exchange(Exchange::direct("shop"), "one");
    let sums = (first | second).delay().await.unwrap();
    assert_eq!(sums.get(SOON).await.unwrap(), 13);
    worker.stop().await;
}
