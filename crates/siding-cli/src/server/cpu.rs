//! What a server's threads have cost so far.

use std::path::PathBuf;
use std::time::Duration;
use std::{fs, io};

/// Time that the threads of process `pid` have spent on a CPU, summed.
///
/// Read from each thread's `schedstat`, which counts in nanoseconds; the process's own `stat`
/// counts in hundredths of a second, too coarse for an idle server. Threads that have ended are no
/// longer counted.
///
/// # Errors
///
/// When the process is gone, or the platform keeps no such account.
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        total += thread_cpu_time(thread?.path().join("schedstat"))?;
    }
    Ok(total)
}

fn thread_cpu_time(schedstat: PathBuf) -> io::Result<Duration> {
    match fs::read_to_string(schedstat) {
        Ok(text) => parse(&text),
        // The thread ended after the directory was listed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Duration::ZERO),
        Err(error) => Err(error),
    }
}

fn parse(schedstat: &str) -> io::Result<Duration> {
    let on_cpu = schedstat.split_whitespace().next();
    on_cpu
        .and_then(|nanoseconds| nanoseconds.parse().ok())
        .map(Duration::from_nanos)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "schedstat holds no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_figure_is_time_on_cpu() {
        assert_eq!(parse("1500 20 3\n").unwrap(), Duration::from_nanos(1500));
        assert!(parse("").is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_cost_something() {
        assert!(cpu_time(std::process::id()).unwrap() > Duration::ZERO);
    }
}
