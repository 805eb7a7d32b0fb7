//! What functions take and give.

use siding_runtime::{CallError, FunctionErrorKind, JobError};

use super::support::{CONTEXT, call, figures, runtime, wait};

#[track_caller]
fn kind<R: std::fmt::Debug>(result: Result<R, CallError>) -> FunctionErrorKind {
    match result {
        Err(CallError::Function(error)) => error.kind().clone(),
        other => panic!("no error of the function: {other:?}"),
    }
}

#[test]
fn results_come_back() {
    let runtime = runtime(|_| {});
    assert_eq!(call(&runtime, "double", 21), Ok(42));
    assert_eq!(call(&runtime, "length", "äöü"), Ok(6));
    let raw = runtime.handle().processes();
    let job = raw.call(CONTEXT, "reverse", vec![0, 1, 255]);
    assert_eq!(runtime.block_on(job), Ok(Ok(vec![255, 1, 0])));
}

#[test]
fn a_child_stays_for_the_next_job() {
    let runtime = runtime(|_| {});
    let first: u32 = call(&runtime, "pid", ()).unwrap();
    assert_ne!(first, std::process::id());
    assert_eq!(call(&runtime, "pid", ()), Ok(first));
}

#[test]
fn a_panic_is_reported_and_the_child_goes_on() {
    let runtime = runtime(|_| {});
    let child: u32 = call(&runtime, "pid", ()).unwrap();
    let Err(CallError::Job(JobError::Panicked { message, .. })) =
        call::<()>(&runtime, "panic", "not today")
    else {
        panic!("the function panics");
    };
    assert_eq!(message, "not today");
    assert_eq!(call(&runtime, "pid", ()), Ok(child));
    figures("the count", &runtime, |lane| lane.panicked == 1);
}

#[test]
fn what_a_function_does_not_take_is_told() {
    let runtime = runtime(|_| {});
    assert_eq!(
        kind(call::<u32>(&runtime, "triple", 1)),
        FunctionErrorKind::Unknown
    );
    let FunctionErrorKind::Arguments(message) = kind(call::<u32>(&runtime, "double", "ten")) else {
        panic!("text is no number");
    };
    assert!(message.contains("expected u32"), "{message}");
    let FunctionErrorKind::Result(message) = kind(call::<String>(&runtime, "double", 1)) else {
        panic!("a number is no text");
    };
    assert!(message.contains("expected a string"), "{message}");
    let job = runtime
        .handle()
        .processes()
        .call(CONTEXT, "reverse", Vec::new());
    let error = runtime.block_on(job).unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "function `reverse`: it failed: nothing to reverse"
    );
}

#[test]
fn too_long_arguments_and_results_are_refused() {
    let runtime = runtime(|config| config.frame_bytes_max = 1_000);
    let child: u32 = call(&runtime, "pid", ()).unwrap();
    assert_eq!(call(&runtime, "length", "x".repeat(998)), Ok(998));
    assert_eq!(
        kind(call::<usize>(&runtime, "length", "x".repeat(999))),
        FunctionErrorKind::ArgumentsTooLong {
            bytes: 1_001,
            bytes_max: 1_000
        }
    );
    assert_eq!(call(&runtime, "text", 998), Ok("x".repeat(998)));
    assert_eq!(
        kind(call::<String>(&runtime, "text", 999)),
        FunctionErrorKind::ResultTooLong {
            bytes: 1_001,
            bytes_max: 1_000
        }
    );
    assert_eq!(call(&runtime, "pid", ()), Ok(child));
}

/// Longer than any buffer of the kernel's on the way.
#[test]
fn long_arguments_and_results_arrive() {
    let runtime = runtime(|_| {});
    let bytes: Vec<u8> = (0..8_000_000_u32).map(|n| (n % 251) as u8).collect();
    let job = runtime
        .handle()
        .processes()
        .call(CONTEXT, "reverse", bytes.clone());
    let mut reversed = runtime.block_on(job).unwrap().unwrap();
    reversed.reverse();
    assert!(reversed == bytes, "the bytes arrive in their order");
}

#[test]
fn functions_do_not_read_the_socket() {
    let runtime = runtime(|_| {});
    let text: Result<Result<String, String>, _> = call(&runtime, "stdin", ());
    assert_eq!(text, Ok(Ok(String::new())));
    assert_eq!(call(&runtime, "double", 1), Ok(2));
}

#[test]
fn several_children_run_at_once() {
    let runtime = runtime(|config| config.children = 2);
    let lane = runtime.handle().processes();
    let meetings = [
        super::support::Meeting::new(),
        super::support::Meeting::new(),
    ];
    let calls = meetings
        .each_ref()
        .map(|meeting| lane.run::<_, Result<usize, String>>(CONTEXT, "wait", &meeting.path));
    let guests = meetings.each_ref().map(super::support::Meeting::guest);
    assert_ne!(guests[0].pid, guests[1].pid);
    figures("both at work", &runtime, |lane| {
        (lane.threads, lane.running) == (2, 2)
    });
    drop(guests);
    for call in calls {
        assert_eq!(wait(&runtime, call), Ok(Ok(0)));
    }
}
