//! Data directories, files and disks that cannot be used: one sentence that helps, and a service that goes on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Pid, Resource, Rlimit, getuid, prlimit};
use serde_json::json;
use siding::exit;
use tempfile::TempDir;

use crate::program::{self, PATH, Program, command};
use crate::support::{Service, assert_problem, json};

/// The user who may nothing.
const NOBODY: u32 = 65_534;

/// Every role that opens the store.
const ROLES: [&[&str]; 3] = [&["serve"], &["worker"], &["tasks", "list"]];

fn start(role: &[&str], data: &Path) -> Command {
    let mut command = command(role);
    command.args(["--bind", "127.0.0.1:0", "--admin", "off"]);
    command.arg("--data").arg(data);
    command
}

/// Checks that it is one sentence, says nothing twice, and has these words.
#[track_caller]
fn assert_store_error(output: &Output, file: &Path, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(i32::from(exit::STORE)), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(words), "{said:?} lacks {words:?}");
    let name = file.to_str().expect("text");
    assert_eq!(said.matches(name).count(), 1, "{name} in {said}");
}

#[test]
fn a_file_in_the_place_of_the_directory_is_named() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "dear diary").unwrap();
    for data in [file.clone(), file.join("data")] {
        let output = start(&["serve"], &data).output().expect("starts");
        assert_store_error(
            &output,
            &data,
            "a file is in its place or in its path; move that away",
        );
    }
    let output = start(&["tasks", "list"], &file).output().expect("starts");
    assert_store_error(&output, &file, "move that away");
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("tasks.db");
    let text = "dear diary, ".repeat(1_000);
    fs::write(&file, &text).unwrap();
    for role in ROLES {
        let output = start(role, dir.path()).output().expect("starts");
        assert_store_error(&output, &file, "the file is not a database; move it away");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_directory_that_this_user_may_not_write_to_is_named() {
    let parent = TempDir::new().unwrap();
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let data = parent.path().join("data");
    for (data, file, words) in [
        (
            parent.path(),
            parent.path().join("tasks.db"),
            "is read-only; let this user write",
        ),
        (&data, data.clone(), "this user may not write there"),
    ] {
        let mut command = start(&["serve"], data);
        if getuid().is_root() {
            command.uid(NOBODY);
        }
        match command.output() {
            Ok(output) => assert_store_error(&output, &file, words),
            Err(error) => println!("left out: another user may not run the program: {error}"),
        }
    }
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_lock_of_another_program_is_named_while_it_is_waited_for() {
    let data = TempDir::new().unwrap();
    Service::start_on(data.path(), &[]).kill();
    // As SQLite has it: a record lock on the file.
    let file = fs::File::options()
        .write(true)
        .open(data.path().join("tasks.db"))
        .unwrap();
    fcntl_lock(&file, FlockOperation::LockExclusive).expect("nobody else has it");
    let mut list = Program::spawn(start(&["tasks", "list"], data.path()));
    list.wait_for_log("another program holds the lock");
    drop(file);
    assert_eq!(list.exit().code(), Some(i32::from(exit::OK)));
}

/// The program in a shell that ignores the signal of files that grow too large, so that writing fails as on a full disk.
fn on_a_disk(limit: &str) -> Command {
    let mut command = Command::new("sh");
    program::clean(&mut command);
    let script = format!(r#"trap "" XFSZ; {limit} exec "$0" "$@""#);
    command.args(["-c", &script, PATH]);
    command
}

fn limit_files(service: &Service, bytes: Option<u64>) {
    let pid = i32::try_from(service.pid()).ok().and_then(Pid::from_raw);
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit).expect("takes a limit");
}

#[test]
fn a_full_disk_is_named_at_the_start() {
    let data = TempDir::new().unwrap();
    let mut command = on_a_disk("ulimit -S -f 0;");
    command.args(["worker", "--data"]).arg(data.path());
    let output = command.output().expect("starts");
    let file = data.path().join("tasks.db");
    assert_store_error(&output, &file, "reading or writing it failed");
}

#[test]
fn a_service_whose_disk_is_full_refuses_tasks_and_goes_on_when_there_is_space() {
    let data = TempDir::new().unwrap();
    let service = Service::spawn_on(data.path(), on_a_disk(""));
    let accepted = service.start_task("add", r#"{"args": [2, 3], "countdown": 86400}"#);
    limit_files(&service, Some(0));
    for _ in 0..3 {
        let (status, body) = service.post("/tasks/add", r#"{"args": [1, 2]}"#);
        assert_problem(&(status, json(&body)), 503, "try again later");
        assert!(!body.contains("tasks.db"), "{body}");
        assert_eq!(service.get("/health").0, 200);
        let (status, body) = service.get(&format!("/result/{accepted}"));
        assert_eq!(
            (status, json(&body)),
            (200, json!({"status": "processing"}))
        );
    }
    limit_files(&service, None);
    let id = service.start_task("add", r#"{"args": [3, 4]}"#);
    assert_eq!(service.outcome(&id), (200, json!({"result": 7})));
}
