//! What a call to a child process costs, beside a closure on the thread lane in the same run.
//!
//! `cargo bench -p siding-runtime --bench processes`. Prints medians and checks nothing.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use siding_runtime::{Builder, Functions, RouteId, Runtime, WorkContext, offload, serve_child};

/// Calls in a row of each case; the median and the 99th percentile are printed.
const CALLS: usize = 20_000;
/// The same for calls with long arguments and a long result.
const LONG_CALLS: usize = 500;
const LONG_BYTES: usize = 1 << 20;
/// Children that are started, each for one call.
const STARTS: usize = 50;
const CONTEXT: WorkContext = WorkContext::new(RouteId::OFFLOAD);

fn main() -> ExitCode {
    let mut functions = Functions::new();
    functions.register("tiny", |n: u64| n + 1);
    functions.register_raw("echo", |bytes| Ok(bytes.to_vec()));
    if let Some(code) = serve_child(&functions) {
        return code;
    }
    let runtime = Builder::new()
        .functions(functions)
        .build()
        .expect("a runtime");
    thread_round_trip(&runtime);
    round_trip(&runtime);
    long_round_trip(&runtime);
    drop(runtime);
    start();
    ExitCode::SUCCESS
}

fn thread_round_trip(runtime: &Runtime) {
    let times = on_the_event_loop(runtime, async {
        let mut times = Vec::with_capacity(CALLS);
        for n in 0..CALLS as u64 {
            let began = Instant::now();
            assert_eq!(offload(move || n + 1).await, Ok(n + 1));
            times.push(began.elapsed());
        }
        times
    });
    print("round trip of a tiny closure on a thread", times);
}

fn round_trip(runtime: &Runtime) {
    let lane = runtime.handle().processes().clone();
    let times = on_the_event_loop(runtime, async move {
        let mut times = Vec::with_capacity(CALLS);
        for n in 0..CALLS as u64 {
            let began = Instant::now();
            assert_eq!(lane.run(CONTEXT, "tiny", &n).await, Ok(n + 1));
            times.push(began.elapsed());
        }
        times
    });
    print("round trip of a tiny call to a child", times);
}

fn long_round_trip(runtime: &Runtime) {
    let lane = runtime.handle().processes().clone();
    let times = on_the_event_loop(runtime, async move {
        let mut times = Vec::with_capacity(LONG_CALLS);
        for _ in 0..LONG_CALLS {
            let arguments = vec![7; LONG_BYTES];
            let began = Instant::now();
            let result = lane.call(CONTEXT, "echo", arguments).await;
            times.push(began.elapsed());
            assert!(result.is_ok_and(|result| result.is_ok_and(|bytes| bytes.len() == LONG_BYTES)));
        }
        times
    });
    print("round trip of 1 MiB there and back", times);
}

/// The first call of a child, each in a runtime of its own, as a lane keeps its children.
fn start() {
    let first_call = || {
        let mut functions = Functions::new();
        functions.register("tiny", |n: u64| n + 1);
        let builder = Builder::new().relief_threads(0).functions(functions);
        let runtime = builder.build().expect("a runtime");
        let lane = runtime.handle().processes().clone();
        on_the_event_loop(&runtime, async move {
            let began = Instant::now();
            assert_eq!(lane.run(CONTEXT, "tiny", &1_u64).await, Ok(2));
            began.elapsed()
        })
    };
    let times = (0..STARTS).map(|_| first_call()).collect();
    print("first call of a child, its start included", times);
}

fn on_the_event_loop<T: Send + 'static>(
    runtime: &Runtime,
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    runtime
        .block_on(runtime.handle().spawn(work))
        .expect("no panic")
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (median, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{what:<45} median {median:>9.1?}   p99 {p99:>9.1?}");
}
