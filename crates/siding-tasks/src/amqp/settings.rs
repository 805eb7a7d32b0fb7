//! Everything that can be set on a connection to RabbitMQ.

use std::time::Duration;

use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};

use crate::broker::BrokerError;
use crate::message::Message;
use crate::queues::TaskQueues;
use crate::remote::BrokerInfo;
use crate::routes::TaskRoutes;
use crate::url::{AmqpUrl, Tls, TlsFiles};

/// How often each side shows that it lives, unless the URL says.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How to reach a RabbitMQ server, and how patient to be with it.
///
/// ```
/// use siding_tasks::{AmqpSettings, BrokerUrl};
///
/// let BrokerUrl::Amqp(url) = "amqp://app:secret@127.0.0.1:5672/shop".parse()? else {
///     unreachable!("it is a URL of AMQP")
/// };
/// let mut settings = AmqpSettings::new(url);
/// settings.queues = vec!["celery".to_owned(), "images".to_owned()];
/// # Ok::<(), siding_tasks::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmqpSettings {
    /// The server and the virtual host. Its heartbeat is 15 s unless set: a process whose threads are all held up for twice as
    /// long loses its connection, and so its leases. A server that is gone is found sooner than that, by asking it. The
    /// certificates of `ssl_ca_certs` are trusted beside those that the system trusts.
    pub url: AmqpUrl,
    /// What the connection is called in RabbitMQ's lists: `siding` unless set.
    pub name: String,
    /// How long a request waits while there is no connection, before it fails: 2 s unless set.
    pub outage_timeout: Duration,
    /// How long a request waits for the server's answer, before it fails: 10 s unless set.
    pub response_timeout: Duration,
    /// The queues that are counted, beside those that are served, and purged when no queue is named: `celery` unless set.
    /// RabbitMQ does not tell its clients which there are.
    pub queues: Vec<String>,
    /// Where tasks go: Celery's `task_routes`. None unless set.
    pub routes: TaskRoutes,
    /// The queues that are bound to exchanges: Celery's `task_queues`. None unless set.
    pub task_queues: TaskQueues,
    /// A message whose eta is further ahead waits in RabbitMQ's queues of delayed delivery, not in a worker: 10 s unless set.
    pub park_beyond: Duration,
}

impl AmqpSettings {
    /// The defaults, for the server and the virtual host of `url`.
    #[must_use]
    pub fn new(url: AmqpUrl) -> Self {
        Self {
            url,
            name: "siding".to_owned(),
            outage_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(10),
            queues: vec![Message::DEFAULT_QUEUE.to_owned()],
            routes: TaskRoutes::default(),
            task_queues: TaskQueues::default(),
            park_beyond: Duration::from_secs(10),
        }
    }

    /// What may be told of it.
    pub(super) fn info(&self) -> BrokerInfo {
        BrokerInfo {
            alternates: Vec::new(),
            transport: "amqp",
            hostname: self.url.host.clone(),
            port: self.url.port,
            userid: Some(self.url.user.clone()),
            virtual_host: self.url.virtual_host.clone(),
            ssl: self.url.tls.is_on(),
        }
    }

    /// `host:port`, for error messages.
    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.url.host, self.url.port)
    }

    /// As the crate has it.
    pub(super) fn uri(&self) -> AMQPUri {
        let url = &self.url;
        let heartbeat = url.heartbeat.unwrap_or(HEARTBEAT).as_secs_f64().ceil();
        AMQPUri {
            scheme: if url.tls.is_on() {
                AMQPScheme::AMQPS
            } else {
                AMQPScheme::AMQP
            },
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo {
                    username: url.user.clone(),
                    password: url.password.reveal().to_owned(),
                },
                host: url.host.clone(),
                port: url.port,
            },
            vhost: url.virtual_host.clone(),
            query: AMQPQueryString {
                // Whole seconds, which a heartbeat of a day does not exceed.
                heartbeat: Some(
                    Duration::from_secs_f64(heartbeat)
                        .as_secs()
                        .try_into()
                        .unwrap_or(u16::MAX),
                ),
                ..AMQPQueryString::default()
            },
        }
    }

    /// The certificates, read from their files.
    pub(super) fn tls(&self) -> Result<OwnedTLSConfig, BrokerError> {
        match &self.url.tls {
            Tls::Off => Ok(OwnedTLSConfig::default()),
            Tls::On(files) => certificates(files),
        }
    }
}

fn certificates(files: &TlsFiles) -> Result<OwnedTLSConfig, BrokerError> {
    let broken = |path: &std::path::Path, error| {
        BrokerError::Broken(format!("{} cannot be read: {error}", path.display()))
    };
    let read = |path: &std::path::PathBuf| std::fs::read(path).map_err(|error| broken(path, error));
    let identity = match (&files.certfile, &files.keyfile) {
        (Some(certificate), Some(key)) => Some(OwnedIdentity::PKCS8 {
            pem: read(certificate)?,
            key: read(key)?,
        }),
        _ => None,
    };
    let read_text = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path).map_err(|error| broken(path, error))
    };
    Ok(OwnedTLSConfig {
        identity,
        cert_chain: files.ca_certs.as_ref().map(read_text).transpose()?,
    })
}
