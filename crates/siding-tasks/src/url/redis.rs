//! URLs of Redis.

use std::fmt;
use std::path::PathBuf;

use super::parts::{Parts, encoded_path, write_credentials, write_server};
use super::tls::{self, Tls};
use super::{Secret, Sentinels, UrlError};

const PORT: u16 = 6379;

/// Where a Redis is. Its `Display` and its `Debug` leave the password out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisUrl {
    /// The server.
    pub server: RedisServer,
    /// The user of its access list.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// The number of the database; 0.
    pub database: u32,
}

/// How a Redis is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisServer {
    /// Over the network.
    Tcp {
        /// `localhost` unless it is said.
        host: String,
        /// 6379 unless it is said.
        port: u16,
        /// `rediss://` has it.
        tls: Tls,
    },
    /// By a Unix socket.
    Socket {
        /// The path of the socket.
        path: PathBuf,
    },
    /// It is the master that sentinels name.
    Sentinels(Box<Sentinels>),
}

impl RedisUrl {
    pub(super) fn read(mut parts: Parts) -> Result<Self, UrlError> {
        let virtual_host = parts.take("virtual_host");
        let (server, database) = match parts.scheme.as_str() {
            "redis+socket" | "socket" => {
                parts.finish("virtual_host, the number of the database")?;
                (socket(&parts)?, virtual_host)
            }
            "rediss" => {
                let tls = Tls::read(&mut parts, "")?;
                parts.finish(tls::PARAMETERS)?;
                (tcp(&mut parts, tls), parts.path.take().or(virtual_host))
            }
            _ => {
                refuse_tls(&parts)?;
                parts.finish("virtual_host, the number of the database")?;
                (
                    tcp(&mut parts, Tls::Off),
                    parts.path.take().or(virtual_host),
                )
            }
        };
        Ok(Self {
            server,
            user: parts.user,
            password: parts.password,
            database: number(database.as_deref())?,
        })
    }
}

fn tcp(parts: &mut Parts, tls: Tls) -> RedisServer {
    RedisServer::Tcp {
        host: parts.host.take().unwrap_or_else(|| "localhost".to_owned()),
        port: parts.port.unwrap_or(PORT),
        tls,
    }
}

fn socket(parts: &Parts) -> Result<RedisServer, UrlError> {
    match (&parts.host, &parts.path) {
        (None, Some(path)) => Ok(RedisServer::Socket {
            path: PathBuf::from(format!("/{path}")),
        }),
        _ => Err(UrlError::new(
            "a socket needs its whole path; write for example redis+socket:///run/redis/redis.sock?virtual_host=0",
        )),
    }
}

fn refuse_tls(parts: &Parts) -> Result<(), UrlError> {
    match parts.query.iter().any(|(name, _)| name.starts_with("ssl_")) {
        true => Err(UrlError::new(
            "it asks for TLS, and redis:// has none; write rediss://",
        )),
        false => Ok(()),
    }
}

pub(super) fn number(database: Option<&str>) -> Result<u32, UrlError> {
    match database.unwrap_or_default().trim_matches('/') {
        "" => Ok(0),
        number => number.parse().map_err(|_| {
            UrlError::new(
                "what follows the host is the number of a Redis database; write for example redis://localhost:6379/0",
            )
        }),
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.database;
        let (user, password) = (self.user.as_deref(), self.password.as_ref());
        match &self.server {
            RedisServer::Tcp { host, port, tls } => {
                f.write_str(if tls.is_on() { "rediss://" } else { "redis://" })?;
                write_credentials(f, user, password)?;
                write_server(f, host, *port)?;
                write!(f, "/{database}")
            }
            RedisServer::Socket { path } => {
                f.write_str("redis+socket://")?;
                write_credentials(f, user, password)?;
                write!(f, "{}", encoded_path(&path.to_string_lossy()))?;
                write!(f, "?virtual_host={database}")
            }
            RedisServer::Sentinels(sentinels) => sentinels.write(f, self),
        }
    }
}
