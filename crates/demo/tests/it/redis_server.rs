//! A Redis of a test's own, which it may stop.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use redis::Commands;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::program::signal;
use crate::support::{eventually, leave_out};

/// What it wants to be told before it answers.
pub(crate) const PASSWORD: &str = "hush";

/// A server, ended when dropped.
pub(crate) struct RedisServer {
    address: SocketAddrV4,
    server: Child,
    directory: TempDir,
}

impl RedisServer {
    /// Starts one on a free port, unless this machine has none.
    pub(crate) fn start() -> Option<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("has one").port();
        drop(listener);
        Self::start_at(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
    }

    /// Starts one on the port that is known as Redis's, at a loopback address that no other test uses.
    pub(crate) fn start_on_its_port() -> Option<Self> {
        static STARTED: AtomicU8 = AtomicU8::new(2);
        let [.., high, low] = std::process::id().to_be_bytes();
        // A number that no other test of this process gets: nothing else is published by it.
        let last = STARTED.fetch_add(1, Ordering::Relaxed);
        let address = Ipv4Addr::new(127, high, low, last);
        Self::start_at(SocketAddrV4::new(address, 6379))
    }

    fn start_at(address: SocketAddrV4) -> Option<Self> {
        let directory = TempDir::new().expect("a place");
        let Ok(server) = spawn(address, &directory) else {
            leave_out("there is no redis-server on this machine");
            return None;
        };
        let server = Self {
            address,
            server,
            directory,
        };
        server.wait_until_it_answers();
        Some(server)
    }

    /// Its URL, with the password.
    pub(crate) fn url(&self) -> String {
        format!("redis://:{PASSWORD}@{}/0", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// Ends it, as a crash does.
    pub(crate) fn stop(&mut self) {
        self.server.kill().expect("runs");
        self.server.wait().expect("ends");
    }

    /// Starts it again, at the same address, and without what it had.
    pub(crate) fn start_again(&mut self) {
        self.server = spawn(self.address, &self.directory).expect("started before");
        self.wait_until_it_answers();
    }

    /// Lets it do nothing: the kernel takes connections for it, and nobody answers.
    pub(crate) fn freeze(&self) {
        signal(self.server.id(), Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        signal(self.server.id(), Signal::CONT);
    }

    fn wait_until_it_answers(&self) {
        let client = redis::Client::open(self.url()).expect("a URL");
        eventually("Redis answers", || {
            client.get_connection().ok()?.ping::<()>().ok()
        });
    }
}

fn spawn(address: SocketAddrV4, directory: &TempDir) -> std::io::Result<Child> {
    Command::new("redis-server")
        .args(["--bind", &address.ip().to_string()])
        .args(["--port", &address.port().to_string()])
        .args([
            "--requirepass",
            PASSWORD,
            "--save",
            "",
            "--appendonly",
            "no",
        ])
        .arg("--dir")
        .arg(directory.path())
        .stdout(Stdio::null())
        .spawn()
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It has ended already where a test stopped it.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
