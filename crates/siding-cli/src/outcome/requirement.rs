//! What a measured figure must be.

use std::fmt;

use super::Quantity;

/// A bound on a figure of the service that the requirements are about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Requirement {
    /// No more than this.
    AtMost(Quantity),
    /// No less than this.
    AtLeast(Quantity),
    /// Less than this.
    Below(Quantity),
}

impl Requirement {
    /// Whether `figure`, which has the requirement's unit, is within the bound.
    ///
    /// # Panics
    ///
    /// When the units differ: a case compares what cannot be compared.
    #[must_use]
    pub fn is_met_by(self, figure: Quantity) -> bool {
        assert_eq!(
            figure.unit,
            self.bound().unit,
            "a figure and its bound share a unit"
        );
        match self {
            Self::AtMost(bound) => figure.value <= bound.value,
            Self::AtLeast(bound) => figure.value >= bound.value,
            Self::Below(bound) => figure.value < bound.value,
        }
    }

    /// The number in it.
    #[must_use]
    pub fn bound(self) -> Quantity {
        match self {
            Self::AtMost(bound) | Self::AtLeast(bound) | Self::Below(bound) => bound,
        }
    }

    /// The sign before the number.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::AtMost(_) => "≤",
            Self::AtLeast(_) => "≥",
            Self::Below(_) => "<",
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sign(), self.bound())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Unit;

    #[test]
    fn bounds_include_their_number_except_below() {
        let one = Unit::Ratio.of(1.0);
        assert!(Requirement::AtMost(one).is_met_by(one));
        assert!(Requirement::AtLeast(one).is_met_by(one));
        assert!(!Requirement::Below(one).is_met_by(one));
        assert_eq!(
            Requirement::AtMost(Unit::Seconds.of(1.1)).to_string(),
            "≤ 1.10 s"
        );
    }

    #[test]
    #[should_panic(expected = "share a unit")]
    fn units_must_agree() {
        let _ = Requirement::AtMost(Unit::Seconds.of(1.0)).is_met_by(Unit::Ratio.of(1.0));
    }
}
