//! A blocking connection to whichever database it is.

use diesel::prelude::*;
use diesel::{MultiConnection, PgConnection, SqliteConnection};

/// One of the three: statements are written once, and diesel writes them in the database's own SQL.
#[derive(MultiConnection)]
pub(super) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    #[cfg(feature = "mysql")]
    MySql(diesel::MysqlConnection),
}
