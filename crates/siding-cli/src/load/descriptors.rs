//! The number of files, and so of connections, that this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are open beside the connections of a measurement: standard streams, the
/// runtime's own, the probe's connections.
const OTHERS: u64 = 512;

/// The limit on open files is too small for a measurement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("needs {needed} open files, the hard limit is {limit} (raise it with `ulimit -Hn`)")]
pub struct TooFewDescriptors {
    needed: u64,
    limit: u64,
}

/// Raises this process's soft `RLIMIT_NOFILE` to the hard one; servers started later inherit it.
///
/// A system that refuses keeps the old limit, which [`ensure_descriptors`] then finds too small.
pub fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let _ = setrlimit(Resource::Nofile, raised);
}

/// Checks that `connections` can be open at once.
///
/// # Errors
///
/// When the limit is smaller than that and a few hundred other descriptors.
pub fn ensure_descriptors(connections: usize) -> Result<(), TooFewDescriptors> {
    let needed = u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(OTHERS);
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < needed => Err(TooFewDescriptors { needed, limit }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_connections_always_fit() {
        raise_descriptor_limit();
        assert_eq!(ensure_descriptors(1), Ok(()));
    }

    #[test]
    fn too_many_are_refused_with_the_numbers() {
        let Some(limit) = getrlimit(Resource::Nofile).current else {
            return;
        };
        let error = ensure_descriptors(usize::try_from(limit).unwrap()).unwrap_err();
        assert!(error.to_string().contains(&limit.to_string()));
    }
}
