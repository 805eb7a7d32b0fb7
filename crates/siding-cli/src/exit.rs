//! The exit codes of the `siding` command, which scripts may rely on.

use std::process::ExitCode;

/// What the command tells its caller when it ends.
///
/// The numbers are part of the command's interface: they only change with a breaking release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every requirement that was measured is met; what should be shown was shown.
    AllMet,
    /// At least one requirement is missed, or a case had requests that failed.
    Missed,
    /// The command line could not be understood.
    Usage,
    /// A server could not be started or reached, a case could not be measured, or the run was interrupted.
    NotMeasured,
    /// The admin listener wants a token.
    TokenWanted,
}

impl Exit {
    /// Exit code of [`Exit::AllMet`].
    pub const ALL_MET: u8 = 0;
    /// Exit code of [`Exit::Missed`].
    pub const MISSED: u8 = 1;
    /// Exit code of [`Exit::Usage`]; the argument parser uses the same.
    pub const USAGE: u8 = 2;
    /// Exit code of [`Exit::NotMeasured`].
    pub const NOT_MEASURED: u8 = 3;
    /// Exit code of [`Exit::TokenWanted`].
    pub const TOKEN_WANTED: u8 = 4;

    /// The number that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::AllMet => Self::ALL_MET,
            Self::Missed => Self::MISSED,
            Self::Usage => Self::USAGE,
            Self::NotMeasured => Self::NOT_MEASURED,
            Self::TokenWanted => Self::TOKEN_WANTED,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
