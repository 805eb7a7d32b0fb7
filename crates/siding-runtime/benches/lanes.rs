//! What a lane costs, beside `tokio::task::spawn_blocking` in the same run.
//!
//! `cargo bench -p siding-runtime --bench lanes`. Prints medians and checks nothing.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use siding_runtime::{Builder, Runtime, ThreadsConfig, offload};

/// Runs of each case; the median is printed.
const RUNS: usize = 7;
/// Jobs in a round-trip run, and in a throughput run.
const ROUND_TRIPS: usize = 20_000;
const THROUGHPUT_JOBS: usize = 200_000;
/// Callers that wait for one job each before they give the next.
const CALLERS: usize = 64;
/// How long each job of a growth run blocks.
const BLOCK: Duration = Duration::from_millis(200);

/// Who runs the jobs.
#[derive(Clone, Copy)]
enum Pool {
    Siding,
    Tokio,
}

fn main() {
    let runtime = Builder::new().build().expect("a runtime");
    round_trip(&runtime);
    throughput(&runtime);
    drop(runtime);
    for jobs in [1_000, 10_000] {
        growth(jobs);
    }
}

fn round_trip(runtime: &Runtime) {
    let one = |pool| {
        runtime.block_on(runtime.handle().spawn(async move {
            let began = Instant::now();
            for _ in 0..ROUND_TRIPS {
                tiny(pool).await;
            }
            began.elapsed() / u32::try_from(ROUND_TRIPS).expect("a small number")
        }))
    };
    let (siding, tokio) = pairs(|pool| one(pool).expect("no panic"));
    println!("round trip of one tiny job:   siding {siding:>9.2?}   spawn_blocking {tokio:>9.2?}");
}

fn throughput(runtime: &Runtime) {
    let one = |pool| {
        let began = Instant::now();
        runtime.block_on(async {
            let callers: Vec<_> = (0..CALLERS)
                .map(|_| {
                    runtime.handle().spawn(async move {
                        for _ in 0..THROUGHPUT_JOBS / CALLERS {
                            tiny(pool).await;
                        }
                    })
                })
                .collect();
            for caller in callers {
                caller.await.expect("no panic");
            }
        });
        began.elapsed()
    };
    let (siding, tokio) = pairs(one);
    let rate = |elapsed: Duration| THROUGHPUT_JOBS as f64 / elapsed.as_secs_f64();
    println!(
        "{CALLERS} callers, tiny jobs/s:     siding {:>9.0}   spawn_blocking {:>9.0}   ratio {:.2}",
        rate(siding),
        rate(tokio),
        rate(siding) / rate(tokio),
    );
}

async fn tiny(pool: Pool) {
    let job = || std::hint::black_box(1);
    match pool {
        Pool::Siding => drop(offload(job).await.expect("admitted")),
        #[expect(clippy::disallowed_methods, reason = "the peer of this benchmark")]
        Pool::Tokio => drop(tokio::task::spawn_blocking(job).await.expect("no panic")),
    }
}

/// The time until `jobs` blocking jobs, given at once to a lane that has no thread yet, all run.
fn growth(jobs: usize) {
    let mut all_running = Vec::new();
    for _ in 0..RUNS.min(3) {
        let runtime = Builder::new()
            .threads(ThreadsConfig::growing(40, jobs))
            .build()
            .expect("a runtime");
        let (running, last) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let began = Instant::now();
        runtime.block_on(async {
            let submit = |_| {
                let (running, last) = (Arc::clone(&running), Arc::clone(&last));
                offload(move || {
                    if running.fetch_add(1, Ordering::SeqCst) + 1 == jobs {
                        let elapsed = began.elapsed().as_micros();
                        last.store(
                            usize::try_from(elapsed).unwrap_or(usize::MAX),
                            Ordering::SeqCst,
                        );
                    }
                    block();
                })
            };
            let submitted: Vec<_> = (0..jobs).map(submit).collect();
            for job in submitted {
                job.await.expect("admitted");
            }
        });
        let everything = began.elapsed();
        all_running.push((
            Duration::from_micros(last.load(Ordering::SeqCst) as u64),
            everything,
        ));
        runtime.shut_down(Duration::from_secs(10));
    }
    all_running.sort();
    let (running, done) = all_running[all_running.len() / 2];
    println!(
        "{jobs:>6} jobs that block {BLOCK:?}:  the last began after {running:>9.2?}, all ended after {done:.2?}"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a job that blocks is what is measured"
)]
fn block() {
    std::thread::sleep(BLOCK);
}

/// The medians of alternating runs.
fn pairs(mut run: impl FnMut(Pool) -> Duration) -> (Duration, Duration) {
    let (mut siding, mut tokio) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        siding.push(run(Pool::Siding));
        tokio.push(run(Pool::Tokio));
    }
    (median(siding), median(tokio))
}

fn median(mut runs: Vec<Duration>) -> Duration {
    runs.sort();
    runs[runs.len() / 2]
}
