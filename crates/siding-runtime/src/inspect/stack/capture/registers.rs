//! [`Registers`]: where a walk of the stack begins.
#![expect(
    unsafe_code,
    reason = "the kernel hands a signal handler an untyped pointer"
)]

use framehop::UnwindRegsNative;

use super::super::super::activity::Syscall;

/// User space has 48-bit addresses; above them a signed return address carries its signature.
#[cfg(target_arch = "aarch64")]
const ADDRESS: framehop::aarch64::PtrAuthMask = framehop::aarch64::PtrAuthMask(u64::MAX >> 16);

/// What stands for a register that nobody tells: an address at which nothing is, so that a walk which needs it fails. Zero would not
/// do: it marks the end of a stack.
const NOT_KNOWN: u64 = 1;

/// The registers of a thread at the point where a signal interrupted it, or where it is blocked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Registers {
    pub(super) pc: u64,
    pub(super) sp: u64,
    pub(super) unwind: UnwindRegsNative,
}

impl Registers {
    /// Those of a thread that is blocked in `call`: the kernel tells two of them.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn blocked(call: &Syscall) -> Self {
        let Syscall { pc, sp, .. } = *call;
        Self {
            pc,
            sp,
            unwind: UnwindRegsNative::new(pc, sp, NOT_KNOWN),
        }
    }

    /// As above.
    #[cfg(target_arch = "aarch64")]
    pub(super) fn blocked(call: &Syscall) -> Self {
        let Syscall { pc, sp, .. } = *call;
        Self {
            pc,
            sp,
            unwind: UnwindRegsNative::new_with_ptr_auth_mask(ADDRESS, NOT_KNOWN, sp, NOT_KNOWN),
        }
    }

    /// # Safety
    ///
    /// `context` is the third argument of the signal handler that is running.
    #[cfg(target_arch = "x86_64")]
    pub(super) unsafe fn interrupted(context: *const libc::ucontext_t) -> Self {
        // SAFETY: the caller's promise; the kernel filled the structure in.
        let saved = unsafe { (*context).uc_mcontext.gregs };
        let register = |index: libc::c_int| saved[index.unsigned_abs() as usize].cast_unsigned();
        let [pc, sp, bp] = [libc::REG_RIP, libc::REG_RSP, libc::REG_RBP].map(register);
        Self {
            pc,
            sp,
            unwind: UnwindRegsNative::new(pc, sp, bp),
        }
    }

    /// # Safety
    ///
    /// `context` is the third argument of the signal handler that is running.
    #[cfg(target_arch = "aarch64")]
    pub(super) unsafe fn interrupted(context: *const libc::ucontext_t) -> Self {
        const FRAME_POINTER: usize = 29;
        const LINK: usize = 30;

        // SAFETY: the caller's promise; the kernel filled the structure in.
        let saved = unsafe { &(*context).uc_mcontext };
        let (link, frame) = (saved.regs[LINK], saved.regs[FRAME_POINTER]);
        Self {
            pc: saved.pc,
            sp: saved.sp,
            unwind: UnwindRegsNative::new_with_ptr_auth_mask(ADDRESS, link, saved.sp, frame),
        }
    }
}
