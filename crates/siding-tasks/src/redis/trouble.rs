//! What errors of a server mean.

use std::fmt;

use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};

use crate::broker::BrokerError;

/// What servers say that cannot take writes because they are replicas, or were cut off from theirs.
const NO_MASTER: [&str; 3] = ["READONLY", "MASTERDOWN", "NOREPLICAS"];

/// The error for callers. `server` says where it comes from.
pub(super) fn told(server: impl fmt::Display, error: &RedisError) -> BrokerError {
    let is_refusal = matches!(error.code(), Some("WRONGPASS" | "NOAUTH"));
    match error.kind() {
        kind if is_refusal || kind == ErrorKind::AuthenticationFailed => BrokerError::Broken(
            format!("{server} refused the user or the password: {error}"),
        ),
        ErrorKind::Server(ServerErrorKind::NoPerm) => BrokerError::Broken(format!(
            "{server} does not permit its user what tasks need: {error}"
        )),
        _ if is_no_master(error) => BrokerError::Unavailable(format!(
            "{server} is no master now, and takes no tasks: {error}"
        )),
        ErrorKind::Server(_) => BrokerError::Unavailable(format!("{server} refused: {error}")),
        _ if error.is_timeout() => {
            BrokerError::Unavailable(format!("{server} did not answer in time"))
        }
        _ => BrokerError::Unavailable(format!("{server} cannot be reached: {error}")),
    }
}

/// Whether another server should be asked instead, once it is known which.
pub(super) fn is_no_master(error: &RedisError) -> bool {
    let errors = error.clone().into_server_errors();
    errors.is_some_and(|errors| errors.iter().any(|(_, error)| says_no_master(error)))
}

/// Redis 6 has the word inside what it says of a script, where later ones have it in front.
fn says_no_master(error: &ServerError) -> bool {
    let words = error.details().unwrap_or_default().split([' ', ':']);
    let mut inside = words.filter_map(|word| word.strip_prefix('-'));
    NO_MASTER.contains(&error.code()) || inside.any(|word| NO_MASTER.contains(&word))
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    fn error(line: &str) -> RedisError {
        let value = parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        value.extract_error().unwrap_err()
    }

    /// The texts of Redis 6.2 and 7.0.
    #[test]
    fn a_server_that_takes_no_writes_is_no_master() {
        for line in [
            "READONLY You can't write against a read only replica.",
            "READONLY You can't write against a read only replica. script: 2bab3b66, on @user_script:1.",
            "ERR Error running script (call to f_2bab3b66): @user_script:1: @user_script: 1: -READONLY You can't write against \
             a read only replica. ",
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "NOREPLICAS Not enough good replicas to write.",
        ] {
            let error = error(line);
            assert!(is_no_master(&error), "{line}");
            let told = told("it", &error);
            assert!(matches!(told, BrokerError::Unavailable(_)), "{told:?}");
        }
        for line in [
            "ERR no such key READONLY",
            "OOM command not allowed when used memory > 'maxmemory'.",
        ] {
            assert!(!is_no_master(&error(line)), "{line}");
        }
    }
}
