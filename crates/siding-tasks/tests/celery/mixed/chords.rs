//! Chords whose parts end in workers of two versions of Celery and of Siding.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::marks::Marks;
use crate::fleet::{Client, Fleet, PythonWorker, Running, SOON};
use crate::redis::support::eventually;

/// The workers, whose queues have these names.
const NEW: &str = "new";
const OLD: &str = "old";
const RUST: &str = "rust";

#[test]
fn workers_of_two_versions_and_of_siding_count_together() {
    Fleet::on_redis("5.7", |fleet| async move {
        let mut band = Band::start(fleet).await;
        for order in [[OLD, RUST, NEW], [RUST, NEW, OLD], [NEW, OLD, RUST]] {
            band.the_last_to_end_sends_the_body(order).await;
        }
        for (twice, last) in [(RUST, OLD), (RUST, NEW), (NEW, OLD), (NEW, RUST)] {
            band.a_part_that_runs_twice_counts_once(twice, last).await;
        }
        for failing in [NEW, OLD, RUST] {
            band.a_part_that_fails_fails_the_chord(failing).await;
        }
        band.end().await;
    });
}

struct Band {
    fleet: Arc<Fleet>,
    marks: Marks,
    client: Client,
    new: PythonWorker,
    old: PythonWorker,
    rust: Running,
    /// How often a part ran that says this number.
    parts: Arc<AtomicUsize>,
    /// How often a body ran, and how often one should have.
    bodies: Arc<AtomicUsize>,
    expected: usize,
}

impl Band {
    async fn start(fleet: Arc<Fleet>) -> Self {
        let marks = Marks::of(&fleet.space);
        marks.register(&fleet.tasks);
        let (parts, bodies) = (Arc::default(), Arc::default());
        counting(&fleet, &parts, &bodies);
        let python = |queue| ["--pool=threads", "--concurrency=4", "-Q", queue, "-n"];
        let new = [&python(NEW)[..], &["new@test"]].concat();
        let old = [&python(OLD)[..], &["old@test"]].concat();
        Self {
            new: fleet.python_worker(&new).await,
            old: fleet.python_worker_of("5.4", &old).await,
            rust: Running::start(fleet.worker()),
            client: fleet.client(),
            marks,
            fleet,
            parts,
            bodies,
            expected: 0,
        }
    }

    /// Sends a chord of these parts, and returns the id of its header.
    async fn send(&mut self, header: &str) -> String {
        let script = format!(
            "
            app.chord = chord({header}, signature('rust.gather', queue='rust')).apply_async()
            out = app.chord.parent.id
        "
        );
        self.expected += 1;
        serde_json::from_value(self.client.run(&script).await).unwrap()
    }

    async fn result(&mut self) -> Value {
        self.client.run("out = get(app.chord)").await
    }

    /// Waits until so many parts have been counted.
    async fn counted(&mut self, group: &str, parts: usize) {
        let script = format!(
            "
            key = app.backend.get_key_for_group('{group}', '.j')
            while app.backend.client.zcard(key) < {parts}:
                time.sleep(0.005)
            out = app.backend.client.zcard(key)
        "
        );
        assert_eq!(self.client.run(&script).await, json!(parts));
    }

    async fn the_last_to_end_sends_the_body(&mut self, order: [&str; 3]) {
        let header = order
            .iter()
            .enumerate()
            .map(|(number, queue)| hold(number, queue));
        let header = header.collect::<Vec<_>>().join(", ");
        let group = self.send(&format!("[{header}]")).await;
        for _ in order {
            self.marks.began().await;
        }
        for (number, worker) in order.into_iter().enumerate() {
            if number > 0 {
                self.counted(&group, number).await;
            }
            self.marks.let_go(&format!("{worker}@test"), 1).await;
        }
        assert_eq!(self.result().await, json!([0, 1, 2]));
    }

    /// The part has another result each time. The chord would be complete if it counted twice, but for the last part.
    async fn a_part_that_runs_twice_counts_once(&mut self, twice: &str, last: &str) {
        let task = match twice {
            RUST => "rust.number",
            _ => "app.started_at",
        };
        let parts = format!("[signature('{task}', queue='spare'), {}]", hold(7, last));
        self.send(&parts).await;
        self.marks.began().await;
        let before = self.parts.load(Ordering::SeqCst);
        let id = self.deliver_twice(twice);
        self.ran_twice(twice, &id, before).await;
        let state = self.client.run("out = app.chord.state").await;
        assert_eq!(state, json!("PENDING"));
        self.marks.let_go(&format!("{last}@test"), 1).await;
        let results = self.result().await;
        assert_eq!(
            (results.as_array().unwrap().len(), &results[1]),
            (2, &json!(7))
        );
    }

    /// Puts two copies of what waits in a queue that nobody serves into one that somebody does. Returns the task's id.
    fn deliver_twice(&self, queue: &str) -> String {
        let space = &self.fleet.space;
        let text: String = space.ask("RPOP", "spare", &[]);
        let mut message: Value = serde_json::from_str(&text).unwrap();
        for _ in 0..2 {
            let properties = &mut message["properties"];
            properties["delivery_tag"] = json!(uuid::Uuid::new_v4().to_string());
            properties["delivery_info"]["routing_key"] = json!(queue);
            let _: u64 = space.ask("LPUSH", queue, &[&message.to_string()]);
        }
        message["headers"]["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the worker is done with both.
    async fn ran_twice(&mut self, worker: &str, id: &str, before: usize) {
        if worker == NEW {
            for _ in 0..2 {
                self.new.says(&format!("[{id}] succeeded")).await;
            }
            return;
        }
        let ended = eventually(|| async {
            let ran = self.parts.load(Ordering::SeqCst) == before + 2;
            let held: u64 = self.fleet.space.ask("HLEN", "unacked", &[]);
            (ran && held == 0).then_some(())
        });
        tokio::time::timeout(SOON, ended).await.unwrap();
    }

    async fn a_part_that_fails_fails_the_chord(&mut self, failing: &str) {
        let parts = [NEW, OLD, RUST].map(|queue| {
            let language = if queue == RUST { "rust" } else { "app" };
            let call = match queue == failing {
                true => "fail', ('no',)",
                false => "add', (1, 1)",
            };
            format!("signature('{language}.{call}, queue='{queue}')")
        });
        self.send(&format!("[{}]", parts.join(", "))).await;
        self.expected -= 1;
        let shown = self
            .client
            .run("out = repr(get(app.chord, propagate=False))");
        let shown = shown.await.as_str().unwrap().to_owned();
        assert!(
            shown.starts_with("ChordError(") && shown.contains("raised ValueError('no')"),
            "{shown}"
        );
    }

    /// Ends all workers: whatever they had to send is sent.
    async fn end(self) {
        for python in [self.new, self.old] {
            python.terminate();
            python.ended().await;
        }
        eventually(|| async { (self.fleet.space.waiting(RUST).await == 0).then_some(()) }).await;
        self.rust.stop().await;
        assert_eq!(self.bodies.load(Ordering::SeqCst), self.expected);
        self.marks.clear().await;
        assert_eq!(self.fleet.space.lasting_keys(), Vec::<String>::new());
    }
}

/// A part that ends when it is let go.
fn hold(number: usize, queue: &str) -> String {
    format!("signature('mixed.hold', ({number},), queue='{queue}')")
}

/// The parts and the bodies that Siding runs.
fn counting(fleet: &Fleet, parts: &Arc<AtomicUsize>, bodies: &Arc<AtomicUsize>) {
    let parts = Arc::clone(parts);
    fleet.tasks.register("rust.number", move || {
        let number = parts.fetch_add(1, Ordering::SeqCst);
        async move { number }
    });
    let bodies = Arc::clone(bodies);
    fleet
        .tasks
        .register("rust.gather", move |results: Vec<Value>| {
            bodies.fetch_add(1, Ordering::SeqCst);
            async move { results }
        });
    fleet
        .tasks
        .register("rust.add", async |x: u64, y: u64| x + y);
    fleet.tasks.register("rust.fail", async |message: String| {
        Err::<(), _>(siding_tasks::TaskError::new(message).named("ValueError"))
    });
}
