//! Which messages are due, and which of those are wanted.
//!
//! Messages that wait are looked for by queue, priority and task, each step in the order of the index `live_waiting`, and
//! priorities and tasks that nobody has, or wants, are skipped: looking costs the same however much waits for its eta, or
//! for a lane that is full.

use std::collections::HashMap;

use super::tx::Tx;
use crate::broker::{ClaimRequest, Quota};
use crate::message::Timestamp;

const PRIORITY: &str =
    "SELECT max(priority) FROM live WHERE queue = ?1 AND priority < ?2 AND lease_until IS NULL";

const FIRST_TASK: &str =
    "SELECT min(task) FROM live WHERE queue = ?1 AND priority = ?2 AND lease_until IS NULL";

const NEXT_TASK: &str = "SELECT min(task) FROM live
    WHERE queue = ?1 AND priority = ?2 AND task > ?3 AND lease_until IS NULL";

const DUE: &str = "SELECT due, seq FROM live
    WHERE queue = ?1 AND priority = ?2 AND task = ?3 AND due <= ?4 AND lease_until IS NULL
          AND (expires IS NULL OR expires > ?4)
    ORDER BY due, seq LIMIT ?5";

const NEXT_DUE: &str = "SELECT min(due) FROM live
    WHERE queue = ?1 AND priority = ?2 AND task = ?3 AND lease_until IS NULL";

/// What a claim may still take.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    queues: &'a [String],
    left: usize,
    quotas: Vec<usize>,
    by_task: HashMap<&'a str, usize>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(request: &'a ClaimRequest) -> Self {
        let names = |(quota, Quota { tasks, .. }): (usize, &'a Quota)| {
            tasks.iter().map(move |task| (task.as_str(), quota))
        };
        Self {
            queues: &request.queues,
            left: request.limit,
            quotas: request.quotas.iter().map(|quota| quota.limit).collect(),
            by_task: request.quotas.iter().enumerate().flat_map(names).collect(),
        }
    }

    /// Whether it has taken as many as it may.
    pub(super) fn is_full(&self) -> bool {
        self.left == 0
    }

    /// How many messages of `task` it may still take, `limit` aside.
    fn quota(&self, task: &str) -> usize {
        self.by_task
            .get(task)
            .map_or(usize::MAX, |quota| self.quotas[*quota])
    }

    /// Takes one of `task`, if it may.
    fn take(&mut self, task: &str) -> bool {
        if self.left == 0 || self.quota(task) == 0 {
            return false;
        }
        self.left -= 1;
        if let Some(quota) = self.by_task.get(task) {
            self.quotas[*quota] -= 1;
        }
        true
    }
}

/// What to deliver: by priority, then by when it is due, then by when it came, over all queues.
pub(super) fn due(tx: &Tx<'_>, wanted: &mut Wanted<'_>) -> rusqlite::Result<Vec<i64>> {
    let mut chosen = Vec::new();
    let mut above = u32::MAX;
    while wanted.left > 0 {
        let Some(priority) = next_priority(tx, wanted.queues, above)? else {
            break;
        };
        let mut found = Vec::new();
        each_task(tx, wanted, priority, |queue, task| {
            let limit = wanted.left.min(wanted.quota(task));
            let rows = tx.rows(
                DUE,
                (
                    queue,
                    priority,
                    task,
                    tx.now,
                    i64::try_from(limit).unwrap_or(i64::MAX),
                ),
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
            )?;
            found.extend(
                rows.into_iter()
                    .map(|(due, seq)| (due, seq, task.to_owned())),
            );
            Ok(())
        })?;
        found.sort_unstable();
        found.dedup();
        found.retain(|(.., task)| wanted.take(task));
        chosen.extend(found.into_iter().map(|(_, seq, _)| seq));
        above = priority;
    }
    Ok(chosen)
}

/// When something will be due at the latest: an eta of what is still wanted, the end of a lease, in whatever queue, or of a
/// message's time.
pub(super) fn next_at(tx: &Tx<'_>, wanted: &Wanted<'_>) -> rusqlite::Result<Option<Timestamp>> {
    let mut next = tx.value::<Option<Timestamp>>(
        "SELECT min(lease_until) FROM live WHERE lease_until IS NOT NULL",
        [],
    )?;
    let mut sooner = |at: Option<Timestamp>| next = [next, at].into_iter().flatten().min();
    sooner(tx.value(
        "SELECT min(expires) FROM live WHERE expires IS NOT NULL AND lease_until IS NULL",
        [],
    )?);
    let mut above = u32::MAX;
    while let Some(priority) = next_priority(tx, wanted.queues, above)? {
        each_task(tx, wanted, priority, |queue, task| {
            sooner(tx.value(NEXT_DUE, (queue, priority, task))?);
            Ok(())
        })?;
        above = priority;
    }
    Ok(next)
}

/// The highest priority below `above` that anything in the queues waits with.
fn next_priority(tx: &Tx<'_>, queues: &[String], above: u32) -> rusqlite::Result<Option<u32>> {
    let mut highest = None;
    for queue in queues {
        let one = tx.value(PRIORITY, (queue, above))?;
        highest = highest.max(one);
    }
    Ok(highest)
}

/// Every queue and task that anything waits in with this priority and is wanted.
fn each_task(
    tx: &Tx<'_>,
    wanted: &Wanted<'_>,
    priority: u32,
    mut each: impl FnMut(&str, &str) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    for queue in wanted.queues {
        let mut task = tx.value::<Option<String>>(FIRST_TASK, (queue, priority))?;
        while let Some(this) = task {
            if wanted.quota(&this) > 0 {
                each(queue, &this)?;
            }
            task = tx.value(NEXT_TASK, (queue, priority, &this))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_plan(sql: &str, columns: &str) {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        super::super::schema::create(&conn).unwrap();
        let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let bound = vec![1; plan.parameter_count()];
        let lines = plan.query_map(rusqlite::params_from_iter(bound), |row| {
            row.get::<_, String>(3)
        });
        let lines = lines.unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        let expected = format!("SEARCH live USING INDEX live_waiting ({columns})");
        assert!(lines.concat().ends_with(&expected), "{lines:?}");
    }

    #[test]
    fn claims_read_the_index_in_its_order() {
        check_plan(PRIORITY, "queue=? AND priority<?");
        check_plan(FIRST_TASK, "queue=? AND priority=?");
        check_plan(NEXT_TASK, "queue=? AND priority=? AND task>?");
        check_plan(DUE, "queue=? AND priority=? AND task=? AND due<?");
        check_plan(NEXT_DUE, "queue=? AND priority=? AND task=?");
    }
}
