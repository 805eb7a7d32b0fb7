//! A pool of blocking connections to Redis.

use std::time::Duration;

use r2d2::ManageConnection;
use redis::{Client, Connection, ConnectionLike, RedisError};

/// Connections for threads. A cheap clone.
pub(super) type Pool = r2d2::Pool<Connector>;

/// Makes connections that wait for nothing longer than the limit.
#[derive(Debug)]
pub(super) struct Connector {
    client: Client,
    limit: Duration,
}

impl Connector {
    /// A pool of at most `connections`, one of which is there from the start. A thread waits as long for a connection as for an
    /// answer.
    pub(super) fn pool(
        client: Client,
        limit: Duration,
        connections: u32,
    ) -> Result<Pool, r2d2::Error> {
        r2d2::Pool::builder()
            .max_size(connections)
            .min_idle(Some(1))
            .connection_timeout(limit)
            // It would ask the server about each connection before each use. That one was lost shows when it is used.
            .test_on_check_out(false)
            .build(Self { client, limit })
    }
}

impl ManageConnection for Connector {
    type Connection = Connection;
    type Error = RedisError;

    fn connect(&self) -> Result<Connection, RedisError> {
        let connection = self.client.get_connection_with_timeout(self.limit)?;
        connection.set_read_timeout(Some(self.limit))?;
        connection.set_write_timeout(Some(self.limit))?;
        Ok(connection)
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), RedisError> {
        redis::cmd("PING").query(connection)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        !connection.is_open()
    }
}
