//! Several processes on one file. The others are this test program, started once more.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use siding_tasks::{
    Broker as _, BrokerError, Embedded, EmbeddedSettings, Enqueue, OpenError, Settled, State,
    TaskId,
};
use tempfile::TempDir;

use crate::support::{block_on, claim_request, message, success};

const ROLE: &str = "SIDING_TEST_ROLE";
const DIR: &str = "SIDING_TEST_DIR";
const TASKS: usize = 150;

/// By the real clock, and with nothing that makes up for a message which is lost.
fn settings() -> EmbeddedSettings {
    let mut settings = EmbeddedSettings::default();
    settings.safety_net = None;
    settings
}

pub(crate) fn open(dir: &Path) -> Embedded {
    Embedded::open(dir, settings()).unwrap()
}

/// What the other process does, when this is one.
#[test]
#[ignore = "a role that other tests start"]
fn role() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let dir = std::env::var(DIR).unwrap();
    let dir = Path::new(&dir);
    match role.as_str() {
        "mixed" => block_on(mixed(&open(dir), "child")),
        "worker" => block_on(worker(&open(dir))),
        "filler" => block_on(filler(&open(dir))),
        "killed" => block_on(killed(&open(dir))),
        "stopped" => crate::stopped::worker(dir),
        "opener" => say(&match Embedded::open(dir, settings()) {
            Ok(_) => "opened".to_owned(),
            Err(OpenError::Unusable { reason, .. }) => format!("{reason:?}"),
            Err(error) => format!("{error:?}"),
        }),
        other => panic!("no role {other}"),
    }
}

/// A line that the test harness has no part in.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "said {line}").unwrap();
    out.flush().unwrap();
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn this() -> String {
    std::env::current_exe()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

const ARGS: [&str; 4] = ["--exact", "processes::role", "--ignored", "--nocapture"];

pub(crate) fn start(role: &str, dir: &Path) -> (Child, Lines) {
    let mut command = command(&this());
    start_as(command.args(ARGS), role, dir)
}

fn start_as(command: &mut Command, role: &str, dir: &Path) -> (Child, Lines) {
    let mut child = command.env(ROLE, role).env(DIR, dir).spawn().unwrap();
    let lines = Lines(BufReader::new(child.stdout.take().unwrap()));
    (child, lines)
}

/// What a child says.
pub(crate) struct Lines(BufReader<ChildStdout>);

impl Iterator for Lines {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some((_, said)) = line.trim_end().split_once("said ") {
                return Some(said.to_owned());
            }
        }
    }
}

/// Enqueues its own tasks and runs whatever is there, until there is nothing; says what it ran.
async fn mixed(store: &Embedded, name: &str) {
    for id in mixed_run(store, name).await {
        say(&id);
    }
}

async fn mixed_run(store: &Embedded, name: &str) -> Vec<String> {
    let enqueue = async {
        for number in 0..TASKS {
            let request = Enqueue {
                messages: vec![message(&format!("{name}{number}"))],
                chords: vec![],
            };
            store.enqueue(request).await.unwrap();
        }
    };
    let work = async {
        let mut ran = Vec::new();
        loop {
            let deliveries = store.claim(claim_request(3)).await.unwrap().deliveries;
            if deliveries.is_empty() && ran.len() >= TASKS / 2 {
                return ran;
            }
            for delivery in deliveries {
                let settled = store.settle(delivery.lease, success("1")).await.unwrap();
                assert_eq!(settled, Settled::Done);
                ran.push(delivery.message.id.to_string());
            }
        }
    };
    let ((), mut ran) = tokio::join!(enqueue, work);
    // What came after it had found nothing.
    for delivery in store
        .claim(claim_request(TASKS * 2))
        .await
        .unwrap()
        .deliveries
    {
        let _ = store.settle(delivery.lease, success("1")).await.unwrap();
        ran.push(delivery.message.id.to_string());
    }
    ran
}

#[test]
fn two_processes_share_the_work_and_no_task_runs_twice() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let (mut child, lines) = start("mixed", dir.path());
    let mut ran = block_on(mixed_run(&store, "parent"));
    ran.extend(lines);
    assert!(child.wait().unwrap().success());
    let rest = block_on(store.claim(claim_request(1_000)))
        .unwrap()
        .deliveries;
    ran.extend(rest.iter().map(|one| one.message.id.to_string()));
    let distinct = ran.iter().collect::<BTreeSet<_>>();
    assert_eq!((ran.len(), distinct.len()), (TASKS * 2, TASKS * 2));
}

/// Waits for a task, runs it, and says so.
async fn worker(store: &Embedded) {
    let changed = store.changed();
    let none = store.claim(claim_request(1)).await.unwrap().deliveries;
    assert_eq!(none, []);
    say("waiting");
    changed.await;
    let delivery = store
        .claim(claim_request(1))
        .await
        .unwrap()
        .deliveries
        .remove(0);
    let _ = store.settle(delivery.lease, success("42")).await.unwrap();
}

#[test]
fn a_worker_in_another_process_is_woken_and_its_result_wakes_the_caller() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let (mut child, mut lines) = start("worker", dir.path());
    assert_eq!(lines.next().as_deref(), Some("waiting"));
    let meta = block_on(async {
        let finished = store.finished(TaskId::from("a"));
        let request = Enqueue {
            messages: vec![message("a")],
            chords: vec![],
        };
        let (meta, sent) = tokio::join!(finished, store.enqueue(request));
        sent.unwrap();
        meta.unwrap()
    });
    assert_eq!(
        (meta.state, meta.result.unwrap().get()),
        (State::Success, "42")
    );
    assert!(child.wait().unwrap().success());
}

/// Enqueues until the disk is full, and says what was accepted.
async fn filler(store: &Embedded) {
    for number in 0.. {
        let mut big = message(&format!("{number:04}"));
        big.args = vec![crate::support::json(&format!("\"{}\"", "x".repeat(10_000)))];
        let request = Enqueue {
            messages: vec![big],
            chords: vec![],
        };
        match store.enqueue(request).await {
            Ok(_) => say(&format!("{number:04}")),
            Err(BrokerError::Unavailable(_)) => break,
            Err(error) => panic!("{error:?}"),
        }
    }
    say("full");
}

#[test]
fn a_disk_that_is_full_loses_nothing_that_was_accepted() {
    let dir = TempDir::new().unwrap();
    // A file may have so many blocks and no more; without the trap the kernel would end the process.
    let limit = r#"trap '' XFSZ; ulimit -f 2000; exec "$0" "$@""#;
    let mut shell = command("bash");
    shell.args(["-c", limit, &this()]).args(ARGS);
    let (mut child, lines) = start_as(&mut shell, "filler", dir.path());
    let mut accepted = lines.collect::<Vec<_>>();
    assert!(child.wait().unwrap().success());
    assert_eq!(accepted.pop().as_deref(), Some("full"));
    assert!(accepted.len() > 20, "{}", accepted.len());
    let store = open(dir.path());
    let claimed = block_on(store.claim(claim_request(10_000)))
        .unwrap()
        .deliveries;
    let ids = claimed.iter().map(|one| one.message.id.to_string());
    assert_eq!(ids.collect::<Vec<_>>(), accepted);
}

/// Enqueues until it is killed, and says what was accepted.
async fn killed(store: &Embedded) {
    for number in 0.. {
        let request = Enqueue {
            messages: vec![message(&format!("{number:06}"))],
            chords: vec![],
        };
        store.enqueue(request).await.unwrap();
        say(&format!("{number:06}"));
    }
}

#[test]
fn what_a_killed_process_was_answered_is_there() {
    let dir = TempDir::new().unwrap();
    let (mut child, mut lines) = start("killed", dir.path());
    let mut accepted = lines.by_ref().take(40).collect::<Vec<_>>();
    child.kill().unwrap();
    child.wait().unwrap();
    accepted.extend(lines);
    let store = open(dir.path());
    let claimed = block_on(store.claim(claim_request(100_000)))
        .unwrap()
        .deliveries;
    let ids = claimed
        .iter()
        .map(|one| one.message.id.to_string())
        .collect::<Vec<_>>();
    // One more may be there: committed, and not answered yet.
    assert!(
        ids.starts_with(&accepted) && ids.len() <= accepted.len() + 1,
        "{} of {}",
        ids.len(),
        accepted.len()
    );
}

/// The permissions of nobody in a directory that belongs to somebody else.
#[test]
fn a_read_only_file_says_so() {
    let dir = TempDir::new().unwrap();
    drop(open(dir.path()));
    let set = |path: &Path, mode| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(path, permissions).unwrap();
    };
    for file in std::fs::read_dir(dir.path()).unwrap().flatten() {
        set(
            &file.path(),
            if file.path().is_dir() { 0o555 } else { 0o444 },
        );
    }
    set(dir.path(), 0o555);
    let mut command = command(&this());
    command.args(ARGS);
    if rustix::process::geteuid().is_root() {
        // No permission binds root.
        command.uid(65_534).gid(65_534);
    }
    command.env(ROLE, "opener").env(DIR, dir.path());
    match command.spawn() {
        Ok(mut child) => {
            let said = Lines(BufReader::new(child.stdout.take().unwrap())).collect::<Vec<_>>();
            child.wait().unwrap();
            assert!(
                said.len() == 1 && said[0].contains("is read-only"),
                "{said:?}"
            );
        }
        Err(error) => println!("left out: nobody may not run this program: {error}"),
    }
    set(dir.path(), 0o755);
}
