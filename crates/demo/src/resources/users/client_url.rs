//! A database's URL, as the clients in C take it. What sqlx knows by another name is renamed, so that one URL is good for both.

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::PATIENCE;
use super::database::Database;

/// As a file of SQLite's, which knows the parameters that sqlx does.
pub(super) fn sqlite(database: &Database) -> String {
    let (path, parameters) = database.sqlite_parts().expect("a file");
    format!("file:{path}?{parameters}")
}

/// As libpq takes it, which refuses parameters that it does not know. It would wait for a server that is gone as long as the
/// kernel does, two hours, on a thread; so it looks after a connection on which nothing arrives.
pub(super) fn libpq(url: &Url) -> String {
    let parameters = url.query_pairs().filter_map(|(name, value)| {
        let name = match &*name {
            "ssl-mode" => "sslmode".into(),
            "ssl-root-cert" | "ssl-ca" => "sslrootcert".into(),
            "ssl-cert" => "sslcert".into(),
            "ssl-key" => "sslkey".into(),
            "statement-cache-capacity" => return None,
            _ => name,
        };
        let option = name
            .strip_prefix("options[")
            .and_then(|name| name.strip_suffix(']'));
        match option {
            Some(option) => Some(("options".into(), format!("-c {option}={value}").into())),
            None => Some((name, value)),
        }
    });
    let patience = PATIENCE.as_secs().to_string();
    let defaults = [
        ("connect_timeout", &*patience),
        ("keepalives_idle", "10"),
        ("keepalives_interval", "5"),
        ("keepalives_count", "3"),
    ];
    with_parameters(
        url,
        defaults
            .map(|(name, value)| (name.into(), value.into()))
            .into_iter()
            .chain(parameters),
    )
}

/// As libmysqlclient takes it, by way of diesel.
#[cfg(feature = "mysql")]
pub(super) fn mysql(url: &Url) -> String {
    let mut url = url.clone();
    // One scheme for both servers, and both are special to nobody.
    url.set_scheme("mysql").expect("neither scheme is special");
    let parameters = url.query_pairs().map(|(name, value)| {
        let name = match &*name {
            "socket" => "unix_socket".into(),
            "sslmode" => "ssl_mode".into(),
            _ => name.replace('-', "_").into(),
        };
        (name, value)
    });
    with_parameters(&url, parameters)
}

/// The URL with these parameters, of which the last of a name counts. Spaces are `%20`, since libpq takes a `+` for a `+`.
fn with_parameters<'p>(
    url: &Url,
    parameters: impl Iterator<Item = (Cow<'p, str>, Cow<'p, str>)>,
) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let parameters: Vec<_> = parameters
        .map(|(name, value)| format!("{}={}", name, encode(&value)))
        .collect();
    let mut url = url.clone();
    url.set_query(Some(&parameters.join("&")));
    url.into()
}
