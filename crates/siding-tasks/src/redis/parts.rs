//! A part of a chord as Celery's counters keep it: `[1, id, state, result]`.

use std::borrow::Cow;

use crate::celery::python::{inward, outward};
use crate::celery::results::Part;
use crate::message::{RawJson, State, TaskId};

pub(super) fn write(part: &Part) -> String {
    let text = (1, part.id.as_str(), part.state.as_str(), &part.value);
    // Numbers, text, and what is JSON already.
    let text = serde_json::to_string(&text).unwrap_or_default();
    outward(&text).map_or_else(|_| text.clone(), Cow::into_owned)
}

/// What cannot be read is a part that failed: nothing can be made of the chord.
pub(super) fn read(group: &str, text: &str) -> Part {
    let read: Result<(u8, TaskId, String, RawJson), _> = serde_json::from_str(&inward(text));
    let (id, state, value) = match read {
        Ok((_, id, state, value)) => (id, State::parse(&state), value),
        Err(error) => {
            tracing::error!(group, %error, "a part of a chord cannot be read");
            (TaskId::from("unknown"), None, RawJson::null())
        }
    };
    Part {
        group: group.to_owned(),
        index: None,
        id,
        state: state.unwrap_or(State::Failure),
        value,
    }
}

/// The result of a group, if one was saved: `{"result": [[id, parent], children]}`.
pub(super) fn shape(text: &str) -> Option<RawJson> {
    #[derive(serde::Deserialize)]
    struct Saved {
        result: RawJson,
    }
    serde_json::from_str::<Saved>(&inward(text))
        .ok()
        .map(|saved| saved.result)
}
