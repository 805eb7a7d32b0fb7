//! The verdict on real stalls: what a blocked poll was blocked on, by name.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use siding_runtime::{Evidence, Target, Verdict};

use crate::support::{async_route, builder, eventually, leave_out};

/// Runs `stall` inside an `async fn` on the event loop until it convicts its route, then calls `end`.
#[track_caller]
fn convict(stall: impl FnOnce() + Send + 'static, end: impl FnOnce()) -> (Evidence, String) {
    let runtime = builder().build().unwrap();
    let route = async_route(&runtime);
    let task = runtime
        .handle()
        .spawn(route.place(None, async move { stall() }));
    let evidence = eventually("the conviction", || {
        route
            .snapshot()
            .evidence
            .filter(|evidence| evidence.stack.get().is_some())
    });
    end();
    runtime.block_on(task).unwrap().unwrap();
    (evidence, route.snapshot().advice.unwrap())
}

#[track_caller]
fn blocked_on(evidence: &Evidence) -> (String, Target) {
    match &evidence.verdict {
        Verdict::Blocked { on: Some(on) } => (
            on.syscall.to_string(),
            on.target.clone().expect("the call has a target"),
        ),
        other => panic!("not blocked on anything: {other}"),
    }
}

#[track_caller]
fn assert_peer(evidence: &Evidence, peer: std::net::SocketAddr, expected: Option<&str>) {
    match blocked_on(evidence).1 {
        Target::Peer {
            address, service, ..
        } => assert_eq!((address, service), (peer, expected)),
        other => panic!("no peer: {other}"),
    }
}

#[inline(never)]
#[expect(
    clippy::disallowed_methods,
    reason = "the forbidden case is the subject of the test"
)]
fn forbidden_sleep() {
    thread::sleep(Duration::from_secs(1));
}

#[test]
fn a_sleep_and_the_line_that_sleeps() {
    let (evidence, advice) = convict(forbidden_sleep, || ());
    let (syscall, target) = blocked_on(&evidence);
    assert_eq!(syscall, "clock_nanosleep");
    assert!(matches!(target, Target::Sleep { .. }), "{target}");
    let stack = evidence.stack.get().unwrap().as_ref().expect("a stack");
    let frame = stack.user_frame().expect("a frame of this file");
    assert!(frame.function.ends_with("forbidden_sleep"), "{frame:?}");
    assert!(
        frame
            .file
            .as_ref()
            .is_some_and(|file| file.ends_with("verdicts.rs")),
        "{frame:?}"
    );
    assert!(
        advice.contains("tokio::time::sleep") && advice.contains("forbidden_sleep"),
        "{advice}"
    );
}

#[test]
fn a_held_mutex() {
    let mutex = Arc::new(Mutex::new(()));
    let held = mutex.lock().unwrap();
    let wanted = Arc::clone(&mutex);
    let (evidence, _) = convict(move || drop(wanted.lock()), || drop(held));
    assert_eq!(blocked_on(&evidence), ("futex".to_owned(), Target::Lock));
}

#[test]
fn a_socket_whose_peer_is_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let mut near = TcpStream::connect(peer).unwrap();
    let (far, _) = listener.accept().unwrap();
    let read = move || assert_eq!(near.read(&mut [0]).unwrap(), 0);
    let (evidence, _) = convict(read, || drop(far));
    assert_eq!(blocked_on(&evidence).0, "recvfrom");
    assert_peer(&evidence, peer, None);
}

#[inline(never)]
fn read_with_a_time_limit(near: &mut TcpStream) -> std::io::Result<usize> {
    let read = near.read(&mut [0]);
    std::hint::black_box(());
    read
}

#[test]
fn a_socket_with_a_time_limit_is_looked_at_without_cutting_its_read_short() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let mut near = TcpStream::connect(peer).unwrap();
    let (mut far, _) = listener.accept().unwrap();
    near.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let read = move || assert_eq!(read_with_a_time_limit(&mut near).unwrap(), 1);
    let (evidence, advice) = convict(read, || far.write_all(b"!").unwrap());
    assert_peer(&evidence, peer, None);
    assert!(advice.contains("read_with_a_time_limit"), "{advice}");
}

#[test]
fn postgres_asleep() {
    let Ok(mut postgres) = Postgres::connect() else {
        return leave_out("no PostgreSQL on 127.0.0.1:5432");
    };
    let peer = postgres.0.peer_addr().unwrap();
    let (evidence, advice) = convict(move || postgres.query("select pg_sleep(1)"), || ());
    assert_peer(&evidence, peer, Some("PostgreSQL"));
    assert!(
        advice.contains("127.0.0.1:5432 (PostgreSQL)") && advice.contains("sqlx"),
        "{advice}"
    );
}

/// As much of a blocking client as one query needs (PostgreSQL's frontend/backend protocol 3.0, without a password).
struct Postgres(TcpStream);

impl Postgres {
    fn connect() -> std::io::Result<Self> {
        let mut stream = TcpStream::connect("127.0.0.1:5432")?;
        let parameters = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
        let length = u32::try_from(parameters.len() + 4).unwrap();
        stream.write_all(&length.to_be_bytes())?;
        stream.write_all(parameters)?;
        let mut postgres = Self(stream);
        postgres.read_until_ready()?;
        Ok(postgres)
    }

    fn query(&mut self, sql: &str) {
        let length = u32::try_from(sql.len() + 5).unwrap();
        self.0
            .write_all(&[b"Q", &length.to_be_bytes()[..], sql.as_bytes(), b"\0"].concat())
            .unwrap();
        self.read_until_ready().unwrap();
    }

    fn read_until_ready(&mut self) -> std::io::Result<()> {
        loop {
            let mut head = [0; 5];
            self.0.read_exact(&mut head)?;
            let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize - 4;
            self.0.read_exact(&mut vec![0; length])?;
            match head[0] {
                b'Z' => return Ok(()),
                b'E' => return Err(std::io::Error::other("the server refused")),
                _ => (),
            }
        }
    }
}

/// A FIFO of its own for one test, removed with it.
struct Fifo(PathBuf);

impl Fifo {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("siding-{name}-{}", std::process::id()));
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        Self(path)
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        // A leftover in the temporary folder fails no test.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_fifo_without_a_writer() {
    let fifo = Fifo::new("read");
    // Opened for both, a FIFO opens at once; its reader waits for a byte.
    let mut both = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&fifo.0)
        .unwrap();
    let mut reader = both.try_clone().unwrap();
    let read = move || reader.read_exact(&mut [0]).unwrap();
    let (evidence, advice) = convict(read, || both.write_all(b"x").unwrap());
    let (syscall, target) = blocked_on(&evidence);
    assert_eq!(syscall, "read");
    assert!(
        matches!(&target, Target::File { path, .. } if *path == fifo.0),
        "{target}"
    );
    assert!(advice.contains("tokio::fs"), "{advice}");
}

#[test]
fn opening_a_fifo_that_nobody_writes_to() {
    let fifo = Fifo::new("open");
    let path = fifo.0.clone();
    let open = move || drop(OpenOptions::new().read(true).open(path).unwrap());
    let (evidence, _) = convict(open, || {
        drop(OpenOptions::new().write(true).open(&fifo.0).unwrap())
    });
    let (syscall, target) = blocked_on(&evidence);
    assert_eq!(syscall, "openat");
    assert!(
        matches!(&target, Target::File { path, .. } if *path == fifo.0),
        "{target}"
    );
}

/// Tells the child process of the test below which name server it has.
const NAME_SERVER: &str = "SIDING_TEST_NAME_SERVER";

/// The system's resolver asks the servers of `/etc/resolv.conf`, so the look-up runs in a process with one of its own,
/// which names a silent server of this test.
#[test]
fn a_dns_look_up() {
    if let Ok(server) = std::env::var(NAME_SERVER) {
        return look_up(server.parse().unwrap());
    }
    let id = std::process::id();
    let server = format!("127.{}.{}.53", id / 250 % 250 + 1, id % 250 + 1);
    let Ok(_silent) = UdpSocket::bind((server.as_str(), 53)) else {
        return leave_out("may not listen on port 53");
    };
    let config = std::env::temp_dir().join(format!("siding-resolv-{id}"));
    std::fs::write(
        &config,
        format!("nameserver {server}\noptions timeout:2 attempts:1\n"),
    )
    .unwrap();
    let child = Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            r#"mount --bind "$0" /etc/resolv.conf && exec "$@""#,
        ])
        .arg(&config)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "verdicts::a_dns_look_up", "--nocapture"])
        .env(NAME_SERVER, format!("{server}:53"))
        .output();
    std::fs::remove_file(&config).unwrap();
    match child {
        Ok(output) if output.status.success() => (),
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("running 1 test") => {
            panic!("{}", String::from_utf8_lossy(&output.stderr))
        }
        _ => leave_out("may not mount a file over /etc/resolv.conf"),
    }
}

fn look_up(server: std::net::SocketAddr) {
    let resolve = || assert!("nobody.siding.test:80".to_socket_addrs().is_err());
    let (evidence, advice) = convict(resolve, || ());
    assert_peer(&evidence, server, Some("DNS"));
    assert!(advice.contains("tokio::net::lookup_host"), "{advice}");
}

#[inline(never)]
fn forbidden_sum() -> u64 {
    let started = std::time::Instant::now();
    let long = |_: &u64| started.elapsed() < Duration::from_millis(300);
    (0..)
        .take_while(long)
        .fold(0, |sum, n| std::hint::black_box(sum + n))
}

/// Beside other work a loop may be waiting for a CPU more than it runs, which accuses nobody: it is tried again then.
#[test]
fn a_loop_that_computes() {
    let runtime = builder().build().unwrap();
    let route = async_route(&runtime);
    let evidence = eventually("the conviction", || {
        let task = runtime
            .handle()
            .spawn(route.place(None, async { forbidden_sum() }));
        runtime.block_on(task).unwrap().unwrap();
        route
            .snapshot()
            .evidence
            .filter(|evidence| evidence.stack.get().is_some())
    });
    assert_eq!(evidence.verdict, Verdict::Computing);
    assert_eq!(route.snapshot().settled, siding_runtime::LaneKind::Compute);
    let advice = route.snapshot().advice.unwrap();
    assert!(
        advice.contains("compute(|| …)") && advice.contains("forbidden_sum"),
        "{advice}"
    );
}
