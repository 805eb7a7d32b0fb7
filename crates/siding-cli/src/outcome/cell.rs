//! One server's figure in one row.

use std::fmt;

use super::Quantity;
use crate::stats::median;

use super::Unit;

/// What one server did in one row of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// The figure, and the repetitions that it summarises.
    Measured {
        /// The median, percentile or maximum, as the row says.
        figure: Quantity,
        /// The figure of each repetition, in the same unit, where the row has repetitions.
        samples: Vec<f64>,
    },
    /// The limit ended the measurement: the true figure is larger than this one.
    Beyond {
        /// The limit.
        limit: Quantity,
        /// What had been achieved by then.
        reason: String,
    },
    /// Not measured, for a reason that is nobody's fault.
    Skipped(String),
    /// Measured, but with requests that failed.
    Failed(String),
    /// Could not be measured.
    NotMeasured(String),
}

impl Cell {
    /// A single figure.
    #[must_use]
    pub fn of(figure: Quantity) -> Self {
        Self::Measured {
            figure,
            samples: Vec::new(),
        }
    }

    /// The median of repetitions; [`Cell::NotMeasured`] when there are none.
    #[must_use]
    pub fn median_of(samples: Vec<f64>, unit: Unit) -> Self {
        match median(&samples) {
            Some(value) => Self::Measured {
                figure: unit.of(value),
                samples,
            },
            None => Self::NotMeasured("there was nothing to measure".to_owned()),
        }
    }

    /// The figure, where there is one.
    #[must_use]
    pub fn figure(&self) -> Option<Quantity> {
        match self {
            Self::Measured { figure, .. } => Some(*figure),
            Self::Beyond { .. } | Self::Skipped(_) | Self::Failed(_) | Self::NotMeasured(_) => None,
        }
    }

    /// The figure, or the limit that it is beyond.
    #[must_use]
    pub fn at_least(&self) -> Option<Quantity> {
        match self {
            Self::Beyond { limit, .. } => Some(*limit),
            other => other.figure(),
        }
    }

    /// Why there is no figure, where there is none.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Measured { .. } => None,
            Self::Beyond { reason, .. }
            | Self::Skipped(reason)
            | Self::Failed(reason)
            | Self::NotMeasured(reason) => Some(reason),
        }
    }
}

/// Short enough for a table; [`Cell::reason`] has the rest.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measured { figure, .. } => figure.fmt(f),
            Self::Beyond { limit, .. } => write!(f, "> {limit}"),
            Self::Skipped(_) => f.write_str("skipped"),
            Self::Failed(_) => f.write_str("failed"),
            Self::NotMeasured(_) => f.write_str("no figure"),
        }
    }
}
