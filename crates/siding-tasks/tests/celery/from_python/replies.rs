//! Results that go back to clients: each to whoever sent the task, and to nobody else.

use std::sync::Arc;

use serde_json::{Value, json};

use super::app;
use crate::fleet::{Client, Fleet, Over, Running};

#[test]
fn each_thread_of_each_client_gets_its_own() {
    Fleet::over(Over::RabbitMq, "5.7", replies);
}

/// Threads of a client, and tasks of each.
const THREADS: usize = 3;
const CALLS: usize = 10;

async fn replies(fleet: Arc<Fleet>) {
    let marks = app::register(&fleet);
    let mut clients = [fleet.client(), fleet.client()];
    for (number, client) in clients.iter_mut().enumerate() {
        send(client, number).await;
    }
    // Its result finds nobody.
    let mut gone = fleet.client();
    gone.run("app.send_task('rust.count')").await;
    drop(gone);
    let worker = Running::start(fleet.worker());
    for (number, client) in clients.iter_mut().enumerate() {
        let got = client.run("[thread.join() for thread in app.threads]; out = app.got");
        assert_eq!(got.await, expected(number));
    }
    assert_eq!(marks.runs(), 1);
    let queues = "out = len(set(app.queues))";
    assert_eq!(clients[0].run(queues).await, json!(THREADS));
    worker.stop().await;
}

/// Has each thread send all of its tasks, and then wait for their results, the last first.
async fn send(client: &mut Client, number: usize) {
    let script = format!(
        "
        app.got, app.queues, have_sent = {{}}, [], threading.Barrier({THREADS} + 1)
        def work(thread):
            calls = [f'{number} {{thread}} {{call}}' for call in range({CALLS})]
            sent = [app.send_task('rust.echo', (call,)) for call in calls]
            app.queues.append(app.thread_oid)
            have_sent.wait()
            app.got[str(thread)] = [get(result) for result in reversed(sent)]
        app.threads = [threading.Thread(target=work, args=(thread,), daemon=True) for thread in range({THREADS})]
        [thread.start() for thread in app.threads]
        have_sent.wait()
    "
    );
    client.run(&script).await;
}

fn expected(number: usize) -> Value {
    let of_thread = |thread: usize| -> Vec<_> {
        let calls = (0..CALLS).rev();
        calls
            .map(|call| format!("{number} {thread} {call}"))
            .collect()
    };
    let all = (0..THREADS).map(|thread| (thread.to_string(), json!(of_thread(thread))));
    Value::Object(all.collect())
}
