//! `ureq`: for plain `fn`.

use std::io;
use std::sync::Arc;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::{ANSWER_BYTES_MAX, CONNECT_LIMIT, ExternalError, ExternalErrorKind, Origin, Way};
use crate::models::external::Fetched;
use crate::resources::cause::cause;

/// Asks the external API, and blocks its thread meanwhile. A cheap clone, whose clones share connections.
#[derive(Clone)]
pub(crate) struct BlockingExternal {
    agent: Agent,
    origin: Arc<Origin>,
}

impl BlockingExternal {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "an opener returns a result, and another client's would fail"
    )]
    pub(super) fn new(origin: Arc<Origin>, connections: u32) -> io::Result<Self> {
        // The certificates that this machine trusts, as the other client does.
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
        let builder = Agent::config_builder()
            .timeout_connect(Some(CONNECT_LIMIT))
            .timeout_global(Some(origin.limit))
            .max_idle_connections(connections as usize)
            .max_idle_connections_per_host(connections as usize)
            .http_status_as_error(false)
            .tls_config(tls.build());
        let config = match origin.way {
            Way::ByEnvironment => builder,
            Way::Direct => builder.proxy(None),
        };
        Ok(Self {
            agent: config.build().new_agent(),
            origin,
        })
    }

    /// What it answers, after `ms` milliseconds if it does as it is told.
    pub(crate) fn fetch(&self, ms: Option<u64>) -> Result<Fetched, ExternalError> {
        let question = self.agent.get(self.origin.question(ms).as_str());
        let mut response = question.call().map_err(|error| self.error(&error))?;
        let status = response.status().as_u16();
        self.origin.refuse_status(status)?;
        let body = response.body_mut().with_config();
        let body = body.limit(ANSWER_BYTES_MAX as u64).read_to_vec();
        Ok(Fetched::new(
            status,
            &body.map_err(|error| self.error(&error))?,
        ))
    }

    fn error(&self, error: &ureq::Error) -> ExternalError {
        match error {
            ureq::Error::Timeout(_) => self.origin.timed_out(),
            ureq::Error::BodyExceedsLimit(_) => self.origin.too_long(),
            // Its text would repeat the URL, and a password in it.
            ureq::Error::BadUri(_) => self.unreachable("its URL makes no sense".to_owned()),
            error => self.unreachable(cause(error)),
        }
    }

    fn unreachable(&self, why: String) -> ExternalError {
        self.origin.error(ExternalErrorKind::Unreachable(why))
    }
}
