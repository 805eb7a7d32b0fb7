//! How urgent a task is.

/// How urgent a task is: 0 to 9, and 9 comes first, whatever the broker's own numbers mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// The most urgent.
    pub const MAX: Self = Self(9);

    /// The priority of this number, or `None` above 9.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        match number {
            0..=9 => Some(Self(number)),
            _ => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}
