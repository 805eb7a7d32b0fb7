//! Routes that move and come back.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use siding_runtime::{
    Kind, LaneKind, MoveReason, PlacementConfig, Route, RouteSpec, Runtime, Verdict, WorkContext,
};

use crate::support::{DEADLINE, async_route, builder, eventually, route};

const EAGER: PlacementConfig = PlacementConfig {
    conviction_stall: Duration::from_millis(50),
    conviction_count: 100,
    conviction_window: Duration::from_secs(60),
    trial_after: Duration::ZERO,
    trial_after_max: Duration::ZERO,
    trial_polls: 3,
};

fn thread_name() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

/// Blocks the event loop in a poll of `route` until that convicts it.
fn convict(runtime: &Runtime, route: &Arc<Route>) {
    let before = route.snapshot().convictions;
    let (release, blocked) = mpsc::channel::<()>();
    let task = runtime
        .handle()
        .spawn(route.place(None, async move { blocked.recv_timeout(DEADLINE) }));
    eventually("the conviction", || {
        (route.snapshot().convictions > before).then_some(())
    });
    release.send(()).unwrap();
    runtime.block_on(task).unwrap().unwrap().unwrap();
}

/// One well-behaved request; the name of the thread that ran it after its `.await`.
fn behave(runtime: &Runtime, route: &Arc<Route>) -> String {
    let placed = route.place(None, async {
        tokio::task::yield_now().await;
        thread_name()
    });
    runtime
        .block_on(runtime.handle().spawn(placed))
        .unwrap()
        .unwrap()
}

#[test]
fn a_route_that_blocks_moves_to_the_threads_and_returns_on_trial() {
    let runtime = builder().placement(EAGER).build().unwrap();
    let route = async_route(&runtime);
    assert!(behave(&runtime, &route).starts_with("siding-event-loop"));

    convict(&runtime, &route);
    assert_eq!(route.snapshot().settled, LaneKind::Threads);
    assert!(behave(&runtime, &route).starts_with("siding-threads"));

    eventually("the trial", || {
        behave(&runtime, &route);
        (route.snapshot().settled == LaneKind::EventLoop).then_some(())
    });
    assert!(behave(&runtime, &route).starts_with("siding-event-loop"));

    convict(&runtime, &route);
    let moves: Vec<_> = route
        .snapshot()
        .moves
        .iter()
        .map(|step| (step.from, step.to, step.reason))
        .collect();
    let (away, back) = (
        (
            LaneKind::EventLoop,
            LaneKind::Threads,
            MoveReason::Convicted,
        ),
        (LaneKind::Threads, LaneKind::EventLoop, MoveReason::Trial),
    );
    assert_eq!(moves, [away, back, away]);
}

#[test]
fn a_pinned_route_is_convicted_and_stays() {
    let runtime = builder().placement(EAGER).build().unwrap();
    let route = route(&runtime, Kind::Async, LaneKind::EventLoop, true);
    convict(&runtime, &route);
    let snapshot = route.snapshot();
    assert_eq!(
        (snapshot.settled, snapshot.moves.len()),
        (LaneKind::EventLoop, 0)
    );
    assert!(snapshot.advice.unwrap().contains("pinned"));
    assert!(behave(&runtime, &route).starts_with("siding-event-loop"));
}

#[test]
fn while_a_route_stalls_its_other_requests_go_elsewhere_and_then_come_back() {
    let never = PlacementConfig {
        conviction_stall: Duration::from_secs(3_600),
        ..EAGER
    };
    let runtime = builder().placement(never).build().unwrap();
    let route = async_route(&runtime);
    let (release, blocked) = mpsc::channel::<()>();
    let task = runtime
        .handle()
        .spawn(route.place(None, async move { blocked.recv_timeout(DEADLINE) }));
    eventually("the diversion", || {
        (route.lane() == LaneKind::Threads).then_some(())
    });
    assert!(behave(&runtime, &route).starts_with("siding-threads"));
    assert_eq!(route.snapshot().settled, LaneKind::EventLoop);

    release.send(()).unwrap();
    runtime.block_on(task).unwrap().unwrap().unwrap();
    eventually("the end of the diversion", || {
        (route.lane() == LaneKind::EventLoop).then_some(())
    });
    assert_eq!(route.snapshot().convictions, 0);
}

#[test]
fn a_plain_function_that_computes_moves_to_the_compute_lane() {
    let runtime = builder().placement(EAGER).build().unwrap();
    let route = route(&runtime, Kind::Plain, LaneKind::Threads, false);
    eventually("the move", || {
        runtime
            .block_on(route.call(None, || compute_for(EAGER.conviction_stall * 2)))
            .unwrap();
        (route.snapshot().settled == LaneKind::Compute).then_some(())
    });
    let name = runtime.block_on(route.call(None, thread_name)).unwrap();
    assert!(name.starts_with("siding-compute"), "{name}");
    assert_eq!(
        route.snapshot().evidence.unwrap().verdict,
        Verdict::Computing
    );
}

fn compute_for(duration: Duration) {
    let started = std::time::Instant::now();
    while started.elapsed() < duration {
        std::hint::spin_loop();
    }
}

#[test]
fn a_moved_future_finds_timers_its_context_and_the_runtime() {
    let runtime = builder().placement(EAGER).build().unwrap();
    let route = async_route(&runtime);
    convict(&runtime, &route);
    let placed = route.place(None, async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let spawned = siding_runtime::spawn(async { 7 }).await.unwrap();
        (
            spawned,
            WorkContext::current().unwrap().route,
            thread_name(),
        )
    });
    let (spawned, id, name) = runtime.block_on(placed).unwrap();
    assert_eq!((spawned, id), (7, route.id()));
    assert!(name.starts_with("siding-threads"), "{name}");
}

#[test]
fn dropping_a_moved_future_drops_what_it_holds() {
    let runtime = builder().placement(EAGER).build().unwrap();
    let route = async_route(&runtime);
    convict(&runtime, &route);
    let (held, gone) = mpsc::channel::<()>();
    let (started, has_started) = mpsc::channel();
    let placed = route.place(None, async move {
        started.send(()).unwrap();
        std::future::pending::<()>().await;
        drop(held);
    });
    let task = runtime.handle().spawn(placed);
    has_started.recv_timeout(DEADLINE).unwrap();
    task.abort();
    assert_eq!(
        gone.recv_timeout(DEADLINE),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
}

#[test]
fn a_panic_on_another_lane_unwinds_where_it_is_awaited() {
    let runtime = builder().placement(EAGER).build().unwrap();
    let route = async_route(&runtime);
    convict(&runtime, &route);
    let task = runtime
        .handle()
        .spawn(route.place(None, async { panic!("as planned") }));
    let error = runtime.block_on(task).unwrap_err();
    assert_eq!(
        *error.into_panic().downcast::<&str>().unwrap(),
        "as planned"
    );
    assert!(behave(&runtime, &route).starts_with("siding-threads"));
}

#[test]
fn a_route_is_found_by_what_it_was_declared_as() {
    let runtime = builder().build().unwrap();
    let known = route(&runtime, Kind::Async, LaneKind::EventLoop, false);
    let routes = runtime.handle().routes();
    let found = routes.find_or_register(known.spec().clone());
    assert_eq!(found.id(), known.id());
    let other = RouteSpec {
        kind: Kind::Plain,
        declared: LaneKind::Threads,
        ..known.spec().clone()
    };
    let new = routes.find_or_register(other.clone());
    assert_ne!(new.id(), known.id());
    assert_eq!(routes.find_or_register(other).id(), new.id());
}
