//! What was measured, what it must be, and whether it is.

mod case_report;
mod cell;
mod plot;
mod quantity;
mod requirement;

pub use case_report::{CaseReport, Row, Verdict, exit_of};
pub use cell::Cell;
pub use plot::{Plot, Point};
pub use quantity::{Quantity, Unit};
pub use requirement::Requirement;
