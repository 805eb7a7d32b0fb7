//! Workers that have reported.

use std::time::Duration;

use rusqlite::{Connection, Row};

use super::tx::Tx;
use crate::message::Timestamp;
use crate::worker::WorkerSnapshot;

/// Keeps what a worker reports, and forgets those whose time is over.
pub(super) fn report(
    tx: &Tx<'_>,
    worker: &WorkerSnapshot,
    period: Duration,
) -> rusqlite::Result<()> {
    tx.change("DELETE FROM workers WHERE until <= ?1", [tx.now])?;
    let queues = serde_json::to_string(&worker.queues)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    tx.change(
        "INSERT OR REPLACE INTO workers (holder, name, pid, queues, running, slots, processed, since, seen, until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        (
            &worker.holder,
            &worker.name,
            worker.pid,
            queues,
            number(worker.running),
            number(worker.slots),
            i64::try_from(worker.processed).unwrap_or(i64::MAX),
            worker.since,
            tx.now,
            tx.now.after(period),
        ),
    )
    .map(drop)
}

pub(super) fn leave(tx: &Tx<'_>, holder: &str) -> rusqlite::Result<()> {
    tx.change("DELETE FROM workers WHERE holder = ?1", [holder])
        .map(drop)
}

/// Those whose report counts at `now`.
pub(super) fn list(conn: &Connection, now: Timestamp) -> rusqlite::Result<Vec<WorkerSnapshot>> {
    conn.prepare_cached(
        "SELECT holder, name, pid, queues, running, slots, processed, since, seen
         FROM workers WHERE until > ?1 ORDER BY name, holder",
    )?
    .query_map([now], read)?
    .collect()
}

/// Who leads in `name` at `now`.
pub(super) fn leader(
    conn: &Connection,
    name: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<String>> {
    let mut leaders =
        conn.prepare_cached("SELECT holder FROM leaders WHERE name = ?1 AND until > ?2")?;
    let mut holders = leaders.query_map((name, now), |row| row.get(0))?;
    holders.next().transpose()
}

fn read(row: &Row<'_>) -> rusqlite::Result<WorkerSnapshot> {
    let queues: String = row.get(3)?;
    Ok(WorkerSnapshot {
        holder: row.get(0)?,
        name: row.get(1)?,
        pid: row.get(2)?,
        // What another version wrote in another way is not worth an error.
        queues: serde_json::from_str(&queues).unwrap_or_default(),
        running: usize::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
        slots: usize::try_from(row.get::<_, i64>(5)?).unwrap_or(0),
        processed: row.get::<_, i64>(6)?.unsigned_abs(),
        since: row.get(7)?,
        seen: row.get(8)?,
    })
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::EmbeddedSettings;

    fn worker(holder: &str, since: Timestamp) -> WorkerSnapshot {
        WorkerSnapshot {
            holder: holder.to_owned(),
            name: "a@host".to_owned(),
            pid: 7,
            queues: vec!["celery".to_owned(), "images".to_owned()],
            running: 1,
            slots: 4,
            processed: 9,
            since,
            seen: since,
        }
    }

    #[test]
    fn a_worker_is_listed_until_its_report_is_old_or_it_leaves() {
        let conn = Connection::open_in_memory().unwrap();
        super::super::schema::create(&conn).unwrap();
        // It is there already.
        super::super::schema::add(&conn).unwrap();
        let settings = EmbeddedSettings::default();
        let tx = Tx::begin(&conn, &settings).unwrap();
        let now = tx.now;
        let period = Duration::from_secs(30);
        report(&tx, &worker("one", now), period).unwrap();
        report(&tx, &worker("two", now), period).unwrap();
        report(&tx, &worker("two", now), period).unwrap();
        let both = list(&conn, now).unwrap();
        assert_eq!(both, [worker("one", now), worker("two", now)]);
        assert!(list(&conn, now.after(period)).unwrap().is_empty());
        leave(&tx, "two").unwrap();
        assert_eq!(list(&conn, now).unwrap(), [worker("one", now)]);
    }
}
