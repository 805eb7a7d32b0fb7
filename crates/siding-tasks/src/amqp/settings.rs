//! What can be set of a connection to an AMQP server.

use std::fmt;
use std::time::Duration;

use lapin::uri::{AMQPScheme, AMQPUri};

use crate::message::Message;
use crate::remote::BrokerInfo;

/// What can be set of a connection to an AMQP server, which is RabbitMQ. The password is shown nowhere.
///
/// ```
/// use siding_tasks::AmqpSettings;
///
/// let mut settings = AmqpSettings::from_url("amqp://guest:guest@localhost:5672//")?;
/// settings.queues = vec!["celery".to_owned(), "images".to_owned()];
/// # Ok::<(), siding_tasks::AmqpUrlError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct AmqpSettings {
    pub(super) uri: AMQPUri,
    /// What the connection is called in RabbitMQ's lists; `siding`.
    pub name: String,
    /// How often the server and this process tell each other that they live, if nothing else is sent; 15 s. A process whose
    /// threads are all held up for twice as long loses its connection, and so its leases. A server that is gone is found
    /// sooner than that, by asking it.
    pub heartbeat: Duration,
    /// How long a request waits while there is no connection, before it fails; 2 s.
    pub outage_limit: Duration,
    /// How long a request waits for the server's answer, before it fails; 10 s.
    pub answer_limit: Duration,
    /// The queues that are counted, and purged when no queue is named; `celery`. RabbitMQ does not tell its clients which
    /// there are.
    pub queues: Vec<String>,
    /// A message whose eta is further ahead than this waits in RabbitMQ's queues of delayed delivery, not in a worker; 10 s.
    pub park_beyond: Duration,
}

/// Why a URL is not one of an AMQP server. Does not show it, for it may hold a password.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "the URL of the AMQP server is not understood: {0}; \
     it should look like amqp://user:password@host:5672/vhost, with amqps:// for TLS and %2F for a `/` in a name"
)]
pub struct AmqpUrlError(&'static str);

impl AmqpSettings {
    /// The defaults, for the server at `url`: `amqp://user:password@host:port/vhost`, or `amqps://`. What is left out is
    /// `guest`, `guest`, `localhost`, `5672`, or `5671` with TLS, and `/`.
    ///
    /// # Errors
    /// When it is no such URL.
    pub fn from_url(url: &str) -> Result<Self, AmqpUrlError> {
        let rest = url
            .strip_prefix("amqp://")
            .or_else(|| url.strip_prefix("amqps://"))
            .ok_or(AmqpUrlError("it begins with neither amqp:// nor amqps://"))?;
        let mut uri = url
            .parse::<AMQPUri>()
            .map_err(|_| AmqpUrlError("a part of it cannot be read"))?;
        // The crate's parser knows names and IPv4 only.
        if let Some((host, _)) = rest
            .split_once('[')
            .and_then(|(_, rest)| rest.split_once(']'))
        {
            uri.authority.host = host.to_owned();
        }
        if uri.authority.host.is_empty() {
            uri.authority.host = "localhost".to_owned();
        }
        // As in kombu, no virtual host is the default one.
        if uri.vhost.is_empty() {
            uri.vhost = "/".to_owned();
        }
        Ok(Self {
            uri,
            name: "siding".to_owned(),
            heartbeat: Duration::from_secs(15),
            outage_limit: Duration::from_secs(2),
            answer_limit: Duration::from_secs(10),
            queues: vec![Message::DEFAULT_QUEUE.to_owned()],
            park_beyond: Duration::from_secs(10),
        })
    }

    /// What may be told of it.
    pub(super) fn info(&self) -> BrokerInfo {
        let authority = &self.uri.authority;
        BrokerInfo {
            transport: "amqp",
            hostname: authority.host.clone(),
            port: authority.port,
            userid: Some(authority.userinfo.username.clone()),
            virtual_host: self.uri.vhost.clone(),
            ssl: self.uri.scheme == AMQPScheme::AMQPS,
        }
    }

    /// `host:port`, for error messages.
    pub(super) fn server(&self) -> String {
        let authority = &self.uri.authority;
        format!("{}:{}", authority.host, authority.port)
    }
}

impl fmt::Debug for AmqpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpSettings")
            .field("server", &self.info())
            .field("name", &self.name)
            .field("heartbeat", &self.heartbeat)
            .field("outage_limit", &self.outage_limit)
            .field("answer_limit", &self.answer_limit)
            .field("queues", &self.queues)
            .field("park_beyond", &self.park_beyond)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, host: &str, port: u16, vhost: &str) {
        let settings = AmqpSettings::from_url(url).unwrap();
        let info = settings.info();
        assert_eq!(
            (&*info.hostname, info.port, &*info.virtual_host),
            (host, port, vhost)
        );
    }

    #[test]
    fn what_is_left_out_is_as_in_celery() {
        check("amqp://", "localhost", 5672, "/");
        check("amqp://guest@broker", "broker", 5672, "/");
        check("amqp://broker/", "broker", 5672, "/");
        check("amqp://broker//", "broker", 5672, "/");
        check("amqp://broker/%2F", "broker", 5672, "/");
        check("amqps://broker/a", "broker", 5671, "a");
        check("amqp://u:p@[::1]:1234/v", "::1", 1234, "v");
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let settings = AmqpSettings::from_url("amqp://me:s3cr3t%40@broker/v").unwrap();
        assert_eq!(settings.uri.authority.userinfo.password, "s3cr3t@");
        let shown = format!("{settings:?} {:#?}", settings.info());
        assert!(shown.contains("me") && !shown.contains("s3cr3t"), "{shown}");
        let error = AmqpSettings::from_url("amqp://me:s3cr3t@broker:port/").unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
        assert!(shown.contains("amqp://user:password@host"), "{shown}");
    }

    #[test]
    fn other_schemes_are_refused() {
        let error = AmqpSettings::from_url("redis://localhost").unwrap_err();
        assert!(error.to_string().contains("neither amqp://"), "{error}");
    }
}
