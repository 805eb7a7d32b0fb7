//! Users by way of diesel, for plain functions.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::prelude::*;
use diesel::r2d2::{ManageConnection as _, NopErrorHandler, Pool, PooledConnection};

use super::connection::AnyConnection;
use super::database::Session;
use super::manager::Manager;
use super::{PATIENCE, UsersError};
use crate::models::user::{NewUser, PageQuery, User, UserPage};

diesel::table! {
    users (id) {
        id -> BigInt,
        name -> Text,
        email -> Text,
    }
}

/// The users, for plain functions: each method blocks its thread. A cheap clone.
#[derive(Clone)]
pub(crate) struct BlockingUsers(Result<Arc<Open>, &'static str>);

struct Open {
    pool: Pool<Manager>,
    manager: Manager,
    /// A connection of the check's own, which it does not have to wait for.
    probe: Mutex<Option<AnyConnection>>,
}

impl BlockingUsers {
    /// Opens a pool of at most this many connections, none yet but one. Where this program was built without the client, users say so when they
    /// are asked for.
    pub(super) fn open(session: &Session, connections: u32) -> Result<Self, UsersError> {
        let manager = match Manager::new(session) {
            Ok(manager) => manager,
            Err(UsersError::LeftOut(why)) => {
                tracing::warn!("{why}");
                return Ok(Self(Err(why)));
            }
            Err(error) => return Err(error),
        };
        let probe = Mutex::new(Some(manager.connect()?));
        let pool = Pool::builder()
            .max_size(connections)
            .min_idle(Some(0))
            .connection_timeout(PATIENCE)
            // Whoever waits for a connection is told why there is none.
            .error_handler(Box::new(NopErrorHandler))
            .build(manager.clone())?;
        Ok(Self(Ok(Arc::new(Open {
            pool,
            manager,
            probe,
        }))))
    }

    /// A page of users.
    pub(crate) fn list(&self, query: PageQuery) -> Result<UserPage, UsersError> {
        let rows = users::table
            .filter(users::id.gt(query.after))
            .order(users::id)
            .limit(query.rows())
            .load(&mut self.connection()?)?;
        Ok(UserPage::new(rows, query))
    }

    /// The user of this id.
    pub(crate) fn find(&self, id: i64) -> Result<User, UsersError> {
        let row = users::table.find(id).first(&mut self.connection()?);
        row.optional()?.ok_or(UsersError::NotFound(id))
    }

    /// Adds a user.
    pub(crate) fn create(&self, user: &NewUser) -> Result<User, UsersError> {
        let connection = &mut self.connection()?;
        let values = (users::name.eq(&user.name), users::email.eq(&user.email));
        diesel::insert_into(users::table)
            .values(values)
            .execute(connection)?;
        // MySQL has no RETURNING.
        let row = users::table.filter(users::email.eq(&user.email));
        Ok(row.first(connection)?)
    }

    /// Whether the database answers.
    pub(super) fn check(&self) -> Result<(), UsersError> {
        // What was left out is no failure: the rest of the service is well.
        let Ok(open) = &self.0 else { return Ok(()) };
        let mut probe = open.probe.lock().unwrap_or_else(PoisonError::into_inner);
        let well = |connection: &mut AnyConnection| open.manager.is_valid(connection).is_ok();
        if !probe.as_mut().is_some_and(well) {
            *probe = None;
            *probe = Some(open.manager.connect()?);
        }
        Ok(())
    }

    fn connection(&self) -> Result<PooledConnection<Manager>, UsersError> {
        let open = self.0.as_ref().map_err(|why| UsersError::LeftOut(why))?;
        Ok(open.pool.get()?)
    }
}
