//! URLs of AMQP.

use std::fmt;
use std::time::Duration;

use super::parts::{Parts, encoded_path, write_credentials, write_server};
use super::tls::{self, Tls};
use super::{Secret, UrlError};

const PORT: u16 = 5672;
const TLS_PORT: u16 = 5671;

/// Where an AMQP broker is. Its `Display` and its `Debug` leave the password out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AmqpUrl {
    /// `localhost` unless it is said.
    pub host: String,
    /// 5672 unless it is said; 5671 with TLS.
    pub port: u16,
    /// `amqps://` has it.
    pub tls: Tls,
    /// `guest` unless it is said.
    pub user: String,
    /// `guest` unless it is said.
    pub password: Secret,
    /// `/` unless it is said.
    pub virtual_host: String,
    /// `heartbeat=SECONDS`: how often each side shows that it lives. Zero is for never.
    pub heartbeat: Option<Duration>,
}

impl AmqpUrl {
    pub(super) fn read(mut parts: Parts) -> Result<Self, UrlError> {
        let secure = parts.scheme.ends_with('s');
        let heartbeat = parts
            .take("heartbeat")
            .map(|text| seconds(&text))
            .transpose()?;
        let tls = match secure {
            true => Tls::read(&mut parts, "")?,
            false => refuse_tls(&parts)?,
        };
        match secure {
            true => parts.finish(&format!("heartbeat, {}", tls::PARAMETERS))?,
            false => parts.finish("heartbeat")?,
        }
        Ok(Self {
            host: parts.host.unwrap_or_else(|| "localhost".to_owned()),
            port: parts.port.unwrap_or(if secure { TLS_PORT } else { PORT }),
            tls,
            user: parts.user.unwrap_or_else(|| "guest".to_owned()),
            password: parts.password.unwrap_or_else(|| Secret::new("guest")),
            virtual_host: parts.path.unwrap_or_else(|| "/".to_owned()),
            heartbeat,
        })
    }
}

fn refuse_tls(parts: &Parts) -> Result<Tls, UrlError> {
    match parts.query.iter().any(|(name, _)| name.starts_with("ssl_")) {
        true => Err(UrlError::new(
            "it asks for TLS, and amqp:// has none; write amqps://",
        )),
        false => Ok(Tls::Off),
    }
}

fn seconds(text: &str) -> Result<Duration, UrlError> {
    let seconds = text.parse().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| {
            UrlError::new("heartbeat is no number of seconds; write for example heartbeat=30")
        })
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls.is_on() {
            "amqps://"
        } else {
            "amqp://"
        })?;
        write_credentials(f, Some(&self.user), Some(&self.password))?;
        write_server(f, &self.host, self.port)?;
        write!(f, "/{}", encoded_path(&self.virtual_host))
    }
}
