//! How long resources may take.

use std::time::Duration;

/// How long an application's resources may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifespanSettings {
    /// Each resource to open: 30 s unless set. Then the application does not start.
    pub open_limit: Duration,
    /// All of them together to close: 10 s unless set. What has not closed then is left to the operating system, which closes
    /// sockets and files when the process ends.
    pub close_limit: Duration,
    /// Each to answer `/ready`: 2 s unless set. Then it counts as failing until it answers.
    pub check_limit: Duration,
}

impl Default for LifespanSettings {
    fn default() -> Self {
        Self {
            open_limit: Duration::from_secs(30),
            close_limit: Duration::from_secs(10),
            check_limit: Duration::from_secs(2),
        }
    }
}
