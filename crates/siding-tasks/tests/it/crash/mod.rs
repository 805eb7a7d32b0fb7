//! Kills processes that send and run tasks, at any moment, and then looks whether what they said is true.
//!
//! Every task that was acknowledged must have run, and none may run again once its settlement was acknowledged. The
//! processes are this test program, started once more; what they say goes through one pipe, in order, and survives them.

mod ledger;
mod victim;
mod witness;

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, pipe};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use siding_tasks::{Broker, Embedded, EmbeddedSettings, State};
use tempfile::TempDir;

use ledger::Ledger;
use victim::{READY, Role};

use crate::support::block_on;

/// Rounds unless `SIDING_CRASH_ROUNDS` says otherwise.
const ROUNDS: u32 = 12;
/// A process is killed at any moment of this time after it is ready.
const LIFE_MAX_US: u64 = 80_000;

#[test]
fn killed_processes_lose_nothing_and_repeat_nothing_that_was_acknowledged() {
    let rounds =
        std::env::var("SIDING_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let dir = TempDir::new().unwrap();
    let (reader, writer) = pipe().unwrap();
    let (ready, ledger) = listen(reader);
    for _ in 0..rounds {
        let victims = [Role::SendAndWork, Role::Work].map(|role| start(role, dir.path(), &writer));
        for _ in &victims {
            ready.recv().unwrap();
        }
        for victim in victims {
            thread::park_timeout(Duration::from_micros(any_up_to(LIFE_MAX_US)));
            kill(victim);
        }
    }
    let worker = start(Role::Work, dir.path(), &writer);
    let store = Embedded::open(dir.path(), EmbeddedSettings::default()).unwrap();
    drained(&store);
    kill(worker);
    drop(writer);
    let ledger = ledger.join().unwrap();
    ledger.print(rounds);
    ledger.check(&store);
}

/// Reads what the processes say, until none of them is left.
fn listen(reader: PipeReader) -> (Receiver<()>, thread::JoinHandle<Ledger>) {
    let (send, ready) = channel();
    let ledger = thread::spawn(move || {
        let mut ledger = Ledger::default();
        for line in BufReader::new(reader).lines() {
            match line.unwrap().as_str() {
                // Nobody waits for the last one.
                READY => drop(send.send(())),
                line => ledger.enter(line),
            }
        }
        ledger
    });
    (ready, ledger)
}

fn start(role: Role, dir: &Path, out: &PipeWriter) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::victim::role", "--ignored", "--nocapture"])
        .env(victim::ROLE, role.name())
        .env(victim::DIR, dir)
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .spawn()
        .unwrap()
}

fn kill(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

/// Waits until no task waits or runs.
fn drained(store: &Embedded) {
    let under_way = async || {
        let overview = store.overview().await.unwrap();
        overview.iter().any(|count| !count.state.is_ready())
    };
    block_on(async {
        loop {
            let changed = store.changed();
            if !under_way().await {
                break;
            }
            changed.await;
        }
    });
    let failed = |state| {
        block_on(async { store.overview().await.unwrap() })
            .iter()
            .any(|count| count.state == state)
    };
    assert!(
        !failed(State::Failure) && !failed(State::Revoked),
        "no task fails by itself"
    );
}

/// A random number.
fn any_up_to(max: u64) -> u64 {
    RandomState::new().hash_one(0) % max
}
