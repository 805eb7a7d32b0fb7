//! The client of a URL.

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion,
    RedisConnectionInfo, TlsCertificates,
};

use redis::io::tcp::TcpSettings;

use crate::broker::BrokerError;
use crate::url::{RedisServer, RedisUrl, Tls, TlsFiles};

/// The client for `url`. It connects to nothing yet.
pub(super) fn client(url: &RedisUrl) -> Result<Client, BrokerError> {
    let mut login = RedisConnectionInfo::default()
        .set_db(url.database.into())
        // News of lists and subscriptions are pushed on the connection that asks for them.
        .set_protocol(ProtocolVersion::RESP3)
        .set_lib_name("siding", env!("CARGO_PKG_VERSION"));
    if let Some(user) = &url.user {
        login = login.set_username(user);
    }
    if let Some(password) = &url.password {
        login = login.set_password(password.reveal());
    }
    let (address, files) = address(&url.server);
    let info = address
        .into_connection_info()
        .map_err(|error| BrokerError::Broken(format!("{url} cannot be reached: {error}")))?
        .set_redis_settings(login)
        .set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let Some(files) = files else {
        return Client::open(info).map_err(|error| BrokerError::Broken(format!("{url}: {error}")));
    };
    install_provider();
    Client::build_with_tls(info, certificates(files)?)
        .map_err(|error| BrokerError::Broken(format!("the certificates for {url}: {error}")))
}

fn address(server: &RedisServer) -> (ConnectionAddr, Option<&TlsFiles>) {
    match server {
        RedisServer::Tcp {
            host,
            port,
            tls: Tls::Off,
        } => (ConnectionAddr::Tcp(host.clone(), *port), None),
        RedisServer::Tcp {
            host,
            port,
            tls: Tls::On(files),
        } => {
            let address = ConnectionAddr::TcpTls {
                host: host.clone(),
                port: *port,
                insecure: false,
                tls_params: None,
            };
            (address, Some(files))
        }
        RedisServer::Socket { path } => (ConnectionAddr::Unix(path.clone()), None),
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
