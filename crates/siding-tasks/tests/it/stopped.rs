//! A worker that is stopped by a signal, and goes on after somebody else has done its work.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use siding_runtime::{Builder, Runtime};
use siding_tasks::{Broker, Embedded, ListFilter, State, Tasks};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::processes::{open, say, start};
use crate::support::PATIENCE;
use crate::tasks::faulty::{Asked, Faults, Faulty};

/// Of the worker that is stopped; the test waits for its end once.
const LEASE: Duration = Duration::from_millis(500);

fn runtime() -> Runtime {
    Builder::new().event_loop_threads(1).build().unwrap()
}

/// The process that is stopped: a worker that says what became of the first thing that it settles.
pub(crate) fn worker(dir: &Path) {
    let tasks = Tasks::new();
    let _first = tasks.register("first", |_: u32| {
        say("began");
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).unwrap();
        1
    });
    let _second = tasks.register("second", |n: u32| {
        say("second");
        n
    });
    let (asked, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let faults = Arc::new(Faults::default());
    tasks.connect(Arc::new(Faulty {
        inner: Arc::new(open(dir)),
        faults: Arc::clone(&faults),
        asked,
    }));
    runtime().block_on(async {
        // It is to settle before it hears that it should not.
        let losing = faults.losing.lock().await;
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = tasks.worker().lease(LEASE);
        let worker = siding_runtime::spawn(worker.run(async { drop(stopped.await) }));
        let settled = loop {
            if let Asked::Settle(_, settled) = requests.recv().await.unwrap() {
                break settled;
            }
        };
        say(&format!("{settled:?}"));
        drop((losing, stop));
        worker.await.unwrap().unwrap();
    });
}

/// Stops the process, at a moment when it does not hold the store's lock: nobody could write until it went on.
fn stop(pid: Pid, dir: &Path) {
    let store = rusqlite::Connection::open(dir.join("tasks.db")).unwrap();
    store.busy_timeout(PATIENCE).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(status.stopped());
    store.execute_batch("ROLLBACK").unwrap();
}

/// The chain's tasks as this process runs them, and how often it ran them.
struct Chain {
    tasks: Tasks,
    ran: [Arc<AtomicUsize>; 2],
}

impl Chain {
    fn register(store: &Arc<Embedded>) -> (Self, siding_tasks::Canvas<u32>) {
        let tasks = Tasks::new();
        let ran: [Arc<AtomicUsize>; 2] = Default::default();
        let counted = |place: usize| {
            let ran = Arc::clone(&ran[place]);
            move |n: u32| {
                ran.fetch_add(1, Ordering::SeqCst);
                n + 40
            }
        };
        let first = tasks.register("first", counted(0));
        let second = tasks.register("second", counted(1));
        tasks.connect(Arc::clone(store) as Arc<dyn Broker>);
        (Self { tasks, ran }, first.s((2,)) | second.s(()))
    }

    fn ran(&self) -> [usize; 2] {
        [0, 1].map(|place: usize| self.ran[place].load(Ordering::SeqCst))
    }
}

#[test]
fn a_worker_that_was_stopped_past_its_lease_is_refused() {
    let dir = TempDir::new().unwrap();
    let store = Arc::new(open(dir.path()));
    let (chain, canvas) = Chain::register(&store);
    let (mut child, mut lines) = start("stopped", dir.path());
    let pid = Pid::from_child(&child);
    let mut input = child.stdin.take().unwrap();
    runtime().block_on(async {
        let result = canvas.delay().await.unwrap();
        assert_eq!(lines.next().as_deref(), Some("began"));
        stop(pid, dir.path());
        let (end, ended) = oneshot::channel::<()>();
        let worker = chain.tasks.worker().run(async { drop(ended.await) });
        let worker = siding_runtime::spawn(worker);
        // It waits for the end of the other's lease.
        assert_eq!(result.get(PATIENCE).await.unwrap(), 82);
        drop(end);
        worker.await.unwrap().unwrap();
        writeln!(input, "go on").unwrap();
        kill_process(pid, Signal::CONT).unwrap();
        assert_eq!(lines.next().as_deref(), Some("Ok(Refused)"));
        assert_eq!(lines.next(), None, "it ran nothing else");
        assert!(child.wait().unwrap().success());
        assert_eq!(chain.ran(), [1, 1]);
        let filter = ListFilter {
            limit: 9,
            ..ListFilter::default()
        };
        let listed = store.list(filter).await.unwrap();
        let ends = listed.iter().map(|one| {
            let result = one.meta.result.as_ref().unwrap();
            (one.meta.state, result.get(), one.deliveries)
        });
        let expected = [(State::Success, "82", 1), (State::Success, "42", 2)];
        assert_eq!(ends.collect::<Vec<_>>(), expected);
    });
}
