//! The `siding` command: `siding bench` measures a service, and writes a report of it; `siding top` watches one.

use std::process::ExitCode;

fn main() -> ExitCode {
    siding_cli::run()
}
