//! URLs of the sentinels of a Redis.
//!
//! Source: `SentinelChannel._sentinel_managed_pool` in `kombu/transport/redis.py`, `SentinelBackend` in
//! `celery/backends/redis.py`, 5.7: several URLs with a `;` between them, of which the first says user, password and database.

use std::fmt;

use super::parts::{Parts, encoded, write_credentials, write_server};
use super::redis::{RedisServer, RedisUrl, number};
use super::tls::Tls;
use super::{Secret, UrlError};

const PORT: u16 = 26_379;

const SCHEME: &str = "sentinel://";

const PARAMETERS: &str = "master_name, sentinel_username, sentinel_password, ssl_cert_reqs, ssl_ca_certs, ssl_certfile and \
     ssl_keyfile for the master, and the same with sentinel_ before them for the sentinels";

/// Sentinels, and the master that they are asked for. Its `Debug` leaves the password out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sentinels {
    /// Where they are, in the order in which they are asked until one has answered.
    pub addresses: Vec<ServerAddress>,
    /// `master_name=NAME`: the name that the master has in their configuration.
    pub master_name: String,
    /// `sentinel_username=NAME`: the user at the sentinels; the URL's user is the master's.
    pub user: Option<String>,
    /// `sentinel_password=WORD`: the password of the sentinels; the URL's password is the master's.
    pub password: Option<Secret>,
    /// `sentinel_ssl_…`: TLS with the sentinels.
    pub tls: Tls,
    /// `ssl_…`: TLS with the master.
    pub master_tls: Tls,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerAddress {
    /// A name or a number.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Whether `text` is for this module.
pub(super) fn is_sentinel(text: &str) -> bool {
    let start = text.trim_start().get(..SCHEME.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

impl Sentinels {
    /// Reads all URLs of `text`.
    pub(super) fn read(text: &str) -> Result<RedisUrl, UrlError> {
        let urls = text.split(';').map(str::trim).filter(|url| !url.is_empty());
        let mut urls = urls.map(read_one).collect::<Result<Vec<_>, _>>()?;
        let query = all_parameters(&mut urls)?;
        let (first, others) = urls.split_first_mut().ok_or_else(no_scheme)?;
        for other in others.iter() {
            check_like(first, other)?;
        }
        let others = others.iter_mut().map(address);
        let addresses = std::iter::once(address(first)).chain(others).collect();
        first.query = query;
        let sentinels = Self {
            addresses,
            master_name: master_name(first)?,
            user: first.take("sentinel_username"),
            password: first.take("sentinel_password").map(Secret::new),
            tls: Tls::read_if_asked(first, "sentinel_")?,
            master_tls: Tls::read_if_asked(first, "")?,
        };
        first.finish(PARAMETERS)?;
        Ok(RedisUrl {
            database: number(first.path.as_deref())?,
            user: first.user.take(),
            password: first.password.take(),
            server: RedisServer::Sentinels(Box::new(sentinels)),
        })
    }

    /// Writes the URLs, with the credentials and the database in each.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, url: &RedisUrl) -> fmt::Result {
        for (place, address) in self.addresses.iter().enumerate() {
            f.write_str(if place == 0 { SCHEME } else { ";sentinel://" })?;
            write_credentials(f, url.user.as_deref(), url.password.as_ref())?;
            write!(f, "{address}/{}", url.database)?;
        }
        write!(f, "?master_name={}", encoded(&self.master_name))
    }
}

fn read_one(url: &str) -> Result<Parts, UrlError> {
    if !is_sentinel(url) {
        return Err(no_scheme());
    }
    let authority = url[SCHEME.len()..].split(['/', '?', '#']).next();
    let server = authority.and_then(|authority| authority.rsplit('@').next());
    if server.is_some_and(|server| server.contains(',')) {
        return Err(UrlError::new(
            "it has a comma between its sentinels; write sentinel://one:26379;sentinel://two:26379",
        ));
    }
    Parts::read(url)
}

/// The parameters of all URLs together.
fn all_parameters(urls: &mut [Parts]) -> Result<Vec<(String, String)>, UrlError> {
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, value) in urls.iter_mut().flat_map(|url| url.query.drain(..)) {
        match all.iter().find(|(known, _)| *known == name) {
            None => all.push((name, value)),
            Some((_, known)) if *known == value => {}
            Some(_) => {
                return Err(UrlError::new(
                    "it has a parameter twice, with two values; write it once, behind any of the sentinels",
                ));
            }
        }
    }
    Ok(all)
}

fn no_scheme() -> UrlError {
    UrlError::new(
        "one of its sentinels has no scheme; write sentinel://one:26379;sentinel://two:26379, and ; in a password as %3B",
    )
}

/// Python takes these of the first URL and passes over them in the others.
fn check_like(first: &Parts, other: &Parts) -> Result<(), UrlError> {
    let has_credentials = other.user.is_some() || other.password.is_some();
    if has_credentials && (&first.user, &first.password) != (&other.user, &other.password) {
        return Err(UrlError::new(
            "its sentinels differ in user or password, which are the master's and count where they stand first; write them \
             there, and those of the sentinels as sentinel_username and sentinel_password",
        ));
    }
    match other.path.is_some() && number(first.path.as_deref())? != number(other.path.as_deref())? {
        true => Err(UrlError::new(
            "its sentinels differ in the database, which counts where it stands first; write it there",
        )),
        false => Ok(()),
    }
}

fn address(parts: &mut Parts) -> ServerAddress {
    ServerAddress {
        host: parts.host.take().unwrap_or_else(|| "localhost".to_owned()),
        port: parts.port.unwrap_or(PORT),
    }
}

fn master_name(parts: &mut Parts) -> Result<String, UrlError> {
    let name = parts.take("master_name").filter(|name| !name.is_empty());
    name.ok_or_else(|| {
        UrlError::new(
            "it does not say which master its sentinels are asked for; write the name that `sentinel monitor` gives it, as in \
             sentinel://localhost:26379/0?master_name=mymaster",
        )
    })
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_server(f, &self.host, self.port)
    }
}
