//! The names of all metrics. What each means stands in `docs/metrics.md`, under the same name.

use prometheus_client::metrics::MetricType;

/// A metric of one name, with one series for each combination of its labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    /// The name; the text format puts `_total` after that of a counter.
    pub(crate) name: &'static str,
    pub(crate) kind: MetricType,
    pub(crate) help: &'static str,
}

/// Declares each family, and the list of them.
macro_rules! families {
    ($list:ident: $($kind:ident $constant:ident = $name:literal, $help:literal;)*) => {
        $(
            pub(super) const $constant: Family = Family {
                name: $name,
                kind: MetricType::$kind,
                help: $help,
            };
        )*

        #[cfg(test)]
        const $list: &[Family] = &[$($constant),*];
    };
}

families! {
    ALWAYS:
    Histogram REQUEST_DURATION = "http_server_request_duration_seconds",
        "Time from a request's head to the head of its response";
    Gauge ACTIVE_REQUESTS = "http_server_active_requests",
        "Requests whose response has not been handed over yet";
    Gauge CONNECTIONS = "siding_http_connections", "Open connections";
    Gauge CONNECTIONS_MAX = "siding_http_connections_max", "Connections that may be open";
    Counter CONNECTIONS_ACCEPTED = "siding_http_connections_accepted", "Connections that were accepted";

    Gauge LANE_THREADS = "siding_lane_threads", "Threads of a lane, or child processes";
    Gauge LANE_THREADS_MAX = "siding_lane_threads_max", "Threads, or child processes, that a lane may grow to";
    Gauge LANE_RUNNING = "siding_lane_running", "Jobs that run";
    Gauge LANE_WAITING = "siding_lane_waiting", "Jobs that wait for a thread";
    Gauge LANE_WAITING_MAX = "siding_lane_waiting_max", "Jobs that may wait";
    Gauge LANE_OVERLOADED = "siding_lane_overloaded", "1 while a lane sheds load";
    Counter LANE_ADMITTED = "siding_lane_admitted", "Jobs that were taken";
    Counter LANE_COMPLETED = "siding_lane_completed", "Jobs that ran to their end, panics included";
    Counter LANE_PANICKED = "siding_lane_panicked", "Jobs that panicked";
    Counter LANE_REFUSED = "siding_lane_refused", "Jobs that were refused, by reason";
    Counter LANE_DROPPED = "siding_lane_dropped", "Jobs that were dropped unrun, by reason";
    Counter LANE_LOST = "siding_lane_lost", "Jobs whose child process was killed or crashed";
    Histogram LANE_WAIT = "siding_lane_wait_seconds", "Time that jobs waited which were then run";
    Histogram LANE_RUN = "siding_lane_run_seconds", "Time that jobs ran";

    Counter STALLS = "siding_event_loop_stalls", "Stalls of the event loop that have ended, by route and verdict";
    Counter STALL_SECONDS = "siding_event_loop_stall_seconds", "Time that stalls lasted, by route and verdict";
    Gauge STALLING = "siding_event_loop_stalling", "Event-loop threads that are held now";
    Gauge RELIEF_ACTIVE = "siding_relief_active", "Relief workers that stand in for stalled ones";
    Gauge RELIEF_MAX = "siding_relief_max", "Relief workers that there are";
    Counter RELIEF_EXHAUSTED = "siding_relief_exhausted", "Times that every relief worker was at work and more were needed";
    Counter PAUSED = "siding_paused_seconds", "Time that the machine gave the process no CPU at all";
    Counter MOVES = "siding_route_moves", "Moves of routes between lanes";
    Counter CONVICTIONS = "siding_route_convictions", "Convictions of routes";
    Gauge BACKGROUND_PENDING = "siding_background_pending", "Pieces of background work that have not ended";
    Gauge BACKGROUND_MAX = "siding_background_max", "Pieces of background work that may be accepted";

    Counter TASKS_SENT = "siding_tasks_sent", "Calls of tasks that this process sent";
    Counter TASKS_RECEIVED = "siding_tasks_received", "Messages that this worker was given";
    Counter TASKS_STARTED = "siding_tasks_started", "Tasks that this worker began to run";
    Counter TASKS_ENDED = "siding_tasks_ended", "Tasks that this worker settled, by state";
    Counter TASKS_RELEASED = "siding_tasks_released", "Messages that this worker gave back unfinished";
    Histogram TASK_QUEUE_TIME = "siding_task_queue_seconds", "Time from when a task was due to when it began";
    Histogram TASK_RUN_TIME = "siding_task_run_seconds", "Time from when a task had its slot to its end";
    Gauge QUEUE_TASKS = "siding_queue_tasks", "Tasks that the broker keeps, by queue and state";
    Gauge BROKER_UP = "siding_broker_up", "1 when the broker answered the last time it was asked";

    Counter SPANS_EXPORTED = "siding_trace_spans_exported", "Spans that the collector has taken";
    Counter SPANS_DROPPED = "siding_trace_spans_dropped", "Spans that found the queue full";
    Counter SPANS_FAILED = "siding_trace_spans_failed", "Spans that the collector would not take";

    Counter CPU_SECONDS = "process_cpu_seconds", "Total user and system CPU time spent in seconds";
    Gauge RESIDENT_MEMORY = "process_resident_memory_bytes", "Resident memory size in bytes";
    Gauge VIRTUAL_MEMORY = "process_virtual_memory_bytes", "Virtual memory size in bytes";
    Gauge OPEN_FDS = "process_open_fds", "Number of open file descriptors";
    Gauge MAX_FDS = "process_max_fds", "Maximum number of open file descriptors";
    Gauge THREADS = "process_threads", "Number of OS threads in the process";
    Gauge START_TIME = "process_start_time_seconds", "Start time of the process since unix epoch in seconds";
    Gauge BUILD_INFO = "siding_build_info", "Always 1: the application, and the version of Siding that it was built with";
}

#[cfg(any(feature = "inference", test))]
families! {
    OF_CLIENTS:
    Counter UPSTREAM_REQUESTS = "siding_upstream_requests", "Requests that a client was asked for";
    Counter UPSTREAM_ANSWERED = "siding_upstream_answered", "Requests that a model answered";
    Counter UPSTREAM_REFUSED = "siding_upstream_refused", "Requests that were refused because too many were under way";
    Counter UPSTREAM_LATE = "siding_upstream_deadline_passed", "Requests without an answer by their deadline";
    Counter UPSTREAM_RETRIES = "siding_upstream_retries", "Requests that were sent to another replica";
    Gauge UPSTREAM_RUNNING = "siding_upstream_running", "Requests under way";
    Gauge UPSTREAM_RUNNING_MAX = "siding_upstream_running_max", "Requests that may be under way";
    Gauge UPSTREAM_WAITING = "siding_upstream_waiting", "Requests that wait to be sent";
    Gauge UPSTREAM_WAITING_MAX = "siding_upstream_waiting_max", "Requests that may wait to be sent";
    Gauge UPSTREAM_SERVICE = "siding_upstream_service_seconds", "How long a request is under way, recent ones weighing more";
    Gauge REPLICA_STATE = "siding_upstream_replica_state", "1 for the state that a replica's circuit breaker is in";
    Gauge REPLICA_OUTSTANDING = "siding_upstream_replica_outstanding", "Requests that a replica has not answered";
    Counter REPLICA_REQUESTS = "siding_upstream_replica_requests", "Requests that were sent to a replica";
    Counter REPLICA_FAILURES = "siding_upstream_replica_failures", "Requests that failed for a replica's fault";
    Counter REPLICA_EJECTIONS = "siding_upstream_replica_ejections", "Times that a replica's circuit breaker has opened";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The page's tables about metrics, those with this heading, have one in each row, in the first column, as code.
    #[test]
    fn the_page_documents_every_metric_and_no_other() {
        let page = include_str!("../../../../docs/metrics.md");
        let tables = page
            .split("\n\n")
            .filter(|part| part.starts_with("| metric |"));
        let rows = tables.flat_map(str::lines);
        let documented: BTreeSet<_> = rows
            .filter_map(|line| line.strip_prefix("| `")?.split(['`', '{']).next())
            .map(str::to_owned)
            .collect();
        let all = || ALWAYS.iter().chain(OF_CLIENTS);
        let known: BTreeSet<_> = all()
            .map(|family| match family.kind {
                MetricType::Counter => format!("{}_total", family.name),
                _ => family.name.to_owned(),
            })
            .collect();
        assert_eq!(known.len(), all().count(), "a name stands for one metric");
        assert_eq!(documented, known);
    }
}
