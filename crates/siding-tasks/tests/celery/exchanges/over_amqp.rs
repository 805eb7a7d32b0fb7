//! Both directions over AMQP.

use std::sync::Arc;

use serde_json::{Value, json};
use siding_tasks::{Amqp, Broker as _, Exchange, Settled, TaskQueues, Tasks};

use super::{check_heard, check_unroutable, hear, pythons, sidings};
use crate::amqp::python::{PATIENCE, PythonWorker, beside, raw, script, tasks};
use crate::amqp::support::{Space, claim_as, delete, eventually, send, success};
use crate::fleet::Running;
use crate::proxy::{Mode, Proxy};

#[test]
fn celery_5_7_gets_what_is_for_its_queues() {
    beside("5.7", |space| to_python(space, "5.7"));
}

#[test]
fn celery_5_4_gets_what_is_for_its_queues() {
    beside("5.4", |space| to_python(space, "5.4"));
}

async fn to_python(mut space: Space, version: &'static str) {
    space.python_queues = Some(pythons());
    let queues = ["--queues=one,videos,pairs"];
    let _worker = PythonWorker::start_with(&space, version, &queues).await;
    let (tasks, _broker) = tasks(&space).await;
    for (exchange, key) in [
        (Exchange::direct("shop"), "one"),
        (Exchange::topic("media"), "media.video.a.b"),
        (Exchange::topic("media"), "big.pair"),
    ] {
        let call = tasks.send_task::<Value>("py.about", vec![], []);
        let result = call.exchange(exchange.clone(), key).await.unwrap();
        let about = result.get(PATIENCE).await.unwrap();
        assert_eq!(
            (&about["exchange"], &about["routing_key"]),
            (&json!(exchange.name), &json!(key))
        );
    }
    let add = || tasks.send_task::<i64>("py.add", vec![raw(2), raw(3)], []);
    for (exchange, key) in [
        (Exchange::direct("shop"), "on"),
        (Exchange::topic("media"), "media.audio"),
        (Exchange::direct("nowhere"), "one"),
    ] {
        let name = exchange.name.clone();
        check_unroutable(add().exchange(exchange, key).await, &name);
    }
    // Others are not disturbed.
    let sum = add().queue("one").await.unwrap();
    assert_eq!(sum.get(PATIENCE).await.unwrap(), 5);
}

/// An exchange that was there and is gone: the next message finds that out, and the one after it goes on.
#[test]
fn an_exchange_that_is_deleted_disturbs_nobody() {
    Space::with_host(|space| async move {
        let broker = space.connect().await;
        let tasks = Tasks::new();
        tasks.connect(Arc::new(broker.clone()));
        bind(&space, "shop", "one").await;
        let send = || tasks.send_task::<i64>("add", vec![], []);
        let to_shop = || send().exchange(Exchange::direct("shop"), "one");
        to_shop().await.unwrap();
        let deleted = space
            .direct
            .exchange_delete("shop".into(), Default::default());
        deleted.await.unwrap();
        let both = tokio::join!(async { to_shop().await }, async {
            send().queue(&*space.queue).await
        });
        assert!(both.0.is_err());
        both.1.unwrap();
        check_unroutable(to_shop().await, "shop");
        bind(&space, "shop", "one").await;
        to_shop().await.unwrap();
        space.await_ready(&space.queue, 3).await;
    });
}

/// A queue for broadcasts goes with its connection; the worker has another one with the next.
#[test]
fn broadcasts_are_heard_across_lost_connections() {
    Space::with_host(|mut space| async move {
        space.settings.task_queues = TaskQueues::default().with_broadcast("reload");
        let proxy = Proxy::start(5672).await;
        let mut settings = space.settings.clone();
        settings.url.port = proxy.port;
        let worker = Amqp::connect(settings).await.unwrap();
        let client = space.connect().await;
        let request = siding_tasks::ClaimRequest {
            queues: vec!["reload".to_owned()],
            ..space.request(1)
        };
        let mut message = siding_tasks::Message::new("tell");
        message.queue = "reload".to_owned();
        let settle = async |delivery: siding_tasks::Delivery| {
            let settled = worker.settle(delivery.lease, success(&1)).await.unwrap();
            assert_eq!(settled, Settled::Done);
        };
        assert_eq!(worker.claim(request.clone()).await.unwrap().deliveries, []);
        send(&client, vec![message.clone()]).await;
        settle(claim_as(&worker, request.clone()).await.remove(0)).await;
        let changed = worker.changed();
        proxy.tell(Mode::Closed);
        changed.await;
        // It may not listen yet.
        let heard = eventually(|| async {
            send(&client, vec![message.clone()]).await;
            let claim = worker.claim(request.clone()).await.ok()?;
            claim.deliveries.into_iter().next()
        });
        settle(heard.await).await;
    });
}

/// Binds the queue of the space to a direct exchange, as somebody else would.
async fn bind(space: &Space, exchange: &str, key: &str) {
    crate::amqp::support::declare(&space.direct, &space.queue, &[]).await;
    let durable = lapin::options::ExchangeDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let made = space.direct.exchange_declare(
        exchange.into(),
        lapin::ExchangeKind::Direct,
        durable,
        Default::default(),
    );
    made.await.unwrap();
    let bound = space.direct.queue_bind(
        space.queue.as_str().into(),
        exchange.into(),
        key.into(),
        Default::default(),
        Default::default(),
    );
    bound.await.unwrap();
}

/// A Siding worker of these queues.
fn worker(tasks: &Tasks, queues: &[&str]) -> Running {
    Running::start(tasks.worker().name("rust").queues(queues.to_vec()))
}

#[test]
fn siding_gets_what_celery_5_7_sends() {
    beside("5.7", |space| from_python(space, "5.7"));
}

#[test]
fn siding_gets_what_celery_5_4_sends() {
    beside("5.4", |space| from_python(space, "5.4"));
}

async fn from_python(mut space: Space, version: &'static str) {
    space.settings.task_queues = sidings();
    let (tasks, _broker) = tasks(&space).await;
    tasks.register("rust.add", |x: i64, y: i64| async move { x + y });
    let worker = worker(&tasks, &["rust", "rust-videos"]);
    let ready = tasks.send_task::<i64>("rust.add", vec![raw(1), raw(2)], []);
    let ready = ready.queue("rust").await.unwrap();
    assert_eq!(ready.get(PATIENCE).await.unwrap(), 3);
    // Siding's own client makes what its queues are bound to.
    let early = tasks.send_task::<i64>("rust.add", vec![raw(1), raw(2)], []);
    let early = early.exchange(Exchange::topic("media"), "media.any.new");
    early.await.unwrap();
    space.await_ready("rust-new", 1).await;
    let sent = script(
        &space,
        version,
        "
app.conf.task_routes = {}
media, shop = Exchange('media', type='topic'), Exchange('shop', type='direct')
send = lambda exchange, key: app.send_task('rust.add', (2, 3), exchange=exchange, routing_key=key)
step = signature('rust.add', (10,)).set(exchange='media', routing_key='media.rust.step')
lost = signature('rust.add', (1, 2)).set(queue='rust') | signature('rust.add', (3,)).set(exchange='nowhere', routing_key='x')
out = [
    send(media, 'media.rust.a.b').get(timeout=20),
    send(shop, 'rust').get(timeout=20),
    (signature('rust.add', (1, 2)).set(queue='rust') | step).apply_async().get(timeout=20),
    lost.apply_async().parent.get(timeout=20),
]
",
    );
    assert_eq!(sent.await, json!([5, 5, 13, 3]));
    worker.stop().await;
    for queue in ["rust", "rust-videos", "rust-new"] {
        delete(&space.direct, queue).await;
    }
}

#[test]
fn all_workers_of_celery_5_7_and_siding_run_a_broadcast() {
    beside("5.7", |space| broadcasts(space, "5.7"));
}

#[test]
fn all_workers_of_celery_5_4_and_siding_run_a_broadcast() {
    beside("5.4", |space| broadcasts(space, "5.4"));
}

async fn broadcasts(mut space: Space, version: &'static str) {
    space.python_queues = Some(json!(["reload"]));
    space.settings.task_queues = TaskQueues::default().with_broadcast("reload");
    let (tasks, _broker): (Tasks, Arc<Amqp>) = tasks(&space).await;
    let mut heard = hear(&tasks, "py.tell");
    tasks.register("rust.ready", || async {});
    // Nobody need listen.
    let tell = || tasks.send_task::<()>("py.tell", vec![], []).ignore_result();
    tell().broadcast("reload").await.unwrap();
    let [_one, _two] = [
        PythonWorker::start_with(&space, version, &["--queues=reload", "--hostname=one@%h"]).await,
        PythonWorker::start_with(&space, version, &["--queues=reload", "--hostname=two@%h"]).await,
    ];
    let worker = worker(&tasks, &["reload", "rust"]);
    let ready = tasks.send_task::<()>("rust.ready", vec![], []);
    ready
        .queue("rust")
        .await
        .unwrap()
        .get(PATIENCE)
        .await
        .unwrap();
    tell().broadcast("reload").await.unwrap();
    check_heard(&mut heard, 3).await;
    tell().queue("reload").await.unwrap();
    check_heard(&mut heard, 3).await;
    let sent = "out = app.send_task('py.tell', queue='reload').id";
    script(&space, version, sent).await;
    check_heard(&mut heard, 3).await;
    worker.stop().await;
}
