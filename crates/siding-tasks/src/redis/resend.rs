//! Sending again what a Python worker took off its list and lost.
//!
//! kombu pops a message and then notes that it is not acknowledged, in two steps. Whoever sent the message can tell that it was
//! lost between them: it has not ended, nobody holds it, and it waits nowhere.

use std::time::Duration;

use super::results::RedisResults;
use super::{Shared, held, scripts};
use crate::broker::BrokerError;
use crate::message::TaskId;

/// A message that seems lost is looked for once more after so long: it may have been taken in the very moment of the look.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// Calls that are looked for before it is asked for more; while lists are long, there is no more.
const BATCH: usize = 256;

/// How many messages of a list are searched; in a longer one every call is taken to wait.
const DEPTH: usize = 1_000;

impl Shared {
    /// Looks for the calls whose time has come.
    pub(super) async fn look_after(&self) -> Result<(), BrokerError> {
        let (Some(after), Some(results)) = (self.settings.resend_lost, &self.beside) else {
            return Ok(());
        };
        while self.look_at_some(after, results).await? {}
        Ok(())
    }

    /// Whether there may be more to look at, and it is worth it.
    async fn look_at_some(
        &self,
        after: Duration,
        results: &RedisResults,
    ) -> Result<bool, BrokerError> {
        let mut ask = redis::cmd("ZRANGEBYSCORE");
        ask.arg(self.keys.sent_looks())
            .arg("-inf")
            .arg(held::moment(Duration::ZERO))
            .arg("LIMIT")
            .arg(0)
            .arg(BATCH);
        let members: Vec<String> = self.link.query(&ask).await?;
        let mut is_long = false;
        for member in &members {
            let Some((tag, id)) = member.split_once(' ') else {
                continue;
            };
            let mut call = scripts::RESEND.prepare_invoke();
            call.key(self.keys.unacked())
                .key(self.keys.sent_texts())
                .key(self.keys.sent_looks())
                .key(results.keys.result(&TaskId::from(id)))
                .arg(tag)
                .arg(member)
                .arg(held::moment(after))
                .arg(held::moment(SECOND_LOOK))
                .arg(DEPTH);
            match self.link.run::<u8>(&call).await? {
                1 => tracing::warn!(id, "a worker took this task and lost it; it was sent again"),
                2 => is_long = true,
                _ => {}
            }
        }
        Ok(members.len() == BATCH && !is_long)
    }
}
