//! Looking, on a connection of its own.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::broker::{Found, ListFilter, Listed, QueueCount};
use crate::message::{Exception, Meta, Priority, RawJson, State, TaskId, Timestamp, wire};

/// What `live` and `done` have in common, in the order that [`listed`] reads it in.
const LIVE: &str = "SELECT seq, id, task, queue, priority, sent_at, eta, deliveries, message, retries, worker,
    parent_id, group_id, exc_type, exc_module, exc_message, traceback,
    CASE WHEN lease_until IS NOT NULL THEN 'STARTED' WHEN exc_type IS NOT NULL THEN 'RETRY' ELSE 'PENDING' END AS state,
    NULL, NULL, NULL FROM live";
const DONE: &str =
    "SELECT seq, id, task, queue, priority, sent_at, NULL, deliveries, message, retries, worker,
    parent_id, group_id, exc_type, exc_module, exc_message, traceback, state,
    result, children, done_at FROM done";

pub(super) fn find(conn: &Connection, id: &TaskId) -> rusqlite::Result<Found> {
    // Both in one statement, so that a task which ends meanwhile is seen on one side of it.
    let sql = format!("{LIVE} WHERE id = ?1 UNION ALL {DONE} WHERE id = ?1");
    let found = conn
        .prepare_cached(&sql)?
        .query_row([id], listed)
        .optional()?;
    Ok(found.map_or(Found::Unknown, |listed| Found::Known(listed.meta)))
}

/// The newest first.
pub(super) fn list(conn: &Connection, filter: &ListFilter) -> rusqlite::Result<Vec<Listed>> {
    let before = filter.before.and_then(|before| i64::try_from(before).ok());
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    if filter.state.is_none_or(|state| !state.is_ready()) {
        found.extend(some_of(conn, LIVE, filter, before, limit)?);
    }
    if filter.state.is_none_or(State::is_ready) {
        found.extend(some_of(conn, DONE, filter, before, limit)?);
    }
    found.sort_unstable_by_key(|listed| std::cmp::Reverse(listed.position));
    found.truncate(filter.limit);
    Ok(found)
}

fn some_of(
    conn: &Connection,
    table: &str,
    filter: &ListFilter,
    before: Option<i64>,
    limit: i64,
) -> rusqlite::Result<Vec<Listed>> {
    // A literal, so that the index of dead letters is used for them.
    let state = match filter.state {
        Some(state) => format!("state = '{}'", state.as_str()),
        None => "TRUE".to_owned(),
    };
    // Only so does a single id use its index.
    let id = match filter.id {
        Some(_) => "id = :id",
        None => ":id IS NULL",
    };
    let sql = format!(
        "{table} WHERE {state} AND {id} AND seq < :before AND (:task IS NULL OR task = :task)
           AND (:queue IS NULL OR queue = :queue) ORDER BY seq DESC LIMIT :limit"
    );
    let params = named_params! {
        ":id": filter.id,
        ":before": before.unwrap_or(i64::MAX),
        ":task": filter.task,
        ":queue": filter.queue,
        ":limit": limit,
    };
    conn.prepare_cached(&sql)?
        .query_map(params, listed)?
        .collect()
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let message = row.get::<_, Option<String>>(8)?;
    Ok(Listed {
        position: row.get::<_, i64>(0)?.unsigned_abs(),
        meta: meta(row)?,
        queue: row.get(3)?,
        priority: Priority::new(row.get(4)?).unwrap_or(Priority::MAX),
        sent_at: row.get(5)?,
        eta: row.get(6)?,
        deliveries: row.get(7)?,
        message: message.and_then(|text| wire::read(&text).ok()),
    })
}

fn meta(row: &Row<'_>) -> rusqlite::Result<Meta> {
    let state = row.get::<_, String>(17)?;
    let result = row.get::<_, Option<String>>(18)?;
    let children = row.get::<_, Option<String>>(19)?;
    Ok(Meta {
        id: row.get(1)?,
        task: row.get(2)?,
        state: State::parse(&state).unwrap_or(State::Pending),
        result: result.and_then(|text| RawJson::parse(text).ok()),
        exception: exception(row)?,
        traceback: row.get(16)?,
        children: children
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default(),
        parent_id: row.get(11)?,
        group: row.get(12)?,
        retries: row.get(9)?,
        worker: row.get(10)?,
        date_done: row.get::<_, Option<Timestamp>>(20)?,
    })
}

fn exception(row: &Row<'_>) -> rusqlite::Result<Option<Exception>> {
    let exc_type = row.get::<_, Option<String>>(13)?;
    let Some(exc_type) = exc_type else {
        return Ok(None);
    };
    Ok(Some(Exception {
        exc_type,
        exc_module: row.get(14)?,
        message: row.get(15)?,
    }))
}

pub(super) fn overview(conn: &Connection) -> rusqlite::Result<Vec<QueueCount>> {
    let sql = "
        SELECT queue,
               CASE WHEN lease_until IS NOT NULL THEN 'STARTED' WHEN exc_type IS NOT NULL THEN 'RETRY'
                    ELSE 'PENDING' END AS state, count(*)
        FROM live GROUP BY 1, 2
        UNION ALL SELECT queue, state, count(*) FROM done GROUP BY 1, 2
        ORDER BY 1, 2";
    conn.prepare_cached(sql)?
        .query_map([], |row| {
            let state = row.get::<_, String>(1)?;
            Ok(QueueCount {
                queue: row.get(0)?,
                state: State::parse(&state).unwrap_or(State::Pending),
                tasks: row.get::<_, i64>(2)?.unsigned_abs(),
            })
        })?
        .collect()
}
