//! Flower.

use serde_json::json;

use super::{BOTH, beside_a_worker};
use crate::fleet::{Fleet, Process, SOON};

/// Flower, when it serves, and where.
async fn flower(fleet: &Fleet) -> (Process, String) {
    let arguments = [
        "-u",
        "-m",
        "celery",
        "-A",
        "app",
        "flower",
        "--address=127.0.0.1",
        "--port=0",
    ];
    let mut flower = fleet.python(&arguments);
    let url = flower.hear(|line| {
        Some(
            line.split_once("Visit me at ")?
                .1
                .trim()
                .trim_end_matches('/')
                .to_owned(),
        )
    });
    let url = tokio::time::timeout(SOON, url)
        .await
        .expect("Flower starts");
    (flower, url)
}

#[test]
fn flower_shows_and_steers_our_worker() {
    for over in BOTH {
        beside_a_worker(
            over,
            "5.7",
            |worker| worker,
            async |fleet, mut commander| {
                let (_flower, url) = flower(&fleet).await;
                let script = format!(
                    r#"
            import time, urllib.request
            app.url = {url:?}
            def get(path, data=None):
                with urllib.request.urlopen(app.url + path, data, timeout=20) as answer:
                    assert answer.status == 200, path
                    return answer.read().decode()
            app.get = get
            def until(path, wanted):
                deadline = time.monotonic() + 20
                while not wanted(page := get(path)):
                    assert time.monotonic() < deadline, (path, page)
                    time.sleep(0.05)
                return page
            app.until = until
            worker = json.loads(get("/api/workers?refresh=true"))["rust@test"]
            until("/workers?json=1", lambda page: any(
                worker["hostname"] == "rust@test" and worker["status"] for worker in json.loads(page)["data"]))
            out = [worker["active_queues"][0]["name"], worker["registered"], worker["stats"]["pool"]["implementation"]]
            "#
                );
                let expected = json!([
                    "rust",
                    ["rust.double", "rust.endless", "rust.fail"],
                    "siding_runtime:Lanes"
                ]);
                assert_eq!(commander.0.run(&script).await, expected);

                // It enables events itself, when it finds them off.
                commander.asked(&["control", "enable_events"]).await;
                let done = commander.send("rust.double", "(2,), queue='rust'").await;
                let runs = commander.send("rust.endless", "queue='rust'").await;
                let script = format!(
                    r#"
            def state(id, wanted):
                return lambda page: json.loads(page).get(id, {{}}).get("state") == wanted
            tasks = json.loads(app.until("/api/tasks", state({done:?}, "SUCCESS")))
            out = [tasks[{done:?}]["name"], tasks[{done:?}]["result"], tasks[{done:?}]["worker"]]
            assert "rust.double" in app.get("/task/{done}")
            page = app.get("/worker/rust@test")
            for text in ["runtime:Lanes", "rust.double", "lease"]:
                assert text in page, (text, page)
            app.until("/api/tasks", state({runs:?}, "STARTED"))
            app.get("/api/task/revoke/{runs}?terminate=true", b"")
            app.until("/api/tasks", state({runs:?}, "REVOKED"))
            for command in ["pool/grow/rust@test?n=1", "queue/add-consumer/rust@test?queue=more"]:
                app.get("/api/worker/" + command, b"")
            app.until("/api/workers?refresh=true", lambda page: [
                queue["name"] for queue in json.loads(page)["rust@test"]["active_queues"]] == ["rust", "more"])
            metrics = app.get("/metrics")
            for line in ['flower_worker_online{{worker="rust@test"}} 1.0',
                         'flower_events_total{{task="rust.double",type="task-succeeded",worker="rust@test"}} 1.0']:
                assert line in metrics, metrics
            "#
                );
                assert_eq!(
                    commander.0.run(&script).await,
                    json!(["rust.double", "4", "rust@test"])
                );
            },
        );
    }
}
