//! The processes that are killed.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use siding_runtime::Builder;
use siding_tasks::{
    Canvas, Embedded, EmbeddedSettings, SendError, Task, TaskContext, TaskId, Tasks, chord,
};

use super::witness::Witness;

pub(super) const ROLE: &str = "SIDING_CRASH_ROLE";
pub(super) const DIR: &str = "SIDING_CRASH_DIR";
/// What a process says once it begins.
pub(super) const READY: &str = "ready";

/// Long enough that a busy machine does not end the leases of a living process; the test waits for it once.
const LEASE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    SendAndWork,
    Work,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SendAndWork => "send and work",
            Self::Work => "work",
        }
    }
}

/// One line, in one write, so that lines of several processes do not mix and none is held back.
pub(super) fn say(word: &str, id: &TaskId) {
    let line = format!("{word} {id}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

#[test]
#[ignore = "a role that another test starts"]
fn role() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let dir = PathBuf::from(std::env::var(DIR).unwrap());
    let mut settings = EmbeddedSettings::default();
    // A task is killed as often as it likes here; it is not its fault.
    settings.max_losses = u32::MAX;
    let store = Embedded::open(dir, settings).unwrap();
    let tasks = Tasks::new();
    let step = tasks.register("step", step);
    tasks.connect(Arc::new(Witness(store)));
    let runtime = Builder::new()
        .event_loop_threads(1)
        .relief_threads(1)
        .build()
        .unwrap();
    let worker = tasks.worker().concurrency(8).lease(LEASE);
    // The line before is the test harness's, and has no end yet.
    println!("\n{READY}");
    runtime.block_on(async {
        let working = worker.run(std::future::pending());
        if role == Role::SendAndWork.name() {
            let (ended, sent) = tokio::join!(working, send(&step));
            ended.unwrap();
            sent.unwrap();
        } else {
            working.await.unwrap();
        }
    });
}

/// What every task does.
async fn step() {
    say("ran", TaskContext::current().id());
}

/// Sends single tasks, chains and chords, one after another, until it is killed.
async fn send(step: &Task<(), ()>) -> Result<(), SendError> {
    loop {
        let id = TaskId::new();
        step.apply_async(()).task_id(id.clone()).await?;
        say("sent", &id);

        let (first, second) = (TaskId::new(), TaskId::new());
        let chain = at(step, &first).then(at(step, &second));
        chain.delay().await?;
        say("sent", &first);
        say("sent", &second);

        let header = [TaskId::new(), TaskId::new(), TaskId::new()];
        let body = TaskId::new();
        let parts = header.iter().map(|id| at(step, id));
        chord(parts, at(step, &body)).delay().await?;
        for id in header.iter().chain([&body]) {
            say("sent", id);
        }
    }
}

fn at(step: &Task<(), ()>, id: &TaskId) -> Canvas<()> {
    step.si(()).task_id(id.clone())
}
