//! Pools of connections that are smaller than the number of threads that want one.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use siding::extract::State;
use siding::runtime::{LaneKind, ThreadsConfig};
use siding::{App, Problem, StatusCode, get, offload};
use tokio::sync::Notify;

use crate::support::{DEADLINE, Service, start_with};

/// As much of a blocking pool as matters here: so many connections, and whoever wants one waits on its thread.
#[derive(Clone)]
struct Pool(Arc<Inner>);

struct Inner {
    free: Mutex<usize>,
    given_back: Condvar,
    patience: Duration,
    go_on: Notify,
}

/// A connection, given back when it is dropped.
struct Connection(Pool);

impl Pool {
    fn new(connections: usize, patience: Duration) -> Self {
        Self(Arc::new(Inner {
            free: Mutex::new(connections),
            given_back: Condvar::new(),
            patience,
            go_on: Notify::new(),
        }))
    }

    fn get(&self) -> Result<Connection, Problem> {
        let Inner {
            free,
            given_back,
            patience,
            ..
        } = &*self.0;
        let free = free.lock().expect("nobody panics with it");
        let waited = given_back.wait_timeout_while(free, *patience, |free| *free == 0);
        let (mut free, waited) = waited.expect("nobody panics with it");
        if waited.timed_out() {
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE));
        }
        *free -= 1;
        Ok(Connection(self.clone()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        *self.0.0.free.lock().expect("nobody panics with it") += 1;
        self.0.0.given_back.notify_one();
    }
}

/// A plain handler that takes a connection.
fn plain(State(pool): State<Pool>) -> Result<&'static str, Problem> {
    let _connection = pool.get()?;
    Ok("plain")
}

/// An `async` handler that keeps one while it has something else done on a thread.
async fn holder(State(pool): State<Pool>) -> Result<&'static str, Problem> {
    let connection = pool.get()?;
    pool.0.go_on.notified().await;
    let answer = offload(|| "holder").await?;
    drop(connection);
    Ok(answer)
}

fn serve(pool: &Pool, threads: ThreadsConfig) -> Service {
    let app = App::new("test")
        .route("/plain", get(plain))
        .route("/holder", get(holder))
        .with_state(pool.clone());
    start_with(app, |settings| settings.runtime.threads = threads)
}

/// Waits until this many jobs run on the lane of threads.
#[track_caller]
fn wait_until_running(service: &Service, jobs: usize) {
    let began = std::time::Instant::now();
    loop {
        let lanes = service.running().handle().lanes();
        let threads = lanes.iter().find(|lane| lane.lane == LaneKind::Threads);
        if threads.expect("is there").running >= jobs {
            return;
        }
        assert!(began.elapsed() < DEADLINE, "{threads:?}");
        std::thread::yield_now();
    }
}

/// Has one request hold the only connection while others wait for it on every thread that is always there, and then wants a
/// thread itself. Returns the statuses of the others, and of its own.
#[track_caller]
fn hold_while_others_wait(pool: &Pool, threads: ThreadsConfig, others: usize) -> (Vec<u16>, u16) {
    let service = serve(pool, threads);
    let mut holder = service.connect();
    holder.send("GET /holder HTTP/1.1\r\nhost: test\r\n\r\n");
    while *pool.0.free.lock().expect("nobody panics with it") > 0 {
        std::thread::yield_now();
    }
    let mut waiting: Vec<_> = (0..others).map(|_| service.connect()).collect();
    for client in &mut waiting {
        client.send("GET /plain HTTP/1.1\r\nhost: test\r\n\r\n");
    }
    wait_until_running(&service, threads.threads_min);
    pool.0.go_on.notify_one();
    let statuses = waiting.iter_mut().map(|client| client.reply().status);
    (statuses.collect(), holder.reply().status)
}

#[test]
fn more_requests_than_threads_share_fewer_connections() {
    let pool = Pool::new(2, DEADLINE);
    let threads = ThreadsConfig {
        waiting_max: 100,
        ..ThreadsConfig::fixed(8)
    };
    let service = serve(&pool, threads);
    let mut asked: Vec<_> = (0..100).map(|_| service.connect()).collect();
    for client in &mut asked {
        client.send("GET /plain HTTP/1.1\r\nhost: test\r\n\r\n");
    }
    for client in &mut asked {
        assert_eq!(client.reply().status, 200);
    }
}

#[test]
fn whoever_holds_a_connection_gets_a_thread_while_others_wait_for_it_on_all() {
    let pool = Pool::new(1, DEADLINE);
    let threads = ThreadsConfig {
        threads_min: 4,
        threads_max: 64,
        ..ThreadsConfig::default()
    };
    let (others, own) = hold_while_others_wait(&pool, threads, 16);
    assert_eq!((others, own), (vec![200; 16], 200));
}

#[test]
fn where_the_lane_cannot_grow_the_patience_of_the_pool_ends_the_wait() {
    let pool = Pool::new(1, Duration::from_secs(1));
    let (others, own) = hold_while_others_wait(&pool, ThreadsConfig::fixed(4), 4);
    assert_eq!(own, 200);
    // The first to give up makes room for the holder, whose connection may still be in time for another.
    assert!(others.contains(&503), "{others:?}");
}
