//! Clients of servers.

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion,
    RedisConnectionInfo, TlsCertificates,
};

use redis::io::tcp::TcpSettings;

use crate::broker::BrokerError;
use crate::url::{RedisUrl, Secret, Sentinels, ServerAddress, Tls, TlsFiles};

/// What servers are told by whoever connects to them, wherever they are.
#[derive(Clone)]
pub(super) struct Login {
    info: RedisConnectionInfo,
    certificates: Option<TlsCertificates>,
}

impl Login {
    /// That of the servers that keep what `url` names.
    pub(super) fn of_server(url: &RedisUrl, tls: &Tls) -> Result<Self, BrokerError> {
        let info = RedisConnectionInfo::default()
            .set_db(url.database.into())
            // News of lists and subscriptions are pushed on the connection that asks for them.
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("siding", env!("CARGO_PKG_VERSION"));
        Self::new(info, url.user.as_deref(), url.password.as_ref(), tls)
    }

    /// That of sentinels, in the protocol that those of every age speak.
    pub(super) fn of_sentinels(sentinels: &Sentinels) -> Result<Self, BrokerError> {
        let info = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP2)
            .set_skip_set_lib_name();
        let (user, password) = (sentinels.user.as_deref(), sentinels.password.as_ref());
        Self::new(info, user, password, &sentinels.tls)
    }

    fn new(
        mut info: RedisConnectionInfo,
        user: Option<&str>,
        password: Option<&Secret>,
        tls: &Tls,
    ) -> Result<Self, BrokerError> {
        if let Some(user) = user {
            info = info.set_username(user);
        }
        if let Some(password) = password {
            info = info.set_password(password.reveal());
        }
        let certificates = match tls {
            Tls::Off => None,
            Tls::On(files) => Some(certificates(files)?),
        };
        Ok(Self { info, certificates })
    }

    /// The client for the server at `address`. It connects to nothing yet.
    pub(super) fn at(&self, address: &ServerAddress) -> Result<Client, BrokerError> {
        let (host, port) = (address.host.clone(), address.port);
        self.open(match self.certificates {
            None => ConnectionAddr::Tcp(host, port),
            Some(_) => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            },
        })
    }

    /// The same for any address.
    pub(super) fn open(&self, address: ConnectionAddr) -> Result<Client, BrokerError> {
        let place = address.to_string();
        let info = address
            .into_connection_info()
            .map_err(|error| BrokerError::Broken(format!("{place} cannot be reached: {error}")))?
            .set_redis_settings(self.info.clone())
            .set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let Some(certificates) = &self.certificates else {
            return Client::open(info)
                .map_err(|error| BrokerError::Broken(format!("{place}: {error}")));
        };
        install_provider();
        Client::build_with_tls(info, certificates.clone())
            .map_err(|error| BrokerError::Broken(format!("the certificates for {place}: {error}")))
    }
}

fn certificates(files: &TlsFiles) -> Result<TlsCertificates, BrokerError> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|error| {
            BrokerError::Broken(format!("{} cannot be read: {error}", path.display()))
        })
    };
    let client_tls = match (&files.certfile, &files.keyfile) {
        (Some(certificate), Some(key)) => Some(ClientTlsConfig {
            client_cert: read(certificate)?,
            client_key: read(key)?,
        }),
        _ => None,
    };
    Ok(TlsCertificates {
        client_tls,
        root_cert: files.ca_certs.as_ref().map(read).transpose()?,
    })
}

/// Makes ring the process's provider of cryptography unless the application has chosen one: without any, no connection
/// with TLS opens.
fn install_provider() {
    // Whoever came first has chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
