//! Tasks that are sent by the clock.

use crate::worker::Crew;

#[derive(Debug, Default)]
pub(crate) struct Schedules;

pub(crate) async fn run(_crew: &Crew) {
    std::future::pending::<()>().await;
}
