//! The event that a task was sent, as Celery receives it from Siding and from Python.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use siding_tasks::{TaskError, Timestamp};

use crate::fleet::{Client, Fleet, Over, Running, SOON, Space, args, raw};

#[test]
fn calls_are_told_as_by_python_on_redis() {
    for version in ["5.7", "5.4"] {
        Fleet::open(version, Over::Redis, telling, calls);
    }
}

#[test]
fn calls_are_told_as_by_python_over_rabbitmq() {
    for version in ["5.7", "5.4"] {
        Fleet::open(version, Over::RabbitMq, telling, calls);
    }
}

#[test]
fn what_follows_is_told_as_by_python_on_redis() {
    Fleet::open("5.7", Over::Redis, telling, what_follows);
}

#[test]
fn what_follows_is_told_as_by_python_over_rabbitmq() {
    Fleet::open("5.7", Over::RabbitMq, telling, what_follows);
}

/// Both sides tell what they send, and route it alike.
fn telling(space: &mut Space) {
    space.celery = json!({"task_send_sent_event": true});
    space.settings.routes = "rust.*=rust".parse().unwrap();
}

/// Collects events from now on, in `app.seen`: there is nobody here whose heartbeat would come by itself.
async fn watch(client: &mut Client) {
    let script = r#"
        app.seen = []
        Receiver = app.events.Receiver
        def watch():
            with app.connection_for_read() as connection:
                receiver = Receiver(connection, handlers={"*": app.seen.append})
                receiver.capture(limit=None, timeout=None, wakeup=False)
        threading.Thread(target=watch, daemon=True).start()
        with app.events.default_dispatcher(enabled=True) as dispatcher:
            while not app.seen:
                dispatcher.send("worker-probe")
                time.sleep(0.01)
    "#;
    client.run(script).await;
}

/// All events that a task of this name was sent, the oldest first, once there are as many.
async fn sent(client: &mut Client, task: &str, number: usize) -> Vec<Map<String, Value>> {
    let script = format!(
        r#"
        mine = lambda: [event for event in app.seen if event["type"] == "task-sent" and event["name"] == "{task}"]
        while len(mine()) < {number}:
            time.sleep(0.01)
        out = mine()
        app.seen.clear()
        "#
    );
    let events = client.run(&script).await;
    let events: Vec<Map<String, Value>> = serde_json::from_value(events).unwrap();
    assert_eq!(events.len(), number, "{events:?}");
    events
}

/// What an event says, but for what is of one task, of one process or of one moment.
fn comparable(mut event: Map<String, Value>) -> BTreeMap<String, Value> {
    let hostname = event["hostname"].as_str().unwrap();
    let pid = &event["pid"];
    assert!(hostname.starts_with(&format!("gen{pid}@")), "{hostname}");
    assert!(
        event["timestamp"].is_f64() && event["clock"].is_u64(),
        "{event:?}"
    );
    for name in [
        "uuid",
        "root_id",
        "hostname",
        "pid",
        "timestamp",
        "local_received",
        "clock",
    ] {
        assert!(event.remove(name).is_some(), "no {name} in {event:?}");
    }
    // Celery 5.4 says it in whole hours.
    event["utcoffset"] = json!(event["utcoffset"].as_f64().unwrap());
    event.into_iter().collect()
}

async fn calls(fleet: Arc<Fleet>) {
    fleet.tasks.send_events(true);
    let mut client = fleet.client();
    watch(&mut client).await;
    plain_calls_are_told(&fleet, &mut client).await;
    options_are_told(&fleet, &mut client).await;
    routed_calls_are_told(&fleet, &mut client).await;
    calls_are_dumped(&fleet).await;
}

/// Asserts that Siding's event of a call and Python's say the same.
async fn check_the_same(client: &mut Client, task: &str) {
    let events = sent(client, task, 2).await;
    for event in &events {
        assert_eq!(event["uuid"], event["root_id"]);
    }
    let [one, other] = events.try_into().unwrap();
    assert_eq!(comparable(one), comparable(other));
}

async fn plain_calls_are_told(fleet: &Fleet, client: &mut Client) {
    client.run("add.delay(2, 3)").await;
    let numbers = args([json!(2), json!(3)]);
    let call = fleet.tasks.send_task::<i64>("app.add", numbers, []);
    call.await.unwrap();
    check_the_same(client, "app.add").await;
}

async fn options_are_told(fleet: &Fleet, client: &mut Client) {
    let (eta, expires) = (in_hours(1), in_hours(2));
    let script = format!(
        "
        from datetime import datetime
        at = datetime.fromisoformat
        add.apply_async((2,), {{'y': [1.5, None, 'é', {{'x': True}}]}}, queue='special', priority=3, time_limit=30,
                        eta=at('{eta}'), expires=at('{expires}'))
    "
    );
    client.run(&script).await;
    let named = [("y".to_owned(), raw(json!([1.5, null, "é", {"x": true}])))];
    let call = fleet
        .tasks
        .send_task::<i64>("app.add", args([json!(2)]), named);
    call.queue("special")
        .eta(eta)
        .expires(expires)
        .await
        .unwrap();
    check_the_same(client, "app.add").await;
}

/// A moment that is not a whole second: Python leaves such a fraction out.
fn in_hours(hours: u64) -> Timestamp {
    let now = UNIX_EPOCH.elapsed().unwrap().as_secs();
    let moment = Duration::from_secs(now + 3_600 * hours) + Duration::from_millis(125);
    Timestamp::from(UNIX_EPOCH + moment)
}

/// By the routes of whoever sends them.
async fn routed_calls_are_told(fleet: &Fleet, client: &mut Client) {
    client.run("app.send_task('rust.add', (1, 2))").await;
    let numbers = args([json!(1), json!(2)]);
    let call = fleet.tasks.send_task::<i64>("rust.add", numbers, []);
    call.await.unwrap();
    check_the_same(client, "rust.add").await;
}

async fn calls_are_dumped(fleet: &Fleet) {
    let mut dump = fleet.python(&["-u", "-m", "celery", "-A", "app", "events", "--dump"]);
    dump.hear(|line| line.contains("starting capture").then_some(()))
        .await;
    // It listens from some moment on, and does not say which.
    let told = async {
        loop {
            let call = fleet
                .tasks
                .send_task::<i64>("app.echo", args([json!("é")]), []);
            let id = call.await.unwrap().id().clone();
            let wanted = format!("] task sent: app.echo({id}) args=('é',) kwargs={{}}");
            let said = dump.hear(|line| line.contains(&wanted).then_some(()));
            if tokio::time::timeout(Duration::from_millis(200), said)
                .await
                .is_ok()
            {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, told)
        .await
        .expect("nothing is dumped");
}

/// What a worker sends at the end of a task: whoever watches sees the same of a worker of each kind.
async fn what_follows(fleet: Arc<Fleet>) {
    fleet.tasks.send_events(true);
    fleet
        .tasks
        .register("rust.add", async |x: i64, y: i64| x + y);
    fleet.tasks.register("rust.fail", async |message: String| {
        Err::<(), _>(TaskError::new(message))
    });
    fleet.tasks.register("rust.again", again);
    let worker = Running::start(fleet.worker());
    let _python = fleet.python_worker(&["--pool=solo"]).await;
    let mut client = fleet.client();
    watch(&mut client).await;
    // An errback of one argument is sent by Celery; others it calls.
    for (follows, task) in [
        (
            "chain(s('{}.add', 1, 2), s('app.echo', 10).set(queue='nowhere')).apply_async()",
            "app.echo",
        ),
        (
            "s('{}.add', 1, 2).apply_async(link=s('app.echo').set(queue='nowhere'))",
            "app.echo",
        ),
        (
            "s('{}.fail', 'no').apply_async(link_error=s('app.after_failure').set(queue='nowhere'))",
            "app.after_failure",
        ),
    ] {
        let mut events = Vec::new();
        for language in ["app", "rust"] {
            client.run(&follows.replace("{}", language)).await;
            let [event] = sent(&mut client, task, 1).await.try_into().unwrap();
            let parent = event["parent_id"].clone();
            assert_eq!(event["root_id"], parent);
            let mut event = comparable(event);
            // It is the argument of an errback, too.
            let args = event["args"].as_str().unwrap();
            let args = args.replace(parent.as_str().unwrap(), "the parent");
            event.insert("args".to_owned(), json!(args));
            event.remove("parent_id");
            events.push(event);
        }
        let [python, ours] = events.try_into().unwrap();
        assert_eq!(ours, python, "{follows}");
    }
    client.run("app.send_task('rust.again')").await;
    let mut tries = sent(&mut client, "rust.again", 2).await;
    // They come from two processes, in any order.
    tries.sort_by_key(|event| event["retries"].as_u64());
    let [first, again] = tries.try_into().unwrap();
    assert_eq!(first["uuid"], again["uuid"]);
    assert_eq!(
        (&first["retries"], &again["retries"]),
        (&json!(0), &json!(1))
    );
    assert!(again["eta"].is_string(), "{again:?}");
    worker.stop().await;
}

async fn again() -> Result<(), TaskError> {
    Err(TaskError::new("not yet").retry_in(Duration::from_secs(3_600)))
}
