//! TLS, as the parameters of a URL have it.

use std::path::PathBuf;

use super::UrlError;
use super::parts::Parts;

/// The parameters, for error texts.
pub(super) const PARAMETERS: &str =
    "ssl_cert_reqs=required, ssl_ca_certs, ssl_certfile and ssl_keyfile";

/// Whether a connection speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// It does not.
    Off,
    /// It does, and checks the server's certificate.
    On(TlsFiles),
}

/// Certificates in PEM files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// `ssl_ca_certs`: who may sign the server's certificate, instead of those that the system trusts.
    pub ca_certs: Option<PathBuf>,
    /// `ssl_certfile`: this client's certificate.
    pub certfile: Option<PathBuf>,
    /// `ssl_keyfile`: its key.
    pub keyfile: Option<PathBuf>,
}

impl Tls {
    /// Whether it is on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        matches!(self, Self::On(_))
    }

    /// Takes the parameters out of a URL whose scheme does not say whether there is TLS: any of them turns it on.
    pub(super) fn read_if_asked(parts: &mut Parts, prefix: &str) -> Result<Self, UrlError> {
        let start = format!("{prefix}ssl_");
        match parts.query.iter().any(|(name, _)| name.starts_with(&start)) {
            true => Self::read(parts, prefix),
            false => Ok(Self::Off),
        }
    }

    /// Takes the parameters, whose names begin with `prefix`, out of a URL.
    pub(super) fn read(parts: &mut Parts, prefix: &str) -> Result<Self, UrlError> {
        let requirement = format!("{prefix}ssl_cert_reqs");
        check_requirement(parts.take(&requirement).as_deref(), prefix)?;
        let mut file = |name| {
            parts
                .take(&format!("{prefix}{name}"))
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
        };
        let files = TlsFiles {
            ca_certs: file("ssl_ca_certs"),
            certfile: file("ssl_certfile"),
            keyfile: file("ssl_keyfile"),
        };
        if files.certfile.is_some() != files.keyfile.is_some() {
            return Err(UrlError::new(format!(
                "it has one of {prefix}ssl_certfile and {prefix}ssl_keyfile; give both, or none"
            )));
        }
        Ok(Self::On(files))
    }
}

/// A certificate that is checked where Python would not even look at it is the safe difference; one that is not checked where
/// it should be is not.
fn check_requirement(value: Option<&str>, prefix: &str) -> Result<(), UrlError> {
    match value {
        None | Some("required" | "CERT_REQUIRED" | "optional" | "CERT_OPTIONAL") => Ok(()),
        Some("none" | "CERT_NONE") => Err(UrlError::new(format!(
            "{prefix}ssl_cert_reqs=none does not check the server's certificate, which Siding always does; write \
             {prefix}ssl_cert_reqs=required, and {prefix}ssl_ca_certs=FILE for a certificate that the system does not trust"
        ))),
        Some(_) => Err(UrlError::new(format!(
            "{prefix}ssl_cert_reqs is not what it may be; write {prefix}ssl_cert_reqs=required"
        ))),
    }
}
