//! [`Walker`]: walks a stack inside a signal handler, in memory that was prepared before.
#![expect(unsafe_code, reason = "reads the words of a stack by their addresses")]

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::ptr;

use framehop::{CacheNative, MustNotAllocateDuringUnwind, Unwinder, UnwinderNative};

use super::super::super::linux::memory;
use super::super::{RawStack, StackBounds, Walked};
use super::modules::{self, Version};
use super::registers::Registers;

/// Frames beyond this are left out: the innermost ones say what the thread is stuck in.
const DEPTH_MAX: usize = 128;

/// What the signal and the walk need of the stack they run on, with a margin: 4 KiB as measured in a release build and
/// 33 KiB in a debug build.
const HEADROOM: usize = 64 * 1024;

const NOWHERE: StackBounds = StackBounds { low: 0, high: 0 };

/// Unwind tables, scratch memory, and the frames of the last walk. It is large, and moves as one.
pub(super) struct Walker {
    unwinder: UnwinderNative<Cow<'static, [u8]>, MustNotAllocateDuringUnwind>,
    cache: CacheNative<MustNotAllocateDuringUnwind>,
    version: Option<Version>,
    bounds: StackBounds,
    addresses: [usize; DEPTH_MAX],
    depth: usize,
}

impl Walker {
    /// Collects the tables of everything loaded now. This allocates, and takes milliseconds.
    pub(super) fn new() -> Self {
        let version = modules::version();
        let mut unwinder = UnwinderNative::new();
        for module in modules::loaded() {
            unwinder.add_module(module);
        }
        Self {
            unwinder,
            cache: CacheNative::default(),
            version,
            bounds: NOWHERE,
            addresses: [0; DEPTH_MAX],
            depth: 0,
        }
    }

    /// Whether the tables are still those of everything loaded.
    pub(super) fn is_current(&self) -> bool {
        modules::version() == self.version
    }

    /// Forgets the last walk and gets ready for one of the stack within `bounds`.
    pub(super) fn prepare(&mut self, bounds: StackBounds) {
        self.bounds = bounds;
        self.depth = 0;
    }

    /// Walks from `registers` outwards. For signal handlers: it neither allocates nor locks, and reads no memory but
    /// the tables and the live part of the stack, from the stack pointer to the stack's high end.
    ///
    /// A thread that is somewhere else than on its own stack (a coroutine's, say), or almost at its end, gets the
    /// innermost frame only.
    pub(super) fn walk(&mut self, registers: Registers) {
        let (bounds, sp) = (self.bounds, registers.sp as usize);
        let has_room = bounds.contains(sp) && sp - bounds.low >= HEADROOM;
        let depth_max = if has_room { DEPTH_MAX } else { 1 };
        let live = sp..bounds.high;
        // A stack that breaks off is of use too.
        let _ = self.follow(registers, depth_max, |address| read_word(&live, address));
    }

    /// Walks the stack of another thread, which is blocked. If it goes on meanwhile, the frames make no sense, and nothing worse.
    pub(super) fn walk_from_outside(&mut self, registers: Registers) -> Option<Walked> {
        let live = registers.sp as usize..self.bounds.high;
        let end = self.follow(registers, DEPTH_MAX, |address| {
            let is_live = is_word_of(&live, address);
            let bytes = is_live.then(|| memory::read_array(address)).flatten();
            bytes.map(u64::from_ne_bytes).ok_or(())
        });
        let stack = self.stack()?;
        Some(match end {
            End::Reached => Walked::Whole(stack),
            End::Lost => Walked::Part(stack),
        })
    }

    fn follow(
        &mut self,
        registers: Registers,
        depth_max: usize,
        mut read: impl FnMut(u64) -> Result<u64, ()>,
    ) -> End {
        let mut frames =
            self.unwinder
                .iter_frames(registers.pc, registers.unwind, &mut self.cache, &mut read);
        while self.depth < depth_max {
            let frame = match frames.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => return End::Reached,
                Err(_) => return End::Lost,
            };
            self.addresses[self.depth] = frame.address_for_lookup() as usize;
            self.depth += 1;
        }
        End::Reached
    }

    /// The frames of the last walk, `None` if there was none since the walker was prepared.
    pub(super) fn stack(&self) -> Option<RawStack> {
        let addresses = &self.addresses[..self.depth];
        (!addresses.is_empty()).then(|| RawStack {
            addresses: addresses.into(),
        })
    }
}

/// Where a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// At the thread's first function, or as deep as it was to go.
    Reached,
    /// On the way: something that the next frame depends on was not known.
    Lost,
}

impl fmt::Debug for Walker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walker")
            .field("bounds", &self.bounds)
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

/// The aligned word at `address`, if it lies in `live`, a part of this thread's stack.
fn read_word(live: &Range<usize>, address: u64) -> Result<u64, ()> {
    if !is_word_of(live, address) {
        return Err(());
    }
    let address = address as usize;
    // SAFETY: from its stack pointer to its high end a thread's stack is mapped. The walk runs on that thread, so
    // nobody changes the word meanwhile; volatile, because the compiler knows it as somebody's local variable.
    Ok(unsafe { ptr::with_exposed_provenance::<u64>(address).read_volatile() })
}

fn is_word_of(live: &Range<usize>, address: u64) -> bool {
    let address = address as usize;
    let end = address.checked_add(size_of::<u64>());
    live.contains(&address)
        && end.is_some_and(|end| end <= live.end)
        && address.is_multiple_of(align_of::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_words_within_the_live_stack_only() {
        let words = [1_u64, 2, 3];
        let start = words.as_ptr().expose_provenance();
        let live = start..start + 16;
        assert_eq!(read_word(&live, start as u64), Ok(1));
        assert_eq!(read_word(&live, start as u64 + 8), Ok(2));
        for outside in [
            start as u64 - 8,
            start as u64 + 4,
            start as u64 + 16,
            u64::MAX - 7,
        ] {
            assert_eq!(read_word(&live, outside), Err(()));
        }
    }

    #[test]
    fn no_walk_is_no_stack() {
        assert_eq!(Walker::new().stack(), None);
    }
}
