//! The flags about a broker that is shared with Celery.

use std::convert::Infallible;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use siding_tasks::{RemoteControl, Secret, TaskQueues, TaskRoutes, Unknown};

use super::flags::set;
use crate::app::duration;
use crate::app::settings::TaskSettings;

const FAIL: &str = "fail";
const LEAVE: &str = "leave";

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Broker shared with Celery")]
pub(super) struct CeleryFlags {
    /// Broker of the tasks, for example redis://localhost:6379/0, amqp://localhost or
    /// "sentinel://one;sentinel://two?master_name=mymaster"; better in the environment if it has a password [default: the
    /// embedded store]
    #[arg(long, global = true, env = "SIDING_BROKER", value_name = "URL", hide_env_values = true, value_parser = secret)]
    broker: Option<Secret>,
    /// Where results go: redis://..., sentinel://..., rpc:// or disabled [default: the broker's Redis; with AMQP rpc://]
    #[arg(long, global = true, env = "SIDING_RESULT_BACKEND", value_name = "URL", hide_env_values = true, value_parser = secret)]
    result_backend: Option<Secret>,
    /// What stands before every key on Redis: Celery's global_keyprefix [default: nothing]
    #[arg(long, global = true, env = "SIDING_KEY_PREFIX", value_name = "PREFIX")]
    key_prefix: Option<String>,
    /// Age at which Celery's workers take a claim on Redis for lost; the same for all on a database [default: 1h]
    #[arg(long, global = true, env = "SIDING_VISIBILITY_TIMEOUT", value_name = "TIME", value_parser = duration::parse)]
    visibility_timeout: Option<Duration>,
    /// How long results are kept on Redis [default: 24h]
    #[arg(long, global = true, env = "SIDING_RESULT_EXPIRES", value_name = "TIME", value_parser = duration::parse)]
    result_expires: Option<Duration>,
    /// Queues or exchanges of tasks that name none: Celery's task_routes, such as
    /// "python.*=python,media.*=topic://media/media.video" [default: the queue celery for all]
    #[arg(long, global = true, env = "SIDING_TASK_ROUTES", value_name = "ROUTES")]
    task_routes: Option<TaskRoutes>,
    /// Queues that are bound to exchanges: Celery's task_queues, such as
    /// "videos=topic://media/media.video.#,reload=fanout://reload" [default: none]
    #[arg(long, global = true, env = "SIDING_TASK_QUEUES", value_name = "QUEUES")]
    task_queues: Option<TaskQueues>,
    /// Send calls again on Redis that have not ended and are nowhere to be found after so long, which a Celery worker took and
    /// lost; asks for task_acks_late there [default: never]
    #[arg(long, global = true, env = "SIDING_RESEND_LOST", value_name = "TIME", value_parser = duration::parse)]
    resend_lost: Option<Duration>,
    /// Publish events about tasks from the start: Celery's -E and task_send_sent_event
    #[arg(long, global = true, env = "SIDING_TASK_EVENTS")]
    task_events: bool,
    /// What celery inspect and celery control may do: all, off, or methods such as ping,stats [default: all]
    #[arg(
        long,
        global = true,
        env = "SIDING_REMOTE_CONTROL",
        value_name = "WHAT"
    )]
    remote_control: Option<RemoteControl>,
    /// What to do with messages whose task is not known here [default: fail]
    #[arg(
        long,
        global = true,
        env = "SIDING_UNKNOWN_TASKS",
        value_name = "WHAT",
        value_parser = PossibleValuesParser::new([FAIL, LEAVE]).map(|text| unknown(&text))
    )]
    unknown_tasks: Option<Unknown>,
}

impl CeleryFlags {
    /// Puts what they say over `settings`. URLs are read here and not by clap, which repeats what it refuses.
    pub(super) fn apply(self, settings: &mut TaskSettings) -> Result<(), String> {
        if let Some(url) = self.broker {
            let url = url.reveal().parse();
            settings.broker = Some(url.map_err(|why| format!("--broker: {why}"))?);
        }
        let celery = &mut settings.celery;
        if let Some(url) = self.result_backend {
            let url = url.reveal().parse();
            celery.result_backend = Some(url.map_err(|why| format!("--result-backend: {why}"))?);
        }
        set(&mut celery.key_prefix, self.key_prefix);
        set(&mut celery.visibility_timeout, self.visibility_timeout);
        set(&mut celery.result_expires, self.result_expires);
        set(&mut celery.task_routes, self.task_routes);
        set(&mut celery.task_queues, self.task_queues);
        celery.resend_lost = self.resend_lost.or(celery.resend_lost);
        celery.task_events |= self.task_events;
        set(&mut celery.remote_control, self.remote_control);
        set(&mut celery.unknown_tasks, self.unknown_tasks);
        Ok(())
    }
}

/// With the two that the flag takes.
fn unknown(text: &str) -> Unknown {
    match text {
        LEAVE => Unknown::Leave,
        _ => Unknown::Fail,
    }
}

fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}
