//! Something to see: requests of every kind, as long as somebody looks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::support::{Service, answer, send};

/// What is asked for, round after round.
const PATHS: [&str; 12] = [
    "/hello",
    "/hello",
    "/health",
    "/hello-sync",
    "/async/users",
    "/sync/users",
    "/async/external?ms=15",
    "/compute?n=400000",
    "/compute/process?n=400000",
    "/sync?ms=30",
    "/bad?ms=60",
    "/bad-compute?n=2000000",
];

/// Asks until it is dropped.
pub(super) struct Traffic {
    over: Arc<AtomicBool>,
    asking: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// Starts, and sends tasks that succeed, fail and wait.
    pub(super) fn start(service: &Service) -> Self {
        for call in 0..6 {
            service.start_task("add", &format!(r#"{{"args": [{call}, 2]}}"#));
        }
        service.start_task("heavy_computation", r#"{"args": [2000000]}"#);
        service.start_task("fail", r#"{"args": ["the printer is on fire"]}"#);
        service.start_task("sleep", r#"{"args": [3600]}"#);
        service.start_task("add", r#"{"args": [20, 22], "countdown": 3600}"#);
        let over = Arc::new(AtomicBool::new(false));
        let asking = (0..3)
            .map(|first| {
                let (over, address) = (Arc::clone(&over), service.address());
                thread::spawn(move || ask(address, first, &over))
            })
            .collect();
        Self { over, asking }
    }
}

/// Each thread begins elsewhere, so that they do not ask for the same at the same time.
fn ask(address: SocketAddr, first: usize, over: &AtomicBool) {
    for path in PATHS.iter().cycle().skip(first * 4) {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let (status, body) = answer(send(address, &request));
        assert_eq!(status, 200, "{path}: {body}");
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.asking.drain(..) {
            let asked = thread.join();
            assert!(asked.is_ok() || thread::panicking(), "a request failed");
        }
    }
}
