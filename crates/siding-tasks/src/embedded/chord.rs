//! Counting the parts of a chord.

use super::end;
use super::live::Place;
use super::tx::Tx;
use crate::canvas;
use crate::message::{Message, RawJson};

/// Counts `message`, which has succeeded, and sends the body when it was the last. A part counts once, however often it is
/// settled, and not at all when the chord has failed.
pub(super) fn count(
    tx: &mut Tx<'_>,
    message: &Message,
    place: &Place,
    result: &RawJson,
) -> rusqlite::Result<()> {
    let group = &place.group;
    let counted = tx.change(
        "INSERT INTO chord_parts (group_id, id, place, result)
         SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM chords WHERE group_id = ?1)
         ON CONFLICT DO NOTHING",
        (group, &message.id, place.index, result.get()),
    )?;
    if counted == 0 {
        return Ok(());
    }
    let complete = tx.first(
        "UPDATE chords SET parts = parts + 1 WHERE group_id = ?1 RETURNING parts >= size",
        [group],
        |row| row.get(0),
    )?;
    match complete {
        Some(true) => send_body(tx, message, group),
        _ => Ok(()),
    }
}

fn send_body(tx: &mut Tx<'_>, last: &Message, group: &str) -> rusqlite::Result<()> {
    let results = tx.rows(
        "SELECT result FROM chord_parts WHERE group_id = ?1 ORDER BY place IS NULL, place, id",
        [group],
        |row| row.get::<_, String>(0),
    )?;
    tx.change("DELETE FROM chord_parts WHERE group_id = ?1", [group])?;
    tx.change("DELETE FROM chords WHERE group_id = ?1", [group])?;
    let Some(body) = &last.embed.chord else {
        return Ok(());
    };
    // What is stored as a result was JSON when it came.
    let results = results
        .into_iter()
        .map(|text| RawJson::parse(text).unwrap_or_else(|_| RawJson::null()));
    let body = canvas::chord_body(body, &results.collect::<Vec<_>>(), last, tx.now);
    end::send(tx, last, body)
}
