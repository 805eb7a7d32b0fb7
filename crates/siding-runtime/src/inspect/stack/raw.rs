//! [`RawStack`]: a stack as addresses.

/// A captured stack before it has names: one address inside each frame's current instruction, innermost first.
///
/// For callers that is the call itself, one byte before the return address, because the instruction after a call
/// may belong to another line or even to another function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawStack {
    pub(super) addresses: Box<[usize]>,
}

impl RawStack {
    #[cfg(all(test, not(siding_model)))]
    pub(crate) fn depth(&self) -> usize {
        self.addresses.len()
    }
}

/// A stack that was read from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Walked {
    /// To the thread's first function, or as deep as a walk goes.
    Whole(RawStack),
    /// The innermost frames: further out, a register would have been needed that only the thread itself has.
    Part(RawStack),
}
