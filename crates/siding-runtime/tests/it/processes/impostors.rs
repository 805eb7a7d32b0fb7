//! Children that are not what they should be. Each test is its own child, and says what a child must not say.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;

use siding_runtime::{CallError, JobError, ProcessesConfig, is_child};

use super::support::{builder, call};

/// In a child, says `words` to the parent and waits for its farewell. In the parent, calls a function and checks that the
/// reason why it was not run has these words.
#[track_caller]
fn check(test: &str, words: &[u8], reason_has: &str) {
    if is_child() {
        let socket = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
        let mut socket = File::from(socket);
        socket.write_all(words).unwrap();
        // It ends with the parent's SIGKILL, or with its end.
        let _ = socket.read_to_end(&mut Vec::new());
        return;
    }
    let name = format!("processes::impostors::{test}");
    let runtime = builder(ProcessesConfig::default())
        .child_args(["--exact", &name, "--nocapture"])
        .build()
        .unwrap();
    let Err(CallError::Job(JobError::NotStarted { reason, .. })) =
        call::<u32>(&runtime, "double", 1)
    else {
        panic!("an impostor runs a function");
    };
    assert!(reason.contains(reason_has), "{reason}");
}

#[test]
fn another_program() {
    let hello = b"\x05\0\0\0\x01\x02other";
    check(
        "another_program",
        hello,
        "it is another program (other) than this one",
    );
}

#[test]
fn another_version() {
    let hello = b"\x05\0\0\0\x09\x02other";
    check(
        "another_version",
        hello,
        "it speaks version 9 of the protocol, and this program version 1",
    );
}

#[test]
fn a_frame_without_end() {
    let frame = b"\xff\xff\xff\xff\x01\x02";
    check(
        "a_frame_without_end",
        frame,
        "it sent a frame of 4294967295 bytes",
    );
}

#[test]
fn an_answer_before_hello() {
    let returned = b"\x08\0\0\0\x01\x04\x01\0\0\0\0\0\0\0";
    check(
        "an_answer_before_hello",
        returned,
        "it did not say hello first",
    );
}
