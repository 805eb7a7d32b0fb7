//! How the blocking pool makes connections, and tells good ones from bad ones.

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use diesel::r2d2::{Error, ManageConnection, R2D2Connection as _};

use super::connection::AnyConnection;
use super::database::{Dialect, Session};
use super::{UsersError, client_url};

/// Makes connections that begin as the session says.
#[derive(Clone, Debug)]
pub(super) struct Manager {
    dialect: Dialect,
    url: String,
    statements: String,
}

impl Manager {
    /// For this database.
    ///
    /// # Errors
    /// When this program was built without its client.
    pub(super) fn new(session: &Session) -> Result<Self, UsersError> {
        let database = &session.database;
        let url = match database.dialect {
            Dialect::Sqlite => client_url::sqlite(database),
            Dialect::Postgres => client_url::libpq(&database.url),
            #[cfg(feature = "mysql")]
            Dialect::MySql => client_url::mysql(&database.url),
            #[cfg(not(feature = "mysql"))]
            Dialect::MySql => return Err(UsersError::LeftOut(NO_MYSQL)),
        };
        Ok(Self {
            dialect: database.dialect,
            url,
            statements: session.statements(),
        })
    }
}

/// What is said where MySQL was left out.
#[cfg(not(feature = "mysql"))]
const NO_MYSQL: &str = "plain functions cannot reach MySQL: this program was built without its client library; build it with \
                        --features mysql, or ask /async/users";

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = Error;

    fn connect(&self) -> Result<AnyConnection, Error> {
        let url = &self.url;
        // Not by `AnyConnection::establish`, which tries one database after the other.
        let mut connection = match self.dialect {
            Dialect::Sqlite => AnyConnection::Sqlite(diesel::SqliteConnection::establish(url)?),
            Dialect::Postgres => AnyConnection::Postgres(diesel::PgConnection::establish(url)?),
            #[cfg(feature = "mysql")]
            Dialect::MySql => AnyConnection::MySql(diesel::MysqlConnection::establish(url)?),
            #[cfg(not(feature = "mysql"))]
            Dialect::MySql => unreachable!("there is no manager for it"),
        };
        connection.batch_execute(&self.statements)?;
        Ok(connection)
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        Ok(connection.ping()?)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}
