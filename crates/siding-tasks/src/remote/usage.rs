//! What this process has used of the machine, as Celery tells it: the numbers of `getrusage`.
//!
//! That call takes unsafe code. Linux keeps the same numbers in `/proc/self`.

use serde_json::{Map, Value};

/// The numbers under their names in Python, or `None` where the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn own() -> Option<Map<String, Value>> {
    use std::fs::read_to_string;

    let stat = read_to_string("/proc/self/stat").ok()?;
    let status = read_to_string("/proc/self/status").ok()?;
    let ticks = rustix::param::clock_ticks_per_second();
    let stat = linux::Stat::parse(&stat, ticks)?;
    let (voluntary, forced) = linux::switches();
    // Who may not read it still sees the rest.
    let io = read_to_string("/proc/self/io").unwrap_or_default();
    let blocks = |name| linux::number(&io, name).unwrap_or(0) / linux::BLOCK_BYTES;
    let mut numbers = Map::from_iter([
        ("utime".to_owned(), Value::from(stat.user_seconds)),
        ("stime".to_owned(), Value::from(stat.system_seconds)),
    ]);
    let counts = [
        ("maxrss", linux::number(&status, "VmHWM")?),
        ("minflt", stat.minor_faults),
        ("majflt", stat.major_faults),
        ("inblock", blocks("read_bytes")),
        ("oublock", blocks("write_bytes")),
        ("nvcsw", voluntary),
        ("nivcsw", forced),
    ];
    // Linux counts none of these.
    let none = [
        "ixrss", "idrss", "isrss", "nswap", "msgsnd", "msgrcv", "nsignals",
    ];
    let all = counts.into_iter().chain(none.map(|name| (name, 0)));
    numbers.extend(all.map(|(name, count)| (name.to_owned(), Value::from(count))));
    Some(numbers)
}

/// Nobody says so here without unsafe code.
#[cfg(not(target_os = "linux"))]
pub(super) fn own() -> Option<Map<String, Value>> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    /// The unit in which `getrusage` counts what is read and written.
    pub(super) const BLOCK_BYTES: u64 = 512;

    /// What `/proc/self/stat` says of the whole process.
    #[derive(Debug, PartialEq)]
    pub(super) struct Stat {
        pub(super) minor_faults: u64,
        pub(super) major_faults: u64,
        pub(super) user_seconds: f64,
        pub(super) system_seconds: f64,
    }

    impl Stat {
        /// The name of the program, which is in parentheses, may hold anything.
        pub(super) fn parse(text: &str, ticks_per_second: u64) -> Option<Self> {
            let (_, fields) = text.rsplit_once(')')?;
            // Fields are counted from 1, and the first behind the name is the third.
            let field = |number: usize| fields.split_ascii_whitespace().nth(number - 3);
            let count = |number| field(number)?.parse::<u64>().ok();
            #[expect(
                clippy::cast_precision_loss,
                reason = "no process computes for so long"
            )]
            let seconds = |number| Some(count(number)? as f64 / ticks_per_second as f64);
            Some(Self {
                minor_faults: count(10)?,
                major_faults: count(12)?,
                user_seconds: seconds(14)?,
                system_seconds: seconds(15)?,
            })
        }
    }

    /// The number behind a name and a colon, at the start of a line.
    pub(super) fn number(text: &str, name: &str) -> Option<u64> {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.split_ascii_whitespace().next()?.parse().ok()
    }

    /// How often the threads that there are gave up a CPU, and had to. Those that have ended are not counted.
    pub(super) fn switches() -> (u64, u64) {
        let mut sum = (0, 0);
        for thread in fs::read_dir("/proc/self/task")
            .into_iter()
            .flatten()
            .flatten()
        {
            // It may have ended just now.
            let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            sum.0 += number(&status, "voluntary_ctxt_switches").unwrap_or(0);
            sum.1 += number(&status, "nonvoluntary_ctxt_switches").unwrap_or(0);
        }
        sum
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_behind_any_name() {
        let text = "7 (a) b) S 1 7 7 0 -1 4194560 901 5 3 4 250 50 0 0 20 0 9 0 1";
        let expected = linux::Stat {
            minor_faults: 901,
            major_faults: 3,
            user_seconds: 2.5,
            system_seconds: 0.5,
        };
        assert_eq!(linux::Stat::parse(text, 100), Some(expected));
        assert_eq!(linux::Stat::parse("7 (a) S 1", 100), None);
        let status = "VmPeak:\t  12 kB\nVmHWM:\t    1024 kB\n";
        assert_eq!(linux::number(status, "VmHWM"), Some(1_024));
        assert_eq!(linux::number(status, "Vm"), None);
    }

    #[test]
    fn all_of_celerys_names_are_there() {
        let numbers = own().unwrap();
        let mut names: Vec<_> = numbers.keys().map(String::as_str).collect();
        names.sort_unstable();
        let expected = [
            "idrss", "inblock", "isrss", "ixrss", "majflt", "maxrss", "minflt", "msgrcv", "msgsnd",
            "nivcsw", "nsignals", "nswap", "nvcsw", "oublock", "stime", "utime",
        ];
        assert_eq!(names, expected);
        for name in ["maxrss", "minflt", "nvcsw"] {
            assert!(numbers[name].as_u64().unwrap() > 0, "{name}: {numbers:?}");
        }
    }
}
