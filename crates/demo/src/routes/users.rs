//! Users in a database, with an async client and with a blocking one.

use siding::extract::{Path, Query, State, Valid};
use siding::{Error, Json, Status};

use crate::models::user::{NewUser, PageQuery, User, UserPage};
use crate::resources::users::{AsyncUsers, BlockingUsers};

/// Says where the new user is.
type Created = Status<201, ([(&'static str, String); 1], Json<User>)>;

/// `GET /async/users`: right. Awaits the database.
pub(crate) async fn list(
    State(users): State<AsyncUsers>,
    Query(query): Query<PageQuery>,
) -> Result<Json<UserPage>, Error> {
    Ok(Json(users.list(query).await?))
}

/// `POST /async/users`.
pub(crate) async fn create(
    State(users): State<AsyncUsers>,
    Valid(Json(user)): Valid<Json<NewUser>>,
) -> Result<Created, Error> {
    Ok(created("async", users.create(user).await?))
}

/// `GET /async/users/{id}`.
pub(crate) async fn find(
    State(users): State<AsyncUsers>,
    Path(id): Path<i64>,
) -> Result<Json<User>, Error> {
    Ok(Json(users.find(id).await?))
}

/// `GET /sync/users`: right. A plain function may wait for the database on its thread.
pub(crate) fn list_on_a_thread(
    State(users): State<BlockingUsers>,
    Query(query): Query<PageQuery>,
) -> Result<Json<UserPage>, Error> {
    Ok(Json(users.list(query)?))
}

/// `POST /sync/users`.
pub(crate) fn create_on_a_thread(
    State(users): State<BlockingUsers>,
    Valid(Json(user)): Valid<Json<NewUser>>,
) -> Result<Created, Error> {
    Ok(created("sync", users.create(&user)?))
}

/// `GET /sync/users/{id}`.
pub(crate) fn find_on_a_thread(
    State(users): State<BlockingUsers>,
    Path(id): Path<i64>,
) -> Result<Json<User>, Error> {
    Ok(Json(users.find(id)?))
}

/// `GET /bad/users`: wrong. The blocking client in an `async fn`.
pub(crate) async fn list_on_the_event_loop(
    State(users): State<BlockingUsers>,
    Query(query): Query<PageQuery>,
) -> Result<Json<UserPage>, Error> {
    Ok(Json(users.list(query)?))
}

/// The answer to a new user: what was kept, and where it is.
fn created(colour: &str, user: User) -> Created {
    let location = format!("/{colour}/users/{}", user.id);
    Status(([("location", location)], Json(user)))
}
