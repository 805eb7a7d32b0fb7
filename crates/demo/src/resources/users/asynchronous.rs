//! Users by way of sqlx, for `async` functions.
//!
//! Which database it is, is known only at run time, and sqlx's `Any` is made for that: one pool, one set of statements. What it costs
//! is a copy of each row into a row of its own, which is nothing beside the way to a database.

use std::sync::Arc;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{AnyPool, AssertSqlSafe, ConnectOptions as _, Executor as _, FromRow, Row as _};

use super::database::{Dialect, Session};
use super::{PATIENCE, UsersError, migrations};
use crate::models::user::{NewUser, PageQuery, User, UserPage};

/// The users, for `async` functions. A cheap clone.
#[derive(Clone)]
pub(crate) struct AsyncUsers {
    pool: AnyPool,
    /// A connection of the check's own, which it does not have to wait for.
    probe: AnyPool,
    sql: &'static Statements,
}

impl AsyncUsers {
    /// Brings the schema up to date, and opens a pool of at most this many connections.
    pub(super) async fn open(session: &Session, connections: u32) -> Result<Self, UsersError> {
        sqlx::any::install_default_drivers();
        let database = &session.database;
        let options = AnyConnectOptions::from_url(&database.url)?;
        // The pool would take a refusal for a database that is just starting, and wait.
        let mut first = options.connect().await?;
        first.execute(AssertSqlSafe(session.statements())).await?;
        migrations::run(database.dialect, &mut first).await?;
        let sql = Statements::of(database.dialect);
        let pool = pool(session, connections).connect_lazy_with(options.clone());
        let probe = AnyPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options);
        Ok(Self { pool, probe, sql })
    }

    /// A page of users.
    pub(crate) async fn list(&self, query: PageQuery) -> Result<UserPage, UsersError> {
        let rows = sqlx::query_as(self.sql.list)
            .bind(query.after)
            .bind(query.rows());
        Ok(UserPage::new(rows.fetch_all(&self.pool).await?, query))
    }

    /// The user of this id.
    pub(crate) async fn find(&self, id: i64) -> Result<User, UsersError> {
        let row = sqlx::query_as(self.sql.find).bind(id);
        let found = row.fetch_optional(&self.pool).await?;
        found.ok_or(UsersError::NotFound(id))
    }

    /// Adds a user.
    pub(crate) async fn create(&self, user: NewUser) -> Result<User, UsersError> {
        let mut connection = self.pool.acquire().await?;
        let inserted = sqlx::query(self.sql.insert)
            .bind(user.name)
            .bind(user.email.clone());
        inserted.execute(&mut *connection).await?;
        // MySQL has no RETURNING.
        let row = sqlx::query_as(self.sql.find_by_email).bind(user.email);
        Ok(row.fetch_one(&mut *connection).await?)
    }

    /// Whether the database answers.
    pub(super) async fn check(self) -> Result<(), UsersError> {
        // A connection that has been used before is asked whether it still works.
        self.probe.acquire().await?;
        Ok(())
    }

    pub(super) async fn close(self) {
        self.probe.close().await;
        self.pool.close().await;
    }
}

/// A pool whose connections begin as the session says.
fn pool(session: &Session, connections: u32) -> AnyPoolOptions {
    let statements: Arc<str> = session.statements().into();
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection, _| {
            let statements = AssertSqlSafe(statements.to_string());
            Box::pin(async { connection.execute(statements).await.map(drop) })
        })
}

/// Every statement, once.
struct Statements {
    list: &'static str,
    find: &'static str,
    find_by_email: &'static str,
    insert: &'static str,
}

/// The statements with these words for the first and the second value.
macro_rules! statements {
    ($first:literal, $second:literal) => {
        Statements {
            list: concat!(
                "SELECT id, name, email FROM users WHERE id > ",
                $first,
                " ORDER BY id LIMIT ",
                $second
            ),
            find: concat!("SELECT id, name, email FROM users WHERE id = ", $first),
            find_by_email: concat!("SELECT id, name, email FROM users WHERE email = ", $first),
            insert: concat!(
                "INSERT INTO users (name, email) VALUES (",
                $first,
                ", ",
                $second,
                ")"
            ),
        }
    };
}

impl Statements {
    fn of(dialect: Dialect) -> &'static Self {
        match dialect {
            Dialect::Sqlite | Dialect::MySql => const { &statements!("?", "?") },
            Dialect::Postgres => const { &statements!("$1", "$2") },
        }
    }
}

impl FromRow<'_, AnyRow> for User {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            email: row.try_get("email")?,
        })
    }
}
