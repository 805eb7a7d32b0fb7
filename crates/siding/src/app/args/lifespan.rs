//! The flags about resources.

use std::time::Duration;

use clap::Args;

use super::flags::set;
use crate::app::duration;
use crate::lifespan::LifespanSettings;

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Resources")]
pub(super) struct LifespanFlags {
    /// How long each resource may take to open [default: 30s]
    #[arg(long, global = true, env = "SIDING_OPEN_LIMIT", value_name = "TIME", value_parser = duration::parse)]
    open_limit: Option<Duration>,
    /// How long all of them may take to close [default: 10s]
    #[arg(long, global = true, env = "SIDING_CLOSE_LIMIT", value_name = "TIME", value_parser = duration::parse)]
    close_limit: Option<Duration>,
    /// How long each may take to answer /ready [default: 2s]
    #[arg(long, global = true, env = "SIDING_CHECK_LIMIT", value_name = "TIME", value_parser = duration::parse)]
    check_limit: Option<Duration>,
}

impl LifespanFlags {
    pub(super) fn apply(self, settings: &mut LifespanSettings) {
        set(&mut settings.open_limit, self.open_limit);
        set(&mut settings.close_limit, self.close_limit);
        set(&mut settings.check_limit, self.check_limit);
    }
}
