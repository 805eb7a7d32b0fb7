//! What the embedded store does in a second, and how long one has to wait for it: `just bench-store`.
//!
//! The figures are those of the disk that the temporary directory is on; `TMPDIR` chooses another.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails is to stop")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use siding_tasks::{
    Broker as _, ClaimRequest, Embedded, EmbeddedSettings, Enqueue, Message, Quota, RawJson,
    Settled, Settlement, Timestamp,
};
use tempfile::TempDir;

const WORKER: &str = "--worker=";

#[tokio::main]
async fn main() {
    if let Some(dir) = std::env::args().find_map(|arg| arg.strip_prefix(WORKER).map(String::from)) {
        return serve(Path::new(&dir)).await;
    }
    enqueue_rates().await;
    claim_rates().await;
    claim_latencies().await;
    wake_up().await;
}

fn open(dir: &Path) -> Arc<Embedded> {
    Arc::new(Embedded::open(dir, EmbeddedSettings::default()).unwrap())
}

fn call() -> Message {
    let mut message = Message::new("bench.noop");
    message.args = vec![RawJson::of(&42).unwrap()];
    message
}

async fn send(store: &Embedded, messages: Vec<Message>) {
    let chords = Vec::new();
    store.enqueue(Enqueue { messages, chords }).await.unwrap();
}

/// The tasks of a lane that has no free slot.
const HELD_UP: &str = "bench.held_up";

async fn claim(store: &Embedded, limit: usize) -> Vec<siding_tasks::Delivery> {
    let held_up = Quota {
        tasks: vec![HELD_UP.to_owned()],
        limit: 0,
    };
    let request = ClaimRequest {
        worker: "bench@here".to_owned(),
        queues: vec![Message::DEFAULT_QUEUE.to_owned()],
        limit,
        known: None,
        quotas: vec![held_up],
        lease: Duration::from_secs(60),
    };
    store.claim(request).await.unwrap().deliveries
}

async fn settle(store: &Embedded, delivery: siding_tasks::Delivery, result: RawJson) {
    let settlement = Settlement::Success {
        result,
        children: Vec::new(),
        successors: Enqueue::default(),
    };
    let settled = store.settle(delivery.lease, settlement).await.unwrap();
    assert_eq!(settled, Settled::Done);
}

/// How often `callers` tasks finish `step` in a second, all together.
async fn rate<F, S>(callers: usize, store: &Arc<Embedded>, step: S) -> f64
where
    F: Future<Output = bool> + Send + 'static,
    S: Fn(Arc<Embedded>) -> F + Clone + Send + 'static,
{
    const TIME: Duration = Duration::from_secs(2);
    let begun = Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (store, step) = (Arc::clone(store), step.clone());
        all.spawn(async move {
            let mut done = 0_u32;
            while begun.elapsed() < TIME && step(Arc::clone(&store)).await {
                done += 1;
            }
            done
        });
    }
    let done = all.join_all().await.into_iter().map(f64::from).sum::<f64>();
    done / begun.elapsed().as_secs_f64()
}

/// Rounds in which one caller and many take turns: a disk's speed drifts by more than what is to be seen.
const ROUNDS: usize = 7;

async fn enqueue_rates() {
    const CALLERS: [usize; 4] = [1, 10, 100, 1_000];
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut rates = [0.0; CALLERS.len()];
        for (rate, callers) in rates.iter_mut().zip(CALLERS) {
            *rate = enqueue_rate(callers).await;
        }
        rounds.push(rates);
    }
    for (place, callers) in CALLERS.into_iter().enumerate() {
        let rate = median(rounds.iter().map(|rates| rates[place]));
        let ratio = median(rounds.iter().map(|rates| rates[place] / rates[0]));
        println!(
            "enqueue, {callers:>4} callers: {rate:>8.0}/s, {ratio:.1} times one caller (medians of {ROUNDS})"
        );
    }
}

async fn enqueue_rate(callers: usize) -> f64 {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let rate = rate(callers, &store, |store| async move {
        send(&store, vec![call()]).await;
        true
    });
    let rate = rate.await;
    store.close().await;
    rate
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

async fn claim_rates() {
    for (workers, limit) in [(1, 1), (100, 1), (20, 20)] {
        let dir = TempDir::new().unwrap();
        let store = open(dir.path());
        for _ in 0..200 {
            send(&store, (0..1_000).map(|_| call()).collect()).await;
        }
        let rate = rate(workers, &store, move |store| async move {
            let deliveries = claim(&store, limit).await;
            assert_eq!(deliveries.len(), limit, "too few tasks for this machine");
            let mut settling = tokio::task::JoinSet::new();
            for delivery in deliveries {
                let store = Arc::clone(&store);
                settling.spawn(async move { settle(&store, delivery, RawJson::null()).await });
            }
            settling.join_all().await;
            true
        })
        .await;
        let tasks = rate * f64::from(u32::try_from(limit).unwrap());
        println!(
            "claim and settle, {workers:>3} workers that claim {limit:>2} at once: {tasks:>8.0} tasks/s"
        );
        store.close().await;
    }
}

async fn claim_latencies() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    claim_latency(&store, "with an empty store").await;
    let eta = Some(Timestamp::now().after(Duration::from_secs(86_400)));
    for _ in 0..100 {
        let later = || Message { eta, ..call() };
        send(&store, (0..1_000).map(|_| later()).collect()).await;
    }
    claim_latency(&store, "beside 100 000 tasks with an eta to come").await;
    for _ in 0..100 {
        let held_up = || Message {
            task: HELD_UP.to_owned(),
            ..call()
        };
        send(&store, (0..1_000).map(|_| held_up()).collect()).await;
    }
    claim_latency(&store, "beside 100 000 due tasks of a full lane as well").await;
    let begun = Instant::now();
    finish_a_million(dir.path());
    println!(
        "(a million finished tasks made in {:.0} s)",
        begun.elapsed().as_secs_f64()
    );
    claim_latency(&store, "beside 1 000 000 finished tasks as well").await;
    let begun = Instant::now();
    store.overview().await.unwrap();
    println!(
        "overview of them: {:.0} ms",
        begun.elapsed().as_secs_f64() * 1e3
    );
}

async fn claim_latency(store: &Embedded, when: &str) {
    let (mut claims, mut settles) = (Vec::new(), Vec::new());
    for _ in 0..1_000 {
        send(store, vec![call()]).await;
        let begun = Instant::now();
        let delivery = claim(store, 1).await.remove(0);
        claims.push(begun.elapsed());
        let begun = Instant::now();
        settle(store, delivery, RawJson::null()).await;
        settles.push(begun.elapsed());
    }
    println!("claim {when}: {}", percentiles(claims));
    println!("settle {when}: {}", percentiles(settles));
}

fn finish_a_million(dir: &Path) {
    let conn = rusqlite::Connection::open(dir.join("tasks.db")).unwrap();
    conn.busy_timeout(Duration::from_secs(60)).unwrap();
    conn.execute_batch(
        "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 1000000)
         INSERT INTO done (seq, id, task, queue, priority, sent_at, state, done_at, keep_until, result, retries, deliveries)
         SELECT -n, lower(hex(randomblob(16))), 'bench.noop', 'celery', 0, 0, 'SUCCESS', 0, 9000000000000, 'null', 0, 1
         FROM n",
    )
    .unwrap();
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        times[index.min(times.len() - 1)].as_secs_f64() * 1e3
    };
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    )
}

fn micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_micros()).unwrap()
}

/// Sends tasks one by one to a worker in another process, which says how long each was on its way.
async fn wake_up() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let program = std::env::current_exe().unwrap();
    let mut worker = Command::new(program)
        .arg(format!("{WORKER}{}", dir.path().display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (mut there, mut back) = (Vec::new(), Vec::new());
    for number in 0..1_100 {
        let mut message = call();
        let id = message.id.clone();
        let begun = Instant::now();
        message.args = vec![RawJson::of(&micros()).unwrap()];
        send(&store, vec![message]).await;
        let meta = store.finished(id).await.unwrap();
        // The first ones wait for the other process to start.
        if number >= 100 {
            there.push(Duration::from_micros(meta.result.unwrap().read().unwrap()));
            back.push(begun.elapsed());
        }
    }
    worker.kill().unwrap();
    worker.wait().unwrap();
    println!(
        "enqueue to claim in another process: {}",
        percentiles(there)
    );
    println!("enqueue to result, there and back: {}", percentiles(back));
}

async fn serve(dir: &Path) {
    let store = open(dir);
    loop {
        let changed = store.changed();
        let deliveries = claim(&store, 10).await;
        if deliveries.is_empty() {
            changed.await;
        }
        for delivery in deliveries {
            let sent = delivery.message.args[0].read::<u64>().unwrap();
            let on_its_way = RawJson::of(&micros().saturating_sub(sent)).unwrap();
            settle(&store, delivery, on_its_way).await;
        }
    }
}
