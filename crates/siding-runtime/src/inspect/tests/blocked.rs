//! What each way of being blocked is reported as.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Read;
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use rustix::event::{EventfdFlags, PollFd, PollFlags, epoll, eventfd, poll};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;

/// A thread that does `work` must sooner or later be blocked on what reads as one of `expected`: libraries choose
/// among system calls.
#[track_caller]
fn check(work: impl FnOnce() + Send + 'static, expected: &[String]) {
    let probe = Subject::doing(work).probe();
    let seen = RefCell::new(String::new());
    let look = || {
        let now = match probe.activity() {
            Ok(Activity::InSyscall(call)) => BlockedOn::read(&call).to_string(),
            other => format!("{other:?}"),
        };
        let found = expected.contains(&now);
        *seen.borrow_mut() = now;
        found.then_some(())
    };
    eventually(look, || {
        format!("expected {expected:?}, saw {}", seen.borrow())
    });
}

/// A connection within this process, whose far end stays silent.
fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// A directory for one test, removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("siding-inspect-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    fn fifo(&self) -> PathBuf {
        let path = self.0.join("fifo");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_sleep_names_its_length() {
    check(
        || sleep(Duration::from_secs(60)),
        &["clock_nanosleep for 60 s".to_owned()],
    );
}

#[test]
fn a_held_mutex_is_a_lock() {
    let mutex = Arc::new(Mutex::new(()));
    let _held = mutex.lock().unwrap();
    let contender = Arc::clone(&mutex);
    check(
        move || drop(contender.lock()),
        &["futex (a lock or condition variable)".to_owned()],
    );
}

#[test]
fn a_silent_peer_is_named() {
    let (mut near, far) = connection();
    let address = far.local_addr().unwrap();
    check(
        move || drop(near.read(&mut [0])),
        &[
            format!("recvfrom from {address}"),
            format!("read from {address}"),
        ],
    );
}

#[test]
fn a_peer_that_reads_nothing_is_named() {
    let (mut near, far) = connection();
    let address = far.local_addr().unwrap();
    check(
        move || while std::io::Write::write(&mut near, &[0; 65_536]).is_ok() {},
        &[
            format!("sendto to {address}"),
            format!("write to {address}"),
        ],
    );
}

#[test]
fn a_datagram_peer_is_named() {
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    let near = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = far.local_addr().unwrap();
    near.connect(address).unwrap();
    check(
        move || drop(near.recv(&mut [0])),
        &[format!("recvfrom from {address}")],
    );
}

#[test]
fn a_listener_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    check(
        move || drop(listener.accept()),
        &[
            format!("accept4 on {address}"),
            format!("accept on {address}"),
        ],
    );
}

#[test]
fn a_full_listener_keeps_connect_waiting() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let work = move || {
        let _connections: Vec<_> = (0..64)
            .map_while(|_| TcpStream::connect(address).ok())
            .collect();
    };
    check(work, &[format!("connect to {address}")]);
}

#[test]
fn a_unix_peer_is_named_by_its_path() {
    let scratch = Scratch::new("unix");
    let path = scratch.0.join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let mut near = UnixStream::connect(&path).unwrap();
    let _far = listener.accept().unwrap();
    let expected =
        ["recvfrom", "read"].map(|call| format!("{call} from {} (Unix socket)", path.display()));
    check(move || drop(near.read(&mut [0])), &expected);
}

#[test]
fn a_pair_of_unix_sockets_has_no_name() {
    let (mut near, _far) = UnixStream::pair().unwrap();
    let expected = ["recvfrom", "read"].map(|call| format!("{call} from an unnamed Unix socket"));
    check(move || drop(near.read(&mut [0])), &expected);
}

#[test]
fn a_pipe_is_a_pipe() {
    let (mut reader, _writer) = std::io::pipe().unwrap();
    check(
        move || drop(reader.read(&mut [0])),
        &["read of a pipe".to_owned()],
    );
}

#[test]
fn opening_a_fifo_names_its_path() {
    let scratch = Scratch::new("fifo-open");
    let path = scratch.fifo();
    let expected = format!("openat of {} (FIFO)", path.display());
    check(move || drop(File::open(path)), &[expected]);
}

#[test]
fn reading_a_fifo_names_its_path() {
    let scratch = Scratch::new("fifo-read");
    let path = scratch.fifo();
    let expected = format!("read of {} (FIFO)", path.display());
    // Opened for both, a FIFO waits for nobody to open it.
    let mut file = File::options().read(true).write(true).open(path).unwrap();
    check(move || drop(file.read(&mut [0])), &[expected]);
}

#[test]
fn a_file_lock_names_the_file() {
    let scratch = Scratch::new("flock");
    let path = scratch.0.join("lock");
    let holder = File::create(&path).unwrap();
    holder.lock().unwrap();
    let contender = File::open(&path).unwrap();
    check(
        move || drop(contender.lock()),
        &[format!("flock of {}", path.display())],
    );
}

#[test]
fn poll_names_its_peer() {
    let (near, far) = connection();
    let address = far.local_addr().unwrap();
    let work = move || {
        let _ = poll(&mut [PollFd::new(&near, PollFlags::IN)], None);
    };
    check(
        work,
        &[format!("poll on {address}"), format!("ppoll on {address}")],
    );
}

#[test]
fn epoll_names_its_peer() {
    let (near, far) = connection();
    let address = far.local_addr().unwrap();
    let work = move || {
        let instance = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let wake_up = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        for descriptor in [wake_up.as_fd(), near.as_fd()] {
            epoll::add(
                &instance,
                descriptor,
                epoll::EventData::new_u64(0),
                epoll::EventFlags::IN,
            )
            .unwrap();
        }
        let mut events = [MaybeUninit::uninit(); 1];
        let _ = epoll::wait(&instance, &mut events, None);
    };
    check(
        work,
        &["epoll_wait", "epoll_pwait", "epoll_pwait2"].map(|call| format!("{call} on {address}")),
    );
}

#[test]
fn a_child_is_a_child() {
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    let expected = ["wait4", "waitid"].map(|call| format!("{call} for a child process"));
    check(move || drop(child.wait()), &expected);
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_thread_that_has_ended_is_unknown() {
    let subject = Subject::doing(|| {});
    let probe = subject.probe();
    let reason = eventually(
        || probe.activity().err(),
        || "the thread lives on".to_owned(),
    );
    assert!(!reason.reason().is_empty());
}
