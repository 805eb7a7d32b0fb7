//! How many more threads the system would let this process have.
//!
//! A process that reaches its container's `pids.max` can start nothing any more, a shell for its operator included; one
//! that reaches `threads-max` takes every other process along. So the pool stays below every limit it can read by a
//! reserve of a tenth of that limit, 32 threads at least. What cannot be read does not limit: a refused thread is not
//! fatal, see the keeper.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

const RESERVE_MIN: usize = 32;

/// A limit and what is used of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    max: usize,
    used: usize,
}

impl Limit {
    fn room(self) -> usize {
        let reserve = (self.max / 10).max(RESERVE_MIN);
        self.max.saturating_sub(reserve).saturating_sub(self.used)
    }
}

/// Threads that may be started now; `usize::MAX` when nothing limits them.
pub(super) fn room() -> usize {
    let kernel = [
        kernel_wide("/proc/sys/kernel/threads-max"),
        kernel_wide("/proc/sys/kernel/pid_max"),
        memory_maps(),
        user_wide(),
    ];
    let cgroups = read::<String>("/proc/self/cgroup")
        .map(|list| control_groups(&list, Path::new("/sys/fs/cgroup")))
        .unwrap_or_default();
    let limits = kernel.into_iter().flatten().chain(cgroups);
    limits.map(Limit::room).min().unwrap_or(usize::MAX)
}

/// A limit on all threads of the machine.
fn kernel_wide(path: &str) -> Option<Limit> {
    // `/proc/loadavg` is `0.00 0.01 0.05 running/all last-pid`.
    let load = read::<String>("/proc/loadavg")?;
    let (_, all) = load.split_whitespace().nth(3)?.split_once('/')?;
    Some(Limit {
        max: read(path)?,
        used: all.parse().ok()?,
    })
}

/// A thread's stack takes two memory maps, itself and its guard page. When a process has used up its maps, the allocator
/// gets no memory any more.
fn memory_maps() -> Option<Limit> {
    Some(Limit {
        max: read::<usize>("/proc/sys/vm/max_map_count")? / 2,
        used: own_threads()?,
    })
}

/// `RLIMIT_NPROC` counts the threads of the user, in all processes; known here are only those of this one. It does not bind
/// the superuser.
fn user_wide() -> Option<Limit> {
    if rustix::process::geteuid().is_root() {
        return None;
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nproc);
    Some(Limit {
        max: usize::try_from(limit.current?).ok()?,
        used: own_threads()?,
    })
}

fn own_threads() -> Option<usize> {
    let status = read::<String>("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Threads:"))?;
    line.trim().parse().ok()
}

/// The `pids` limits of this process's control group and of all groups above it, from `/proc/self/cgroup` as `list`:
/// lines of `id:controllers:path`, without controllers for version 2.
fn control_groups(list: &str, mount: &Path) -> Vec<Limit> {
    let mut limits = Vec::new();
    for line in list.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
            continue;
        };
        let root = match controllers {
            "" => mount.to_path_buf(),
            _ if controllers.split(',').any(|name| name == "pids") => mount.join("pids"),
            _ => continue,
        };
        // Inside a container the path may be the one that the host knows; then only the root is found here.
        limits.extend(groups(&root, path).filter_map(|group| pids(&group)));
    }
    limits
}

/// The group at `path` and all above it.
fn groups(root: &Path, path: &str) -> impl Iterator<Item = PathBuf> {
    let group = root.join(path.trim_start_matches('/'));
    let above = group.ancestors().map(Path::to_path_buf).collect::<Vec<_>>();
    let root = root.to_path_buf();
    above
        .into_iter()
        .filter(move |group| group.starts_with(&root))
}

fn pids(group: &Path) -> Option<Limit> {
    Some(Limit {
        max: read(group.join("pids.max"))?,
        used: read(group.join("pids.current"))?,
    })
}

/// The content of a small file; `None` when it cannot be read or, like `max`, is no number where one is asked for.
fn read<T: FromStr>(path: impl AsRef<Path>) -> Option<T> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_kept() {
        let room = |max, used| Limit { max, used }.room();
        assert_eq!(room(1_000, 100), 800);
        assert_eq!(room(100, 8), 60);
        assert_eq!(room(100, 90), 0);
        assert_eq!(room(10, 5), 0);
    }

    #[test]
    fn every_group_on_the_way_up_limits() {
        let mount = std::env::temp_dir().join(format!("siding-ceiling-{}", std::process::id()));
        let write = |path: &str, max: &str, current: &str| {
            let group = mount.join(path);
            fs::create_dir_all(&group).unwrap();
            fs::write(group.join("pids.max"), max).unwrap();
            fs::write(group.join("pids.current"), current).unwrap();
        };
        write("pids/a", "500\n", "7\n");
        write("pids/a/b", "max\n", "7\n");
        write("c", "300\n", "9\n");
        let limits = control_groups("5:memory:/x\n8:pids:/a/b\n0::/c\n", &mount);
        fs::remove_dir_all(&mount).unwrap();
        let expected = [Limit { max: 500, used: 7 }, Limit { max: 300, used: 9 }];
        assert_eq!(limits, expected);
    }
}
