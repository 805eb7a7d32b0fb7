//! Users.

use diesel::Queryable;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::{BYTES_MAX, PATTERN, address};
use super::query::within;

/// The most users in one answer.
const LIMIT_MAX: u64 = 100;
/// The largest id that a database has.
const ID_MAX: u64 = i64::MAX.unsigned_abs();
/// As MySQL's column has it.
const NAME_CHARS_MAX: usize = 100;
/// The rule of a name for those who read the document: something that can be seen, and no control characters.
const READABLE: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

/// A user, as the database has it and as a client is told.
#[derive(Debug, JsonSchema, Queryable, Serialize)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
}

/// `{"name": "Ann", "email": "ann@example.com"}`.
#[derive(Debug, Deserialize, JsonSchema, Validate)]
pub(crate) struct NewUser {
    #[garde(custom(readable))]
    #[schemars(length(max = NAME_CHARS_MAX), regex(pattern = READABLE))]
    pub(crate) name: String,
    #[garde(custom(address))]
    #[schemars(length(max = BYTES_MAX), regex(pattern = PATTERN))]
    pub(crate) email: String,
}

/// `?limit=20&after=7`: which users to list. After an id instead of an offset, because the database then reads what it returns
/// and no more, and a user who comes or goes meanwhile moves no other to another page.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub(crate) struct PageQuery {
    /// How many users.
    #[serde(default = "twenty", deserialize_with = "within::<1, LIMIT_MAX, _, _>")]
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: i64,
    /// The id of the last user of the page before.
    #[serde(default, deserialize_with = "within::<0, ID_MAX, _, _>")]
    #[schemars(range(min = 0))]
    pub(crate) after: i64,
}

fn twenty() -> i64 {
    20
}

impl PageQuery {
    /// How many to ask the database for: one more than the page has, which tells whether there is a next page.
    pub(crate) fn rows(self) -> i64 {
        self.limit + 1
    }
}

/// Users in the order of their ids.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct UserPage {
    users: Vec<User>,
    /// What `after` is to be for the next page; none after the last.
    next: Option<i64>,
}

impl UserPage {
    /// The page of these rows.
    pub(crate) fn new(mut rows: Vec<User>, query: PageQuery) -> Self {
        let limit = usize::try_from(query.limit).expect("at most LIMIT_MAX");
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|user| user.id);
        Self { users: rows, next }
    }
}

/// The rule of a name: not empty, and no control characters, which PostgreSQL takes in part and people in no case.
fn readable(text: &str, (): &()) -> garde::Result {
    let fits = (1..=NAME_CHARS_MAX).contains(&text.chars().count());
    match fits && !text.trim().is_empty() && !text.contains(char::is_control) {
        true => Ok(()),
        false => Err(garde::Error::new(format!(
            "not a name of 1 to {NAME_CHARS_MAX} characters"
        ))),
    }
}
