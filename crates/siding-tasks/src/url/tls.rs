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

    /// Takes the parameters out of a URL.
    pub(super) fn read(parts: &mut Parts) -> Result<Self, UrlError> {
        check_requirement(parts.take("ssl_cert_reqs").as_deref())?;
        let mut file = |name| {
            parts
                .take(name)
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
        };
        let files = TlsFiles {
            ca_certs: file("ssl_ca_certs"),
            certfile: file("ssl_certfile"),
            keyfile: file("ssl_keyfile"),
        };
        if files.certfile.is_some() != files.keyfile.is_some() {
            return Err(UrlError::new(
                "it has one of ssl_certfile and ssl_keyfile; give both, or none",
            ));
        }
        Ok(Self::On(files))
    }
}

/// A certificate that is checked where Python would not even look at it is the safe difference; one that is not checked where
/// it should be is not.
fn check_requirement(value: Option<&str>) -> Result<(), UrlError> {
    match value {
        None | Some("required" | "CERT_REQUIRED" | "optional" | "CERT_OPTIONAL") => Ok(()),
        Some("none" | "CERT_NONE") => Err(UrlError::new(
            "ssl_cert_reqs=none does not check the server's certificate, which Siding always does; write \
             ssl_cert_reqs=required, and ssl_ca_certs=FILE for a certificate that the system does not trust",
        )),
        Some(_) => Err(UrlError::new(
            "ssl_cert_reqs is not what it may be; write ssl_cert_reqs=required",
        )),
    }
}
