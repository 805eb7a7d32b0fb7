//! Celery's own workers and clients on the same server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use siding_tasks::{
    Amqp, Broker, GetError, Priority, RawJson, RedisSettings, ResultBackend, Revocation, TaskError,
    Tasks, Timestamp, chain,
};
use tokio::sync::oneshot;

use super::support::*;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The Python that has this version of Celery.
pub(super) fn python(version: &str) -> PathBuf {
    let directory = std::env::var_os("SIDING_PYTHON_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/celery"),
        PathBuf::from,
    );
    directory.join(version).join("bin/python")
}

fn peer(space: &Space, version: &str) -> Command {
    let mut command = Command::new(python(version));
    let host = &space.settings.url.virtual_host;
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/celery/amqp"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env(
            "SIDING_TEST_BROKER",
            format!("amqp://guest:guest@127.0.0.1:5672/{host}"),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if let Some(backend) = &space.backend {
        command.env("SIDING_TEST_BACKEND", backend);
    }
    if let Some(queues) = &space.python_queues {
        command.env("SIDING_TEST_QUEUES", queues.to_string());
    }
    command
}

/// Runs a script of Celery, and returns what it leaves in `out`.
pub(crate) async fn script(space: &Space, version: &str, script: &str) -> Value {
    let mut command = peer(space, version);
    let script = script.to_owned();
    let run = tokio::task::spawn_blocking(move || {
        let mut child = command.arg("peer.py").spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(script.as_bytes()).unwrap();
        drop(input);
        child.wait_with_output().unwrap()
    });
    let run = run.await.unwrap();
    assert!(run.status.success(), "the script failed");
    serde_json::from_slice(&run.stdout).unwrap()
}

/// A worker of Celery. It is killed when this is dropped.
pub(crate) struct PythonWorker(Child);

impl PythonWorker {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(space: &Space, version: &str) -> Self {
        Self::start_with(space, version, &[]).await
    }

    /// The same with more options of `celery worker`.
    pub(crate) async fn start_with(space: &Space, version: &str, options: &[&str]) -> Self {
        let mut command = peer(space, version);
        command
            .args([
                "-m",
                "celery",
                "-A",
                "peer",
                "worker",
                "--pool=solo",
                "--loglevel=INFO",
            ])
            .args(options)
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = child.stderr.take().unwrap();
        let (tell, ready) = oneshot::channel();
        std::thread::spawn(move || {
            let mut tell = Some(tell);
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                if line.trim_end().ends_with(" ready.")
                    && let Some(tell) = tell.take()
                {
                    let _ = tell.send(());
                }
                eprintln!("{line}");
            }
        });
        let worker = Self(child);
        tokio::time::timeout(PATIENCE, ready)
            .await
            .unwrap()
            .unwrap();
        worker
    }
}

impl Drop for PythonWorker {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Runs `test` in a virtual host of its own, on a Siding runtime, beside Celery of `version`.
pub(crate) fn beside<F: Future<Output = ()>>(version: &str, test: impl FnOnce(Space) -> F) {
    let python = python(version);
    if !python.exists() {
        return leave_out(&format!(
            "there is no {}; `just celery-venvs` makes it",
            python.display()
        ));
    }
    Space::with_host_on_siding(test);
}

pub(crate) async fn tasks(space: &Space) -> (Tasks, Arc<Amqp>) {
    let tasks = Tasks::new();
    let broker = Arc::new(match &space.backend {
        Some(backend) => {
            let siding_tasks::BackendUrl::Redis(url) = backend.parse().unwrap() else {
                panic!("a URL of Redis");
            };
            let results = ResultBackend::Redis(Box::new(RedisSettings::new(url)));
            Amqp::connect_with(space.settings.clone(), results)
                .await
                .unwrap()
        }
        None => space.connect().await,
    });
    tasks.connect(Arc::clone(&broker) as Arc<dyn Broker>);
    (tasks, broker)
}

pub(crate) fn raw(value: impl serde::Serialize) -> RawJson {
    RawJson::of(&value).unwrap()
}

#[test]
fn python_5_7_runs_what_siding_sends() {
    beside("5.7", |space| python_runs(space, "5.7"));
}

#[test]
fn python_5_4_runs_what_siding_sends() {
    beside("5.4", |space| python_runs(space, "5.4"));
}

async fn python_runs(space: Space, version: &'static str) {
    let _worker = PythonWorker::start(&space, version).await;
    let (tasks, _broker) = tasks(&space).await;
    let args = || vec![raw(2), raw(3)];
    let sum = tasks.send_task::<i64>("py.add", args(), []).await.unwrap();
    assert_eq!(sum.get(PATIENCE).await.unwrap(), 5);
    let urgent = tasks
        .send_task::<Value>("py.about", vec![], [])
        .priority(Priority::new(7).unwrap())
        .await
        .unwrap();
    let about = urgent.get(PATIENCE).await.unwrap();
    assert_eq!(
        (&about["priority"], &about["routing_key"]),
        (&json!(7), &json!("celery"))
    );
    let failed = tasks
        .send_task::<i64>("py.fail", vec![raw("no")], [])
        .await
        .unwrap();
    let Err(GetError::Failed { exception, .. }) = failed.get(PATIENCE).await else {
        panic!("it failed");
    };
    assert_eq!(
        (&*exception.exc_type, &*exception.message),
        ("ValueError", "no")
    );
    // What follows runs in the Python worker, and its result comes here, too.
    let add = |args: Vec<RawJson>| tasks.signature::<i64>("py.add", args, []);
    let sums = chain([add(args()), add(vec![raw(10)]), add(vec![raw(100)])]);
    let sum = sums.delay().await.unwrap();
    assert_eq!(sum.get(PATIENCE).await.unwrap(), 115);
    let before = Timestamp::now();
    let soon = tasks
        .send_task::<i64>("py.add", args(), [])
        .countdown(Duration::from_millis(1_500))
        .await
        .unwrap();
    assert_eq!(soon.get(PATIENCE).await.unwrap(), 5);
    assert!(Timestamp::now().since(before) >= Duration::from_millis(1_500));
    let far = tasks
        .send_task::<i64>("py.add", args(), [])
        .countdown(Duration::from_secs(8))
        .await
        .unwrap();
    far.revoke(Revocation::Terminate).await.unwrap();
    let revoked = far.get(PATIENCE).await;
    assert!(
        matches!(revoked, Err(GetError::Revoked { .. })),
        "{revoked:?}"
    );
}

/// The tasks that Python calls.
fn register(tasks: &Tasks) {
    let _ = tasks
        .register("rust.add", |x: i64, y: i64| async move { x + y })
        .arguments(["x", "y"]);
    tasks.register("rust.total", |numbers: Vec<i64>| async move {
        numbers.into_iter().sum::<i64>()
    });
    tasks.register("rust.fail", |message: String| async move {
        Err::<(), _>(TaskError::new(message).named("ValueError"))
    });
}

/// Runs `test` beside a worker of Siding.
async fn with_worker(tasks: &Tasks, test: impl Future<Output = ()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = tasks.worker().name("rust").queues(["rust"]);
    let worker = siding_runtime::spawn(worker.run(async { drop(stopped.await) }));
    test.await;
    drop(stop);
    worker.await.unwrap().unwrap();
}

#[test]
fn siding_runs_what_python_5_7_sends() {
    beside("5.7", |space| siding_runs(space, "5.7"));
}

#[test]
fn siding_runs_what_python_5_4_sends() {
    beside("5.4", |space| siding_runs(space, "5.4"));
}

async fn siding_runs(space: Space, version: &'static str) {
    let (tasks, _broker) = tasks(&space).await;
    register(&tasks);
    let script = script(
        &space,
        version,
        "
# What follows a task is routed by who runs that: it has to say its queue.
add = signature('rust.add').set(queue='rust')
def caught(result):
    try:
        return result.get(timeout=20)
    except Exception as error:
        return [type(error).__name__, str(error), result.state]
later = add.apply_async((1, 1), countdown=9)
app.control.revoke(later.id)
out = [
    add.delay(1, 2).get(timeout=20),
    add.apply_async((1,), {'y': 5}, priority=9, expires=60, countdown=1).get(timeout=20),
    add.apply_async((2, 2), compression='gzip').get(timeout=20),
    group(add.clone((n, n)) for n in range(20)).apply_async().get(timeout=20),
    caught(app.send_task('rust.fail', ('no',))),
    caught(app.send_task('rust.unknown')),
    chain(add.clone((1, 2)), add.clone((10,)), add.clone((100,))).apply_async().get(timeout=20),
    caught(later),
]
",
    );
    let test = async {
        let out = script.await;
        let doubles: Vec<_> = (0..20).map(|n| 2 * n).collect();
        assert_eq!(out[0], 3);
        assert_eq!(out[1], 6);
        assert_eq!(out[2], 4);
        assert_eq!(out[3], json!(doubles));
        assert_eq!(out[4], json!(["ValueError", "no", "FAILURE"]));
        assert_eq!(out[5][0], "NotRegistered");
        assert_eq!(out[6], 113);
        assert_eq!(out[7], json!(["TaskRevokedError", "revoked", "REVOKED"]));
    };
    with_worker(&tasks, test).await;
}

/// Parts of a chord in both languages, counted in Redis.
#[test]
fn chords_are_counted_in_redis() {
    beside("5.7", |mut space| async move {
        space.backend = Some("redis://127.0.0.1:6379/7".to_owned());
        // Whoever counts the last part sends the body.
        space.settings.routes = "rust.*=rust".parse().unwrap();
        let (tasks, _broker) = tasks(&space).await;
        register(&tasks);
        let _worker = PythonWorker::start(&space, "5.7").await;
        let script = script(
            &space,
            "5.7",
            "
parts = [signature('rust.add', (1, 2)), add.s(3, 4), signature('rust.add', (5, 6)), add.s(7, 8)]
chord = group(parts) | signature('rust.total')
mixed = chord.apply_async()
out = mixed.get(timeout=20)
mixed.forget()
",
        );
        let test = async { assert_eq!(script.await, 36) };
        with_worker(&tasks, test).await;
    });
}

/// kombu finds the queues and exchanges of delayed delivery as it would make them, and the other way round.
#[test]
fn delayed_delivery_is_kombus() {
    const DECLARE: &str = "
with Connection(URL) as connection:
    delayed.declare_native_delayed_delivery_exchanges_and_queues(connection, 'quorum')
out = 'declared'
";
    beside("5.7", |space| async move {
        let send_later = || async {
            let broker = space.connect().await;
            let mut message = space.message("later");
            message.eta = Some(Timestamp::now().after(Duration::from_secs(100)));
            send(&broker, vec![message]).await;
        };
        send_later().await;
        assert_eq!(script(&space, "5.7", DECLARE).await, "declared");
        assert_eq!(ready(&space.direct, "celery_delayed_6").await, 1);
        for level in 0..28 {
            let name = format!("celery_delayed_{level}");
            delete(&space.direct, &name).await;
            space
                .direct
                .exchange_delete(name.as_str().into(), Default::default())
                .await
                .unwrap();
        }
        assert_eq!(script(&space, "5.7", DECLARE).await, "declared");
        send_later().await;
        assert_eq!(ready(&space.direct, "celery_delayed_6").await, 1);
    });
}

/// A message that Python parks comes to a queue that Siding serves.
#[test]
fn what_python_parks_arrives() {
    beside("5.7", |mut space| async move {
        space.settings.park_beyond = Duration::from_secs(1);
        space.queue = "rust".to_owned();
        let broker = space.connect().await;
        let mut first = space.message("later");
        first.eta = Some(Timestamp::now().after(Duration::from_secs(3_600)));
        // Binds the queue to what Python publishes to.
        send(&broker, vec![first]).await;
        let sent = script(
            &space,
            "5.7",
            "
key = delayed.calculate_routing_key(2, 'rust')
app.conf.task_routes = {}
exchange = Exchange('celery_delayed_27', type='topic')
out = app.send_task('rust.add', (1, 2), countdown=2, exchange=exchange, routing_key=key).id
",
        );
        let sent = sent.await;
        let delivery = space.claim_one(&broker).await;
        assert_eq!(delivery.message.id.as_str(), sent);
        assert_eq!(delivery.message.queue, "rust");
    });
}
