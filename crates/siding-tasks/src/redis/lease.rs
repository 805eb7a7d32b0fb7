//! Renewing claims, and giving messages back.

use std::time::Duration;

use super::{Shared, held, scripts};
use crate::broker::{BrokerError, Lease, Renewal, Revocation};

/// How long a revocation is remembered: a task that is sent later than this after it runs.
const REVOKED_SECONDS: u64 = 7 * 24 * 3_600;

impl Revocation {
    /// What a key says of it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Terminate => "terminate",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "ignore" => Some(Self::Ignore),
            "terminate" => Some(Self::Terminate),
            _ => None,
        }
    }
}

impl Shared {
    pub(super) async fn renew(&self, leases: &[Lease]) -> Result<Vec<Renewal>, BrokerError> {
        let period = leases.iter().map(|lease| lease.period).min();
        let mut call = scripts::RENEW.prepare_invoke();
        call.key(self.keys.unacked_index())
            .key(self.keys.leases())
            .key(self.keys.revoked())
            .arg(held::seconds())
            .arg(held::moment(period.unwrap_or(Duration::ZERO)));
        let mut asked = Vec::with_capacity(leases.len());
        for lease in leases {
            if let Some(held) = self.holding.get(lease) {
                call.arg(&held.tag).arg(&held.fence).arg(lease.id.as_str());
                asked.push(lease);
            }
        }
        let answers: Vec<String> = self.link.run(&call).await?;
        let mut answers = asked.into_iter().zip(answers);
        let mut next = answers.next();
        let renewals = leases.iter().map(|lease| match next.take() {
            Some((asked, answer)) if asked == lease => {
                next = answers.next();
                self.renewed(lease, &answer)
            }
            later => {
                next = later;
                Renewal::Lost
            }
        });
        Ok(renewals.collect())
    }

    fn renewed(&self, lease: &Lease, answer: &str) -> Renewal {
        if answer == "lost" {
            self.holding.forget(lease);
            return Renewal::Lost;
        }
        match Revocation::parse(answer) {
            Some(revocation) => Renewal::Revoked(revocation),
            None => Renewal::Held,
        }
    }

    pub(super) async fn release(&self, leases: &[Lease]) -> Result<(), BrokerError> {
        for lease in leases {
            let Some(held) = self.holding.get(lease) else {
                continue;
            };
            let mut call = scripts::RELEASE.prepare_invoke();
            call.key(self.keys.unacked())
                .key(self.keys.unacked_index())
                .key(self.keys.leases())
                .key(&held.list)
                .arg(&held.tag)
                .arg(&held.fence)
                .arg(&*held.raw);
            self.link.run::<u8>(&call).await?;
            self.holding.forget(lease);
        }
        Ok(())
    }

    /// Remembers it in the database, for whoever claims it, and tells the workers that live, Python's too.
    pub(super) async fn revoke(
        &self,
        id: &crate::message::TaskId,
        revocation: Revocation,
    ) -> Result<(), BrokerError> {
        let mut set = redis::cmd("SET");
        set.arg(format!("{}{id}", self.keys.revoked()))
            .arg(revocation.as_str())
            .arg("EX")
            .arg(REVOKED_SECONDS);
        self.link.query::<()>(&set).await?;
        self.broadcast(&crate::celery::broadcast::revocation(id, revocation))
            .await
    }
}
