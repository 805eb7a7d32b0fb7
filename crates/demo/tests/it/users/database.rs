//! Databases of the tests' own, on the servers of this machine.

use std::net::{Ipv4Addr, SocketAddr};

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use crate::program::command;
use crate::support::{Service, leave_out};

const POSTGRES: u16 = 5432;
const MARIADB: u16 = 3306;

/// A database that is gone when it is dropped.
pub(crate) struct Database {
    kind: Kind,
    name: String,
    dir: TempDir,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Database {
    pub(crate) fn sqlite() -> Option<Self> {
        Some(Self::new(Kind::Sqlite))
    }

    pub(crate) fn postgres() -> Option<Self> {
        Self::on_a_server(Kind::Postgres)
    }

    pub(crate) fn mariadb() -> Option<Self> {
        Self::on_a_server(Kind::MariaDb)
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            name: format!("siding_test_{}", Uuid::new_v4().simple()),
            dir: TempDir::new().expect("a directory"),
        }
    }

    fn on_a_server(kind: Kind) -> Option<Self> {
        let Some(mut server) = Session::open(&kind.server()) else {
            leave_out(&format!("no {kind:?} on {}", kind.address()));
            return None;
        };
        let database = Self::new(kind);
        server.execute(&format!("CREATE DATABASE {}", database.name));
        Some(database)
    }

    /// Its URL, by way of this port.
    pub(crate) fn url_by(&self, port: u16) -> String {
        match self.kind {
            Kind::Sqlite => format!("sqlite:{}/{}.db", self.dir.path().display(), self.name),
            Kind::Postgres => format!("postgres://postgres@127.0.0.1:{port}/{}", self.name),
            Kind::MariaDb => format!("mysql://root@127.0.0.1:{port}/{}", self.name),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url_by(self.address().port())
    }

    /// Where its server is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.kind.address()
    }

    /// The colours that can reach it: what the paths begin with.
    pub(crate) fn colours(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::MariaDb if !cfg!(feature = "mysql") => &["async"],
            _ => &["async", "sync"],
        }
    }

    /// A service on it.
    pub(crate) fn serve(&self, args: &[&str]) -> Service {
        serve(&self.url(), args)
    }

    /// A session of the test's own.
    pub(crate) fn session(&self) -> Session {
        Session::open(&self.url()).expect("the server is there")
    }

    /// Keeps everybody from its users, until the session is dropped.
    pub(crate) fn lock(&self) -> Session {
        let mut session = self.session();
        match self.kind {
            Kind::Sqlite => session.execute("BEGIN EXCLUSIVE"),
            Kind::Postgres => {
                session.execute("BEGIN");
                session.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
            }
            Kind::MariaDb => session.execute("LOCK TABLES users WRITE"),
        }
        session
    }

    /// How many of its sessions wait for such a lock.
    pub(crate) fn waiting(&self) -> i64 {
        let name = &self.name;
        let asked = match self.kind {
            Kind::Sqlite => unreachable!("a file knows of nobody who waits"),
            Kind::Postgres => format!(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND wait_event_type = 'Lock'"
            ),
            Kind::MariaDb => format!(
                "SELECT count(*) FROM information_schema.processlist WHERE db = '{name}' AND state LIKE 'Waiting for table%'"
            ),
        };
        self.session().number(&asked)
    }

    /// Ends the statements that wait for such a lock, as an operator would.
    pub(crate) fn end_waiting(&self) {
        let name = &self.name;
        let mut session = self.session();
        match self.kind {
            Kind::Sqlite => unreachable!("a file knows of nobody who waits"),
            Kind::Postgres => session.execute(&format!(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND wait_event_type = 'Lock'"
            )),
            Kind::MariaDb => {
                let waiting = session.numbers(&format!(
                    "SELECT id FROM information_schema.processlist WHERE db = '{name}' AND state LIKE 'Waiting for table%'"
                ));
                for id in waiting {
                    session.execute(&format!("KILL QUERY {id}"));
                }
            }
        }
    }
}

/// A service on the database of this URL.
pub(crate) fn serve(url: &str, args: &[&str]) -> Service {
    let mut command = command(args);
    command.env("DATABASE_URL", url);
    Service::spawn(command)
}

impl Drop for Database {
    fn drop(&mut self) {
        let force = match self.kind {
            Kind::Sqlite => return,
            Kind::Postgres => " WITH (FORCE)",
            Kind::MariaDb => "",
        };
        if let Some(mut server) = Session::open(&self.kind.server()) {
            server.execute(&format!("DROP DATABASE {}{force}", self.name));
        }
    }
}

impl Kind {
    fn address(self) -> SocketAddr {
        let port = match self {
            Self::Sqlite => 0,
            Self::Postgres => POSTGRES,
            Self::MariaDb => MARIADB,
        };
        (Ipv4Addr::LOCALHOST, port).into()
    }

    fn server(self) -> String {
        match self {
            Self::Sqlite => unreachable!("has no server"),
            Self::Postgres => format!("postgres://postgres@{}/postgres", self.address()),
            Self::MariaDb => format!("mysql://root@{}", self.address()),
        }
    }
}

/// A connection of the test's own.
pub(crate) struct Session {
    runtime: Runtime,
    connection: AnyConnection,
}

impl Session {
    fn open(url: &str) -> Option<Self> {
        sqlx::any::install_default_drivers();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("starts");
        let connection = runtime.block_on(AnyConnection::connect(url)).ok()?;
        Some(Self {
            runtime,
            connection,
        })
    }

    #[track_caller]
    pub(crate) fn execute(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql);
        let done = self.runtime.block_on(self.connection.execute(sql));
        done.expect("the statement is good");
    }

    #[track_caller]
    fn numbers(&mut self, sql: &str) -> Vec<i64> {
        let asked = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut self.connection);
        self.runtime.block_on(asked).expect("the statement is good")
    }

    #[track_caller]
    fn number(&mut self, sql: &str) -> i64 {
        let asked = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.connection);
        self.runtime.block_on(asked).expect("the statement is good")
    }
}
