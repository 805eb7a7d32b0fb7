//! The schema of the users' database, version by version.

use std::borrow::Cow;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection as _, Executor as _, SqlSafeStr as _};
use tokio::time::sleep;

use super::UsersError;
use super::database::Dialect;

/// How long to wait before SQLite is asked again for what it refuses at once instead of waiting itself.
const SOON: Duration = Duration::from_millis(20);

/// The files of `migrations/`, compiled in: `sqlx::migrate!` would do the same, and compile every database's client a second
/// time for the sake of it.
macro_rules! migrations {
    ($dialect:literal) => {
        [(
            1,
            "users",
            include_str!(concat!("../../../migrations/", $dialect, "/0001_users.sql")),
        )]
    };
}

fn migrator(dialect: Dialect) -> Migrator {
    let migrations = match dialect {
        Dialect::Sqlite => migrations!("sqlite"),
        Dialect::Postgres => migrations!("postgres"),
        Dialect::MySql => migrations!("mysql"),
    };
    let migrations = migrations.map(|(version, description, sql)| {
        let description = Cow::Borrowed(description);
        Migration::new(
            version,
            description,
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.into())
}

/// Brings the schema up to date. Of several replicas that start together, one does, and the others wait for it.
pub(super) async fn run(
    dialect: Dialect,
    connection: &mut AnyConnection,
) -> Result<(), UsersError> {
    let mut migrator = migrator(dialect);
    let migrated = match dialect {
        // It takes an advisory lock.
        Dialect::Postgres => apply(&migrator, connection).await,
        // It takes no lock on SQLite, and one without waiting on MariaDB.
        Dialect::Sqlite => {
            use_log(connection).await?;
            let mut alone = connection.begin_with("BEGIN IMMEDIATE").await?;
            let migrated = apply(&migrator, &mut alone).await;
            alone.commit().await?;
            migrated
        }
        Dialect::MySql => {
            let locked = connection
                .execute("SELECT GET_LOCK('siding-demo', 60)")
                .await;
            locked?;
            let migrated = apply(migrator.set_locking(false), connection).await;
            let unlocked = connection
                .execute("SELECT RELEASE_LOCK('siding-demo')")
                .await;
            unlocked?;
            migrated
        }
    };
    migrated.map_err(|error| UsersError::Failed(error.into()))
}

/// Applies what has not been. Not by `run`, of whose future the compiler cannot tell that it is `Send`.
async fn apply(migrator: &Migrator, connection: &mut AnyConnection) -> Result<(), MigrateError> {
    migrator.run_direct(None, connection, false).await
}

/// Has SQLite write to a log beside the file, so that readers and a writer hold up nobody. The file remembers it. It takes
/// a lock for which SQLite does not wait.
async fn use_log(connection: &mut AnyConnection) -> Result<(), UsersError> {
    loop {
        let asked = connection.execute("PRAGMA journal_mode = WAL").await;
        match asked.map_err(UsersError::from) {
            Ok(_) => return Ok(()),
            Err(UsersError::Unavailable(_)) => sleep(SOON).await,
            Err(error) => return Err(error),
        }
    }
}
