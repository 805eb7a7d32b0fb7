//! What is asked for, and what the answer must be.

use serde_json::{Value, json};

use super::side::Form;
use crate::database::User;

/// How many users a page has.
const PAGE: usize = 20;

/// What a request reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// One user by its id.
    One,
    /// Twenty users in the order of their ids.
    Page,
}

/// What to ask for, behind `/async/users` or `/sync/users`, and what the answer to the first of these is.
#[derive(Debug)]
pub(super) struct Requests {
    tails: Vec<String>,
    pub(super) first_answer: Value,
}

impl Read {
    /// A request for each user, or for each page of as many as a page has.
    pub(super) fn requests(self, users: &[User]) -> Requests {
        match self {
            Self::One => Requests {
                tails: users.iter().map(|user| format!("/{}", user.id)).collect(),
                first_answer: json!(users.first()),
            },
            Self::Page => Requests {
                tails: users.windows(PAGE + 1).map(after_the_first).collect(),
                first_answer: json!({
                    "users": users.get(1..=PAGE),
                    "next": users.get(PAGE).map(|user| user.id),
                }),
            },
        }
    }

    /// The endpoint, as the report names it.
    pub(super) fn endpoint(self, form: Form) -> String {
        let tail = match self {
            Self::One => "/{id}",
            Self::Page => "?limit=20",
        };
        format!("{}{tail}", form.path())
    }

    /// The row of the rates.
    pub(super) fn rate(self, form: Form) -> String {
        format!("{} requests", self.endpoint(form))
    }
}

impl Requests {
    /// The paths for handlers of this form.
    pub(super) fn paths(&self, form: Form) -> Vec<String> {
        let tails = self.tails.iter();
        tails.map(|tail| format!("{}{tail}", form.path())).collect()
    }
}

fn after_the_first(users: &[User]) -> String {
    format!("?limit={PAGE}&after={}", users[0].id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(ids: std::ops::RangeInclusive<i64>) -> Vec<User> {
        let user = |id| User {
            id,
            name: format!("User {id}"),
            email: format!("{id}@example.com"),
        };
        ids.map(user).collect()
    }

    #[test]
    fn asks_for_each_user_once() {
        let requests = Read::One.requests(&users(7..=9));
        let paths = ["/sync/users/7", "/sync/users/8", "/sync/users/9"];
        assert_eq!(requests.paths(Form::Plain), paths);
        let answer = json!({"id": 7, "name": "User 7", "email": "7@example.com"});
        assert_eq!(requests.first_answer, answer);
    }

    #[test]
    fn asks_for_full_pages_alone() {
        let requests = Read::Page.requests(&users(7..=28));
        let paths = [
            "/async/users?limit=20&after=7",
            "/async/users?limit=20&after=8",
        ];
        assert_eq!(requests.paths(Form::Async), paths);
        let answer = &requests.first_answer;
        assert_eq!(answer["users"], json!(users(8..=27)));
        assert_eq!(answer["next"], 27);
    }
}
