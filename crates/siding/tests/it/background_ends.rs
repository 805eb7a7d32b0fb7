//! Background work: how it fails, is refused, is dropped, and how a drain ends it.

use std::future::pending;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use siding::extract::State;
use siding::runtime::{Event, ThreadsConfig};
use siding::{App, BackgroundTasks, Drained, Problem, StatusCode, compute, get, post, threads};

use crate::log;
use crate::support::{DEADLINE, eventually, start, start_with};

type Tell = mpsc::Sender<&'static str>;

#[expect(clippy::panic, reason = "what is tested")]
fn fail() {
    panic!("a panic of the work")
}

#[test]
fn what_fails_is_logged_and_the_next_one_runs() {
    async fn handler(State(tell): State<Tell>, background: BackgroundTasks) -> String {
        background.add(|| Err::<(), _>(std::io::Error::other("the disk is full")));
        background.add(async { Err::<(), _>("no such mailbox") });
        background.add(fail);
        background.add(async { fail() });
        background.add(compute(fail));
        background.add(threads(async { fail() }));
        background.add(move || tell.send("the last").expect("is awaited"));
        background.correlation_id().to_owned()
    }
    log::keep();
    let (tell, told) = mpsc::channel();
    let service = start(
        App::new("test")
            .route("/fails", get(handler))
            .with_state(tell),
    );
    let id = service.get("/fails").body;
    assert_eq!(told.recv_timeout(DEADLINE), Ok("the last"));
    for (piece, words) in [
        ("piece 1", "failed: the disk is full"),
        ("piece 2", "failed: no such mailbox"),
        ("piece 3", "panicked: a panic of the work"),
        ("piece 4", "panicked: a panic of the work"),
        ("piece 5", "panicked: a panic of the work"),
        ("piece 6", "panicked: a panic of the work"),
    ] {
        let line = log::line(&["ERROR", "background of GET /fails:", piece, words]);
        assert!(line.contains(&id), "{line:?} lacks {id:?}");
    }
}

#[test]
fn work_of_a_handler_that_returned_runs_whatever_its_status() {
    #[expect(clippy::needless_pass_by_value, reason = "as handlers do")]
    fn failing(State(tell): State<Tell>, background: BackgroundTasks) -> Result<(), Problem> {
        background.add(move || tell.send("after an error").expect("is awaited"));
        Err(Problem::new(StatusCode::CONFLICT))
    }
    let (tell, told) = mpsc::channel();
    let service = start(App::new("test").route("/", get(failing)).with_state(tell));
    assert_eq!(service.get("/").status, 409);
    assert_eq!(told.recv_timeout(DEADLINE), Ok("after an error"));
}

/// An application whose handlers add work that holds both `kept` and its own list, and do not return.
fn unreturning(kept: &Arc<()>) -> App {
    let add = |background: BackgroundTasks, kept: Arc<()>| {
        let own = background.clone();
        background.add(move || drop((own, kept)));
    };
    let panicking = {
        let kept = Arc::clone(kept);
        move |background: BackgroundTasks| {
            add(background, Arc::clone(&kept));
            fail();
        }
    };
    let slow = {
        let kept = Arc::clone(kept);
        move |background: BackgroundTasks| {
            add(background, Arc::clone(&kept));
            pending::<()>()
        }
    };
    App::new("test")
        .route("/panics", get(panicking))
        .route("/slow", get(slow))
}

/// Asks for `path`, whose handler does not return, and checks that its work is dropped.
#[track_caller]
fn assert_dropped(path: &str, status: u16, deadline: Duration) {
    log::keep();
    let kept = Arc::new(());
    let service = start_with(unreturning(&kept), |settings| {
        settings.limits.request_deadline = deadline;
    });
    let held = Arc::strong_count(&kept);
    assert_eq!(service.get(path).status, status);
    let name = format!("background of GET {path}: 1 never ran");
    log::line(&["WARN", &name, "its handler did not return"]);
    eventually("the work is dropped", || {
        (Arc::strong_count(&kept) == held).then_some(())
    });
    assert_eq!(service.running().handle().background().pending(), 0);
}

#[test]
fn work_of_a_handler_that_panicked_is_dropped_and_said_to_be() {
    assert_dropped("/panics", 500, DEADLINE);
}

#[test]
fn work_of_a_handler_whose_deadline_passed_is_dropped_and_said_to_be() {
    assert_dropped("/slow", 504, Duration::from_millis(50));
}

#[test]
fn work_of_a_plain_function_that_returned_after_its_client_left_runs() {
    #[expect(clippy::needless_pass_by_value, reason = "as handlers do")]
    fn handler(State(tell): State<Tell>, background: BackgroundTasks) {
        tell.send("running").expect("is awaited");
        while !siding::cancelled() {
            thread::yield_now();
        }
        background.add(move || tell.send("the work").expect("is awaited"));
    }
    let (tell, told) = mpsc::channel();
    let service = start(App::new("test").route("/", get(handler)).with_state(tell));
    let mut client = service.connect();
    client.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(told.recv_timeout(DEADLINE), Ok("running"));
    drop(client);
    assert_eq!(told.recv_timeout(DEADLINE), Ok("the work"));
}

#[test]
fn work_that_is_refused_tries_again() {
    async fn handler(State(tell): State<Tell>, background: BackgroundTasks) {
        let (again, plain) = (tell.clone(), tell);
        background.add(move || plain.send("closure").expect("is awaited"));
        background.add(threads(
            async move { again.send("future").expect("is awaited") },
        ));
    }
    log::keep();
    let (let_go, gate) = mpsc::channel::<()>();
    let (tell_held, held) = mpsc::channel();
    let gate = Arc::new(Mutex::new(gate));
    let hold = move || {
        tell_held.send(()).expect("is awaited");
        let _ = gate.lock().unwrap().recv_timeout(DEADLINE);
    };
    let (tell, told) = mpsc::channel();
    let app = App::new("test")
        .route("/hold", get(hold))
        .route("/refused", post(handler))
        .with_state(tell);
    let (tell_refused, refused) = mpsc::channel();
    let app = app.with_observer(move |event: &Event| {
        if let Event::Refused { .. } = event {
            // Nobody listens any more once the test has seen enough.
            let _ = tell_refused.send(());
        }
    });
    let service = start_with(app, |settings| {
        settings.runtime.threads = ThreadsConfig {
            waiting_max: 1,
            ..ThreadsConfig::fixed(1)
        };
    });
    let mut holding = [service.connect(), service.connect()];
    holding[0].send("GET /hold HTTP/1.1\r\nhost: test\r\n\r\n");
    held.recv_timeout(DEADLINE)
        .expect("the only thread is held");
    holding[1].send("GET /hold HTTP/1.1\r\nhost: test\r\n\r\n");
    let lanes = || service.running().handle().threads().snapshot().waiting;
    eventually("the only place is taken", || (lanes() == 1).then_some(()));
    assert_eq!(service.connect().post("/refused", "").status, 200);
    refused.recv_timeout(DEADLINE).expect("is refused");
    log::line(&[
        "WARN",
        "background of POST /refused: piece 1 waits: the threads lane refused",
    ]);
    drop(let_go);
    for client in &mut holding {
        assert_eq!(client.reply().status, 200);
    }
    for text in ["closure", "future"] {
        assert_eq!(told.recv_timeout(DEADLINE), Ok(text));
    }
}

#[test]
fn requests_that_would_add_too_much_are_refused() {
    let (let_go, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let handler = move |background: BackgroundTasks| {
        let gate = Arc::clone(&gate);
        background.add(move || gate.lock().unwrap().recv_timeout(DEADLINE));
    };
    let app = App::new("test")
        .route("/", get(handler))
        .route("/other", get(|| "other"));
    let service = start_with(app, |settings| settings.runtime.background_max = 1);
    assert_eq!(service.get("/").status, 200);
    let refused = service.get("/");
    refused.assert_problem(503, "too much background work");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(service.get("/other").body, "other");
    let_go.send(()).unwrap();
    let background = service.running().handle().background().clone();
    eventually("the work ends", || {
        (background.pending() == 0).then_some(())
    });
    assert_eq!(service.get("/").status, 200);
    let_go.send(()).unwrap();
}

#[test]
fn a_drain_waits_for_it() {
    let (let_go, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let (tell, told) = mpsc::channel();
    let handler = move |background: BackgroundTasks| {
        let (gate, first, second) = (Arc::clone(&gate), tell.clone(), tell.clone());
        background.add(move || {
            gate.lock()
                .unwrap()
                .recv_timeout(DEADLINE)
                .expect("is let go");
            first.send("first").expect("is awaited");
        });
        background.add(async move { second.send("second").expect("is awaited") });
    };
    let service = start(App::new("test").route("/", get(handler)));
    let background = service.running().handle().background().clone();
    let mut client = service.connect();
    assert_eq!(client.get("/").status, 200);
    let drained = thread::spawn(move || service.drain());
    assert!(client.is_closed(), "no connection is left to wait for");
    assert!(!drained.is_finished() && !background.is_closed());
    let_go.send(()).unwrap();
    assert_eq!(drained.join().unwrap(), Drained::Complete);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["first", "second"]);
}

#[test]
fn what_does_not_end_is_cut_off_at_the_limit() {
    log::keep();
    let (tell, told) = mpsc::channel();
    let handler = move |background: BackgroundTasks| {
        let (begun, never) = (tell.clone(), tell.clone());
        background.add(async move {
            begun.send("begun").expect("is awaited");
            pending::<()>().await;
        });
        background.add(move || never.send("never").expect("is awaited"));
    };
    let service = start_with(App::new("test").route("/cut", get(handler)), |settings| {
        settings.limits.drain_limit = Duration::from_millis(50);
    });
    assert_eq!(service.get("/cut").status, 200);
    assert_eq!(told.recv_timeout(DEADLINE), Ok("begun"));
    assert_eq!(
        service.drain(),
        Drained::Cut {
            connections: 0,
            background: 2,
            resources: 0,
        }
    );
    assert_eq!(told.recv(), Err(mpsc::RecvError));
    log::line(&[
        "WARN",
        "background of GET /cut: 1 never ran",
        "the server has shut down",
    ]);
}
