//! [`Activity`]: what a thread is doing at this moment, seen from the kernel.

/// What a thread does now, as `/proc/self/task/<tid>/syscall` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    /// On a CPU, or ready for one.
    Running,
    /// Blocked in a system call.
    InSyscall(Syscall),
    /// Blocked, but in no system call: in a page fault, say, whose page comes from a disk.
    BlockedElsewhere,
}

/// A system call in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Syscall {
    pub(crate) number: u64,
    pub(crate) args: [u64; 6],
    /// The stack pointer and the program counter at the call.
    pub(crate) sp: u64,
    pub(crate) pc: u64,
}

impl Activity {
    /// Reads the text of a `syscall` file: `running`, `-1 SP PC`, or `NUMBER ARG0 .. ARG5 SP PC`.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "no /proc there"))]
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        match words.next()? {
            "running" => Some(Self::Running),
            "-1" => Some(Self::BlockedElsewhere),
            number => Some(Self::InSyscall(Syscall {
                number: number.parse().ok()?,
                args: hexadecimals(&mut words)?,
                sp: hexadecimal(&mut words)?,
                pc: hexadecimal(&mut words)?,
            })),
        }
    }
}

fn hexadecimals<'t, const N: usize>(words: &mut impl Iterator<Item = &'t str>) -> Option<[u64; N]> {
    let mut values = [0; N];
    for value in &mut values {
        *value = hexadecimal(words)?;
    }
    Some(values)
}

fn hexadecimal<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<u64> {
    u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_running_thread() {
        assert_eq!(Activity::parse("running\n"), Some(Activity::Running));
    }

    #[test]
    fn reads_a_block_outside_system_calls() {
        let text = "-1 0x7ffd1b2a3c48 0x55d0c1a2b3f4\n";
        assert_eq!(Activity::parse(text), Some(Activity::BlockedElsewhere));
    }

    #[test]
    fn reads_a_system_call() {
        let text = "230 0x1 0x0 0x7fff2fbb3a8 0x7fff2fbb3a8 0x22 0xffffffff 0x7ffff2fbb3a8 0x7efffc4cc2ad\n";
        let call = Syscall {
            number: 230,
            args: [1, 0, 0x7ff_f2fb_b3a8, 0x7ff_f2fb_b3a8, 0x22, 0xffff_ffff],
            sp: 0x7fff_f2fb_b3a8,
            pc: 0x7eff_fc4c_c2ad,
        };
        assert_eq!(Activity::parse(text), Some(Activity::InSyscall(call)));
    }

    #[test]
    fn refuses_other_text() {
        for text in ["", "sleeping", "230 0x1 0x0", "230 1 2 3 4 5 6 7 8"] {
            assert_eq!(Activity::parse(text), None, "{text:?}");
        }
    }
}
