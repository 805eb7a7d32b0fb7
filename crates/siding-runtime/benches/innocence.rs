//! A clean load beside processes that hog the CPU: nobody may be convicted.
//!
//! `cargo bench -p siding-runtime --bench innocence [-- SECONDS]` (60 unless given) runs short handlers, timers, blocking
//! plain functions and real computing, each declared as it is, beside four processes that compute without pause. It prints
//! what the guard made of it and fails when a route was convicted or moved.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reports on the terminal, panics when it cannot go on, and shows a plain function that blocks"
)]

use std::hint::black_box;
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use siding_runtime::{Builder, Kind, LaneKind, Route, RouteSpec, Runtime};

/// Tells the process that it is one of the hogs.
const HOG: &str = "SIDING_BENCH_HOG";
const HOGS: usize = 4;
/// Callers of each route; each waits a little between two requests.
const CALLERS: usize = 8;
const BETWEEN: Duration = Duration::from_millis(5);

fn main() -> ExitCode {
    if std::env::var_os(HOG).is_some() {
        loop {
            black_box(());
        }
    }
    let seconds = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(60);
    let hogs: Vec<Hog> = (0..HOGS).map(|_| Hog::start()).collect();
    let runtime = Builder::new().build().unwrap();
    let routes = Routes::register(&runtime);
    runtime.block_on(routes.load(Instant::now() + Duration::from_secs(seconds)));
    drop(hogs);
    report(&runtime, seconds)
}

fn report(runtime: &Runtime, seconds: u64) -> ExitCode {
    println!("{seconds} s beside {HOGS} hogs:");
    let mut innocent = true;
    for route in runtime.handle().routes().all() {
        let figures = route.snapshot();
        innocent &= figures.convictions == 0 && figures.moves.is_empty();
        println!(
            "  {:20} requests {:7}  stalls seen {:4}  convictions {}",
            figures.spec.name, figures.latency.count, figures.stalls, figures.convictions
        );
    }
    println!(
        "{}",
        if innocent {
            "nobody was convicted"
        } else {
            "SOMEBODY WAS CONVICTED"
        }
    );
    if innocent {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A process that computes without pause until this is dropped.
struct Hog(Child);

impl Hog {
    fn start() -> Self {
        let program = std::env::current_exe().unwrap();
        Self(Command::new(program).env(HOG, "1").spawn().unwrap())
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

struct Routes {
    short: Arc<Route>,
    timer: Arc<Route>,
    blocking: Arc<Route>,
    computing: Arc<Route>,
}

impl Routes {
    fn register(runtime: &Runtime) -> Self {
        let route = |name: &str, kind, declared| {
            let name = name.to_owned();
            runtime.handle().routes().register(RouteSpec {
                name,
                kind,
                declared,
                pinned: false,
            })
        };
        Self {
            short: route("short async fn", Kind::Async, LaneKind::EventLoop),
            timer: route("async timer", Kind::Async, LaneKind::EventLoop),
            blocking: route("blocking fn", Kind::Plain, LaneKind::Threads),
            computing: route("computing fn", Kind::Plain, LaneKind::Compute),
        }
    }

    async fn load(&self, end: Instant) {
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..CALLERS {
            let route = Arc::clone(&self.short);
            callers.spawn(repeat(end, Arc::clone(&self.short), move || {
                route.place(None, async { compute_for(Duration::from_micros(50)) })
            }));
            let route = Arc::clone(&self.timer);
            callers.spawn(repeat(end, Arc::clone(&self.timer), move || {
                route.place(None, tokio::time::sleep(Duration::from_millis(20)))
            }));
            let route = Arc::clone(&self.blocking);
            callers.spawn(repeat(end, Arc::clone(&self.blocking), move || {
                route.call(None, || std::thread::sleep(Duration::from_millis(20)))
            }));
            let route = Arc::clone(&self.computing);
            callers.spawn(repeat(end, Arc::clone(&self.computing), move || {
                route.call(None, || compute_for(Duration::from_millis(30)))
            }));
        }
        callers.join_all().await;
    }
}

async fn repeat<F, E>(end: Instant, route: Arc<Route>, request: impl Fn() -> F)
where
    F: Future<Output = Result<(), E>>,
{
    while Instant::now() < end {
        let asked = Instant::now();
        // Beside the hogs the compute lane may refuse: that is load, not guilt.
        if request().await.is_ok() {
            route.record(asked.elapsed());
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

/// Computes until so much time has passed.
fn compute_for(duration: Duration) {
    let began = Instant::now();
    while began.elapsed() < duration {
        black_box(());
    }
}
