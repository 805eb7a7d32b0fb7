//! The parts of a URL, as kombu takes it apart.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Secret, UrlError};

/// What stays as it is in a part of a URL.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// The same in a path.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// The parts of a URL, decoded.
///
/// The crate `url` is stricter than kombu, which lets the host be left out beside a password or a port.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) scheme: String,
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    /// Without the slash in front of it.
    pub(super) path: Option<String>,
    pub(super) query: Vec<(String, String)>,
}

impl Parts {
    /// Takes a URL apart.
    pub(super) fn read(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = split_scheme(text.trim())?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if rest.contains(['@', '#']) {
            return Err(UrlError::new(
                "it has an @ or a # behind its host; in a user name, a password or a path write / as %2F, ? as %3F, # as %23 \
                 and @ as %40",
            ));
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (user, password, server) = split_credentials(authority)?;
        let (host, port) = split_server(server)?;
        Ok(Self {
            scheme,
            user,
            password: password.map(Secret::new),
            host,
            port,
            path: decode(path.strip_prefix('/').unwrap_or(path))?,
            query: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        })
    }

    /// Takes a parameter out of the query.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.query.iter().position(|(key, _)| key == name)?;
        Some(self.query.remove(at).1)
    }

    /// Refuses parameters that nobody has taken. `known` is what there is.
    pub(super) fn finish(&self, known: &str) -> Result<(), UrlError> {
        let Some((name, _)) = self.query.first() else {
            return Ok(());
        };
        let scheme = &self.scheme;
        let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        Err(UrlError::new(match is_name(name) {
            true => format!("{scheme}:// has no parameter {name}; it has {known}"),
            false => format!("{scheme}:// has no such parameter; it has {known}"),
        }))
    }
}

fn split_scheme(text: &str) -> Result<(String, &str), UrlError> {
    let named = text.split_once("://").filter(|(scheme, _)| {
        !scheme.is_empty()
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    });
    let Some((scheme, rest)) = named else {
        return Err(UrlError::new(
            "it is no URL; write for example redis://localhost:6379/0 or amqp://guest:guest@localhost:5672//",
        ));
    };
    if rest.contains(';') && rest.contains("://") {
        return Err(UrlError::new(
            "it names several servers, and Siding speaks to one; name one, one address in front of them, or for Redis its \
             sentinels",
        ));
    }
    Ok((scheme.to_ascii_lowercase(), rest))
}

type Credentials<'a> = (Option<String>, Option<String>, &'a str);

fn split_credentials(authority: &str) -> Result<Credentials<'_>, UrlError> {
    let Some((credentials, server)) = authority.rsplit_once('@') else {
        return Ok((None, None, authority));
    };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    Ok((decode(user)?, decode(password)?, server))
}

fn split_server(server: &str) -> Result<(Option<String>, Option<u16>), UrlError> {
    let (host, port) = match server.strip_prefix('[') {
        Some(six) => six.split_once(']').ok_or_else(|| {
            UrlError::new(
                "its host begins with [ and has no ]; write an IPv6 address as [::1]:6379",
            )
        })?,
        None => server.split_at(server.find(':').unwrap_or(server.len())),
    };
    let digits = match port.strip_prefix(':') {
        Some(digits) => digits,
        None if port.is_empty() => "",
        None => return Err(bad_port()),
    };
    let port = match digits {
        "" => None,
        digits => Some(
            digits
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(bad_port)?,
        ),
    };
    Ok((decode(host)?, port))
}

/// Does not say what is there: it may be the beginning of a password.
fn bad_port() -> UrlError {
    UrlError::new(
        "its port is no number from 1 to 65535; if that is a part of the password, write / as %2F, ? as %3F and # as %23, and \
         the host behind an @",
    )
}

/// Nothing, when it is empty.
fn decode(text: &str) -> Result<Option<String>, UrlError> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| {
        UrlError::new("its percent-encoded bytes are no UTF-8; encode the UTF-8 of the text")
    })?;
    Ok((!text.is_empty()).then(|| text.into_owned()))
}

/// Writes `user:**@`, as far as there is such.
pub(super) fn write_credentials(
    f: &mut fmt::Formatter<'_>,
    user: Option<&str>,
    password: Option<&Secret>,
) -> fmt::Result {
    if user.is_none() && password.is_none() {
        return Ok(());
    }
    let user = utf8_percent_encode(user.unwrap_or_default(), UNRESERVED);
    match password {
        Some(password) => write!(f, "{user}:{password}@"),
        None => write!(f, "{user}@"),
    }
}

/// Writes `host:port`.
pub(super) fn write_server(f: &mut fmt::Formatter<'_>, host: &str, port: u16) -> fmt::Result {
    match host.contains(':') {
        true => write!(f, "[{host}]:{port}"),
        false => write!(f, "{}:{port}", utf8_percent_encode(host, UNRESERVED)),
    }
}

/// The value of a parameter, encoded.
pub(super) fn encoded(value: &str) -> impl fmt::Display {
    utf8_percent_encode(value, UNRESERVED)
}

/// A path, encoded.
pub(super) fn encoded_path(path: &str) -> impl fmt::Display {
    utf8_percent_encode(path, PATH)
}
