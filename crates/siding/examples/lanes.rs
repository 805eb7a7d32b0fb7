//! Every way to say where work runs: `cargo run -p siding --example lanes -- routes` lists them.

use siding::extract::Path;
use siding::{
    App, ExitCode, Problem, cancelled, compute, get, offload, pinned, processes, threads,
};

/// Whether a number is prime, by trial. It stops when nobody waits for the answer any more.
fn is_prime(Path(n): Path<u64>) -> String {
    let divisor = (2..=n.isqrt())
        .take_while(|_| !cancelled())
        .find(|divisor| n.is_multiple_of(*divisor));
    match divisor {
        Some(divisor) => format!("{n} = {divisor} x {}", n / divisor),
        None => format!("{n} is prime"),
    }
}

/// Leaves the event loop for a part of its work, and awaits the results.
async fn parts() -> Result<String, Problem> {
    let host = offload(|| std::fs::read_to_string("/etc/hostname").unwrap_or_default()).await?;
    let sum = compute(|| (1..=1_000_000_u64).sum::<u64>()).await?;
    Ok(format!("{} {sum}", host.trim()))
}

/// The number of the process that runs this: not the server's.
fn who() -> String {
    std::process::id().to_string()
}

async fn hello() -> &'static str {
    "Hello"
}

fn main() -> ExitCode {
    App::new("lanes")
        .route("/prime/{n}", get(compute(is_prime)))
        .route("/parts", get(parts))
        .route("/in-a-child-process", get(processes(who)))
        .route("/polled-on-a-thread", get(threads(hello)))
        .route("/never-moved", get(pinned(hello)))
        .run()
}
