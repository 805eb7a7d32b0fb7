//! Canvas: chains, groups and chords, on the wire as Celery writes them.
//!
//! A signature stands for one task or, by its [`Shape`](shape::Shape), for several. [`head`](head::head) turns any of them into what is sent first,
//! with the rest in its options; [`expand`] makes messages of that; [`after_success`] and its neighbours do the same
//! with what a message carries along when its task ends.
//!
//! # Members
//! A task that is part of a group or of a chord's header is a [`Member`](options::Member): it knows the group, its place in it, and the
//! body. Of a chain, the last task is the member. Groups inside of groups are one group; a chord inside of a group is
//! there by its body. So a group's result is always flat: one value a task that nothing follows.

mod after;
mod expand;
mod head;
mod options;
mod priority;
mod shape;
#[cfg(test)]
mod tests;

#[cfg(feature = "celery")]
pub(crate) use after::{Fallen, FallenBody, Place, fallen_body, fallen_with, place_of};
pub(crate) use after::{after_failure, after_success, chord_body, fallout};
pub(crate) use expand::{Family, expand};
pub(crate) use head::{freeze, freeze_by, leaves};
pub(crate) use priority::{NEUTRAL_PRIORITY, number_priorities};
pub(crate) use shape::Shape;

/// Why a signature cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("the signature of {task} cannot be sent: {kind}")]
pub struct CanvasError {
    task: String,
    kind: Kind,
}

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("its {option:?} is not what it should be: {source}")]
    Option {
        option: &'static str,
        source: serde_json::Error,
    },
    #[error("its {option:?} is {value}, which is no {expected}")]
    Value {
        option: &'static str,
        value: String,
        expected: &'static str,
    },
    #[error("it is a {0:?}, where `chain`, `group`, `chord` or nothing is understood")]
    UnknownType(String),
}

impl CanvasError {
    fn new(task: &str, kind: Kind) -> Self {
        Self {
            task: task.to_owned(),
            kind,
        }
    }

    fn option(task: &str, option: &'static str) -> impl FnOnce(serde_json::Error) -> Self {
        move |source| Self::new(task, Kind::Option { option, source })
    }
}
