//! Why there is no answer about users.

use std::error::Error;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

type BoxError = Box<dyn Error + Send + Sync>;

/// Why there is no answer about users. What clients are told of it is in `errors.rs`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsersError {
    /// No user has this id.
    #[error("no user has the id {0}")]
    NotFound(i64),
    /// Addresses are unique.
    #[error("another user has this email address")]
    EmailTaken,
    /// This program was built without the client.
    #[error("{0}")]
    LeftOut(&'static str),
    /// The database is away, busy or full, which may pass.
    #[error("the users' database does not answer: {0}")]
    Unavailable(BoxError),
    /// The database refused what this program wanted, which will not pass.
    #[error("the users' database refused: {0}")]
    Failed(BoxError),
}

impl From<sqlx::Error> for UsersError {
    fn from(error: sqlx::Error) -> Self {
        let Some(refused) = error.as_database_error() else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Self::Unavailable(error.into()),
                _ => Self::Failed(error.into()),
            };
        };
        if refused.is_unique_violation() {
            return Self::EmailTaken;
        }
        // MySQL has one code for much, the end of a wait for a lock included.
        let passes = refused.code().is_some_and(|code| may_pass(&code));
        match passes || words_may_pass(refused.message()) {
            true => Self::Unavailable(error.into()),
            false => Self::Failed(error.into()),
        }
    }
}

/// Whether what a code of SQLSTATE, or of SQLite, stands for may pass: connections, resources, interventions of an operator
/// and limits on time; a file that is locked.
fn may_pass(code: &str) -> bool {
    ["08", "53", "57"]
        .iter()
        .any(|class| code.starts_with(class))
        || matches!(code, "5" | "6")
}

impl From<DieselError> for UsersError {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::EmailTaken,
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _)
            | DieselError::BrokenTransactionManager => Self::Unavailable(error.into()),
            DieselError::DatabaseError(_, refused) if words_may_pass(refused.message()) => {
                Self::Unavailable(error.into())
            }
            _ => Self::Failed(error.into()),
        }
    }
}

/// The same by words, where a code tells nothing, or there is none, as from diesel.
fn words_may_pass(message: &str) -> bool {
    let passing = [
        "database is locked",
        "canceling statement",
        "Query execution was interrupted",
        "Lock wait timeout",
        "Lost connection",
        "gone away",
        "terminating connection",
    ];
    passing.iter().any(|words| message.contains(words))
}

impl From<diesel::r2d2::Error> for UsersError {
    fn from(error: diesel::r2d2::Error) -> Self {
        match error {
            diesel::r2d2::Error::ConnectionError(error) => Self::Unavailable(error.into()),
            diesel::r2d2::Error::QueryError(error) => error.into(),
        }
    }
}

impl From<diesel::r2d2::PoolError> for UsersError {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::Unavailable(error.into())
    }
}
