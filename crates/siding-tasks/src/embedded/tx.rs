//! One transaction of the writer's.

use rusqlite::{Connection, Params, Row, ToSql};

use super::EmbeddedSettings;
use crate::message::{TaskId, Timestamp};

/// One transaction of the writer's: the connection, one reading of the clock, and what others are to be told once it is
/// durable.
pub(super) struct Tx<'a> {
    conn: &'a Connection,
    pub(super) settings: &'a EmbeddedSettings,
    pub(super) now: Timestamp,
    pub(super) news: News,
    sequence: Option<i64>,
}

/// What a transaction changed that somebody may wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// There may be something to claim, or something was revoked.
    pub(super) changed: bool,
    /// These have ended.
    pub(super) finished: Vec<TaskId>,
}

impl News {
    pub(super) const fn is_empty(&self) -> bool {
        !self.changed && self.finished.is_empty()
    }
}

impl<'a> Tx<'a> {
    /// Begins. The lock is taken at once, so that nothing read in it can be out of date when it writes.
    pub(super) fn begin(
        conn: &'a Connection,
        settings: &'a EmbeddedSettings,
    ) -> rusqlite::Result<Self> {
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Self {
            conn,
            settings,
            now: settings.clock.now(),
            news: News::default(),
            sequence: None,
        })
    }

    /// Makes it durable, and says what is new.
    pub(super) fn commit(self) -> rusqlite::Result<News> {
        if let Some(last) = self.sequence {
            self.change("UPDATE sequence SET last = ?1", [last])?;
        }
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(self.news)
    }

    /// The next number: greater than every one before, in this file.
    pub(super) fn next(&mut self) -> rusqlite::Result<i64> {
        let last = match self.sequence {
            Some(last) => last,
            None => self.value("SELECT last FROM sequence", [])?,
        };
        self.sequence = Some(last + 1);
        Ok(last + 1)
    }

    /// Runs a statement and says how many rows it changed.
    pub(super) fn change(&self, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
        self.conn.prepare_cached(sql)?.execute(params)
    }

    /// The first row of a query, if it has one.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let first = rows.next()?.map(read).transpose()?;
        // An UPDATE … RETURNING is done only when it was stepped to its end.
        while rows.next()?.is_some() {}
        Ok(first)
    }

    /// The one value of a query that always has one.
    pub(super) fn value<T: rusqlite::types::FromSql>(
        &self,
        sql: &str,
        params: impl Params,
    ) -> rusqlite::Result<T> {
        self.conn
            .prepare_cached(sql)?
            .query_row(params, |row| row.get(0))
    }

    /// All rows of a query.
    pub(super) fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.conn
            .prepare_cached(sql)?
            .query_map(params, read)?
            .collect()
    }
}

/// Times and ids as SQLite has them.
impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(self.as_millis().into())
    }
}

impl rusqlite::types::FromSql for Timestamp {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        i64::column_result(value).map(Self::from_millis)
    }
}

impl ToSql for TaskId {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl rusqlite::types::FromSql for TaskId {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        value.as_str().map(Self::from)
    }
}
