//! Priorities in signatures.
//!
//! Celery writes a signature's priority as the number that its broker counts with, and on Redis 0 comes first. A signature
//! that is made here may be made before there is a broker, so it says [`NEUTRAL_PRIORITY`] until it is sent.

use std::collections::BTreeMap;

use super::CanvasError;
use crate::message::{Priority, RawJson, Signature};

/// The option of a priority that is not the broker's number yet.
pub(crate) const NEUTRAL_PRIORITY: &str = "siding_priority";

/// `signature` with every priority, its own and those of its parts, as the broker's `number`.
pub(crate) fn number_priorities(
    signature: Signature,
    number: impl Fn(Priority) -> Priority,
) -> Result<Signature, CanvasError> {
    let whole = super::shape::json(&signature);
    if !whole.get().contains(NEUTRAL_PRIORITY) {
        return Ok(signature);
    }
    numbered(&whole, &number)
        .and_then(|numbered| numbered.read())
        .map_err(CanvasError::option(&signature.task, "priority"))
}

/// Only what has such a priority in it is taken apart.
fn numbered(
    value: &RawJson,
    number: &impl Fn(Priority) -> Priority,
) -> Result<RawJson, serde_json::Error> {
    let text = value.get();
    if !text.contains(NEUTRAL_PRIORITY) {
        return Ok(value.clone());
    }
    match text.as_bytes().first() {
        Some(b'[') => {
            let list: Vec<RawJson> = value.read()?;
            let list = list.iter().map(|item| numbered(item, number));
            RawJson::of(&list.collect::<Result<Vec<_>, _>>()?)
        }
        Some(b'{') => {
            let mut map: BTreeMap<String, RawJson> = value.read()?;
            for (name, part) in &mut map {
                *part = numbered(part, number)?;
                if name == "options" {
                    *part = options(part, number)?;
                }
            }
            RawJson::of(&map)
        }
        _ => Ok(value.clone()),
    }
}

fn options(
    options: &RawJson,
    number: &impl Fn(Priority) -> Priority,
) -> Result<RawJson, serde_json::Error> {
    let mut map: BTreeMap<String, RawJson> = options.read()?;
    if let Some(priority) = map.remove(NEUTRAL_PRIORITY) {
        let priority = Priority::new(priority.read()?).unwrap_or(Priority::MAX);
        map.insert("priority".to_owned(), RawJson::of(&number(priority).get())?);
    }
    RawJson::of(&map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_are_numbered_at_every_depth() {
        let text = r#"{"task": "celery.chain", "subtask_type": "chain", "options": {}, "kwargs": {"tasks": [
            {"task": "a", "args": [184467440737095516150], "options": {"siding_priority": 9}},
            {"task": "b", "options": {"priority": 4, "link": [{"task": "c", "options": {"siding_priority": 0}}]}}]}}"#;
        let signature: Signature = serde_json::from_str(text).unwrap();
        let reverse = |priority: Priority| Priority::new(9 - priority.get()).unwrap();
        let numbered = number_priorities(signature, reverse).unwrap();
        let parts: Vec<Signature> = numbered.kwargs["tasks"].read().unwrap();
        let number = |signature: &Signature| signature.options.read::<u8>("priority").unwrap();
        assert_eq!(number(&parts[0]), Some(0));
        assert_eq!(parts[0].args[0].get(), "184467440737095516150");
        assert_eq!(number(&parts[1]), Some(4));
        let linked: Vec<Signature> = parts[1].options.read("link").unwrap().unwrap();
        assert_eq!(number(&linked[0]), Some(9));
    }
}
