//! A database for one case, on the machine's PostgreSQL.

use siding_cli::database::{DatabaseError, DatabaseUrl, Scratch};
use siding_cli::explain::explain;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::support::{leave_out, nobody};

const TABLE: &str = "CREATE TABLE users (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
                     name TEXT NOT NULL, email TEXT NOT NULL UNIQUE)";

fn postgres() -> DatabaseUrl {
    let url = "postgres://postgres@127.0.0.1:5432/postgres";
    url.parse().unwrap()
}

/// The machine's PostgreSQL with a database of the test's own, unless there is none.
async fn scratch() -> Option<Scratch> {
    match Scratch::create(&postgres()).await {
        Err(error @ DatabaseError::Absent { .. }) => {
            leave_out(&explain(&error));
            None
        }
        created => Some(created.unwrap()),
    }
}

async fn connect(url: &DatabaseUrl) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect(url.expose()).await
}

#[tokio::test]
async fn fills_a_table_of_a_servers_making() {
    let Some(scratch) = scratch().await else {
        return;
    };
    let error = scratch.fill(3).await.unwrap_err();
    assert!(
        explain(&error).contains("\"users\" does not exist"),
        "{error}"
    );
    let mut server = connect(&scratch.url()).await.unwrap();
    server.execute(TABLE).await.unwrap();
    let users = scratch.fill(3).await.unwrap();
    let emails: Vec<_> = users.iter().map(|user| user.email.as_str()).collect();
    assert_eq!(
        emails,
        [
            "user-1@example.com",
            "user-2@example.com",
            "user-3@example.com"
        ]
    );
    assert_eq!(
        users.iter().map(|user| user.id).collect::<Vec<_>>(),
        [1, 2, 3]
    );
}

#[tokio::test]
async fn is_gone_with_its_owner_whoever_is_still_connected() {
    let Some(scratch) = scratch().await else {
        return;
    };
    let url = scratch.url();
    let mut left = connect(&url).await.unwrap();
    drop(scratch);
    assert!(left.execute("SELECT 1").await.is_err());
    let error = connect(&url).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}

#[tokio::test]
async fn an_absent_server_is_named_and_its_password_is_not() {
    let address = nobody().address();
    let url: DatabaseUrl = format!("postgres://ann:hush@{address}/postgres")
        .parse()
        .unwrap();
    let error = Scratch::create(&url).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Absent { .. }), "{error}");
    let said = format!("{} {error:?}", explain(&error));
    assert!(
        said.contains(&address.to_string()) && !said.contains("hush"),
        "{said}"
    );
}
