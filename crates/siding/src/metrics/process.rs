//! What the kernel knows of this process, under the names that all clients of Prometheus have for it.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// This process at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Process {
    pub(super) cpu_seconds: f64,
    pub(super) resident_bytes: u64,
    pub(super) virtual_bytes: u64,
    pub(super) threads: u64,
    /// Since 1970.
    pub(super) started_seconds: f64,
    pub(super) open_fds: u64,
    /// `None` where there is no limit.
    pub(super) max_fds: Option<u64>,
}

impl Process {
    /// What `/proc` says; `None` where there is none.
    pub(super) fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let machine = fs::read_to_string("/proc/stat").ok()?;
        let open_fds = fs::read_dir("/proc/self/fd").ok()?.count();
        Self::parse(&stat, &machine, open_fds as u64)
    }

    fn parse(stat: &str, machine: &str, open_fds: u64) -> Option<Self> {
        // The second field is the program's name in parentheses, which may have spaces and parentheses itself.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        // Numbered from 1 in proc_pid_stat(5), and the third field is the first here.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let seconds = |ticks: u64| ticks as f64 / clock_ticks_per_second() as f64;
        let booted: u64 = machine
            .lines()
            .find_map(|line| line.strip_prefix("btime "))?
            .trim()
            .parse()
            .ok()?;
        Some(Self {
            cpu_seconds: seconds(field(14)? + field(15)?),
            threads: field(20)?,
            started_seconds: booted as f64 + seconds(field(22)?),
            virtual_bytes: field(23)?,
            resident_bytes: field(24)? * page_size() as u64,
            open_fds,
            max_fds: getrlimit(Resource::Nofile).current,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_moves_no_field() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 9 0 1000 4096 3 18446744073709551615";
        let process = Process::parse(stat, "cpu 1\nbtime 1700000000\n", 5).unwrap();
        let ticks = clock_ticks_per_second() as f64;
        assert_eq!(process.cpu_seconds, 200.0 / ticks);
        assert_eq!(process.threads, 9);
        assert_eq!(process.started_seconds, 1_700_000_000.0 + 1_000.0 / ticks);
        assert_eq!(process.virtual_bytes, 4_096);
        assert_eq!(process.resident_bytes, 3 * page_size() as u64);
        assert_eq!(process.open_fds, 5);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_alive() {
        let process = Process::read().expect("Linux has /proc");
        assert!(process.resident_bytes > 0 && process.threads > 0 && process.open_fds > 0);
    }
}
