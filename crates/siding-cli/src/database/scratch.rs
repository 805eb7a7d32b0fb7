//! A database that is there for one case.

use std::io::{self, Write as _};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};

use super::DatabaseUrl;
use crate::explain::explain;

/// The longest that the server may take to connect, and to drop the database.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database of its own on the user's PostgreSQL. Dropping this drops the database, on every path: the end of a case, an
/// error, Ctrl-C.
#[derive(Debug)]
pub struct Scratch {
    server: DatabaseUrl,
    name: String,
    /// What the server calls its version, such as `15.20`.
    pub version: String,
}

/// A user, as an answer has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Given by the database.
    pub id: i64,
    /// Made up.
    pub name: String,
    /// Made up, and different for each.
    pub email: String,
}

/// Why there are no users in a database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// Nothing answers at the address.
    #[error("it takes PostgreSQL on {address} (--database-url names another): failed to connect")]
    Absent {
        /// The address.
        address: String,
        /// What happened instead.
        #[source]
        source: io::Error,
    },
    /// The server does not do what it is asked to.
    #[error("failed to {step} on {address}")]
    Refused {
        /// What it was to do.
        step: &'static str,
        /// Its address.
        address: String,
        /// What it said.
        #[source]
        source: sqlx::Error,
    },
}

impl Scratch {
    /// Makes a database on the server that `server` names; the database in that URL is only connected to.
    ///
    /// # Errors
    ///
    /// When there is no PostgreSQL, or it lets the user make no database.
    pub async fn create(server: &DatabaseUrl) -> Result<Self, DatabaseError> {
        let mut connection = connect(server).await?;
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = since_epoch.unwrap_or_default().as_nanos();
        let name = format!("siding_bench_{}_{nanos}", std::process::id());
        let created = connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}")));
        created.await.map_err(server.refused("create a database"))?;
        // From here on it is dropped, whatever happens.
        let mut scratch = Self {
            server: server.clone(),
            name,
            version: String::new(),
        };
        let version =
            sqlx::query_scalar("SELECT split_part(current_setting('server_version'), ' ', 1)");
        let version = version.fetch_one(&mut connection).await;
        scratch.version = version.map_err(server.refused("say its version"))?;
        // Closing is a courtesy to the server.
        let _ = connection.close().await;
        Ok(scratch)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> DatabaseUrl {
        self.server.named(&self.name)
    }

    /// Fills its table `users`, which a server has made by now, with `count` users.
    ///
    /// # Errors
    ///
    /// When there is no such table, or it has other columns than name and email that take a value.
    pub async fn fill(&self, count: i32) -> Result<Vec<User>, DatabaseError> {
        let url = self.url();
        let mut connection = connect(&url).await?;
        let filled = sqlx::query(
            "INSERT INTO users (name, email) \
             SELECT 'User ' || n, 'user-' || n || '@example.com' FROM generate_series(1, $1) AS n ORDER BY n",
        );
        let filled = filled.bind(count).execute(&mut connection).await;
        filled.map_err(url.refused("fill the table users"))?;
        // As it would be after a while, instead of at some time during the measurement.
        let settled = connection.execute("VACUUM ANALYZE users").await;
        settled.map_err(url.refused("analyze the table users"))?;
        let rows = sqlx::query_as("SELECT id, name, email FROM users ORDER BY id");
        let rows: Vec<(i64, String, String)> = rows
            .fetch_all(&mut connection)
            .await
            .map_err(url.refused("read the table users"))?;
        let user = |(id, name, email)| User { id, name, email };
        let users = rows.into_iter().map(user).collect();
        let _ = connection.close().await;
        Ok(users)
    }

    /// Drops the database, and those who are still connected to it with it.
    async fn drop_it(server: DatabaseUrl, name: String) -> Result<(), DatabaseError> {
        let mut connection = connect(&server).await?;
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let dropped = connection.execute(AssertSqlSafe(statement)).await;
        dropped
            .map(drop)
            .map_err(server.refused("drop the database"))
    }
}

impl Drop for Scratch {
    /// Blocks until it is gone. On a thread of its own, since this one may be an event loop's.
    fn drop(&mut self) {
        let dropping = Self::drop_it(self.server.clone(), self.name.clone());
        let thread = thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            let limited =
                runtime.block_on(async { tokio::time::timeout(PATIENCE, dropping).await });
            match limited {
                Ok(dropped) => dropped.map_err(|error| explain(&error)),
                Err(_) => Err(format!("no answer within {PATIENCE:?}")),
            }
        });
        if let Ok(Err(why)) = thread.join() {
            // Nobody reading is no reason to fail.
            let _ = writeln!(
                io::stderr(),
                "siding: the database {} is left: {why}",
                self.name
            );
        }
    }
}

impl DatabaseUrl {
    /// For use with `map_err`: the server did not do `step`.
    fn refused(&self, step: &'static str) -> impl FnOnce(sqlx::Error) -> DatabaseError {
        let address = self.to_string();
        move |source| DatabaseError::Refused {
            step,
            address,
            source,
        }
    }
}

async fn connect(url: &DatabaseUrl) -> Result<PgConnection, DatabaseError> {
    let absent = |source| DatabaseError::Absent {
        address: url.to_string(),
        source,
    };
    let options = PgConnectOptions::from_url(url.url()).map_err(url.refused("be understood"))?;
    match tokio::time::timeout(PATIENCE, options.connect()).await {
        Ok(Err(sqlx::Error::Io(source))) => Err(absent(source)),
        Ok(connected) => connected.map_err(url.refused("log in")),
        Err(_) => Err(absent(io::ErrorKind::TimedOut.into())),
    }
}
