//! `siding top` against a real application, as text and in a real terminal.

use std::net::Ipv4Addr;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use siding::{App, Drained, Running, Settings, get};
use siding_cli::load::{Site, get_once};

use crate::support::{SIDING, nobody};
use crate::terminal::Terminal;

/// What a terminal gets when a program has put everything back: its first screen.
const LEFT: &str = "\u{1b}[?1049l";
const DEADLINE: Duration = Duration::from_secs(30);

/// An application with an admin listener, in this process.
struct Service(Option<Running>);

impl Service {
    fn start(token: Option<&str>) -> Self {
        let mut settings = Settings {
            bind: (Ipv4Addr::LOCALHOST, 0).into(),
            admin: Some((Ipv4Addr::LOCALHOST, 0).into()),
            admin_token: token.map(str::to_owned),
            ..Settings::default()
        };
        settings.runtime.relief_threads = 4;
        settings.limits.drain_grace = Duration::from_millis(20);
        let app = App::new("test")
            .route("/hello", get(async || "Hello"))
            .route("/bad", get(sleeps));
        Self(Some(app.with_settings(settings).start().unwrap()))
    }

    fn running(&self) -> &Running {
        self.0.as_ref().unwrap()
    }

    fn get(&self, path: &str) {
        let site = Site::from(self.running().address());
        let asked = get_once(&site, path);
        self.running().wait(asked).unwrap();
    }

    fn admin(&self) -> String {
        Site::from(self.running().admin_address().unwrap()).to_string()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(running) = self.0.take()
            && !std::thread::panicking()
        {
            assert_eq!(running.drain(std::future::pending()), Drained::Complete);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the mistake itself, which is to be shown"
)]
async fn sleeps() -> &'static str {
    std::thread::sleep(Duration::from_millis(300));
    "done"
}

fn top(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(SIDING);
    command.args(["top", url, "--interval", "100ms"]);
    command.args(arguments).env_remove("SIDING_ADMIN_TOKEN");
    command
}

fn once(url: &str, arguments: &[&str]) -> Output {
    top(url, arguments).arg("--once").output().unwrap()
}

#[track_caller]
fn refused(output: &Output, code: i32, hint: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    assert!(complaint.contains(hint), "{complaint}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_snapshot_has_lanes_routes_and_stalls() {
    let service = Service::start(None);
    service.get("/hello");
    service.get("/bad");
    let until = Instant::now() + DEADLINE;
    loop {
        let output = once(&service.admin(), &[]);
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("LANE") && text.contains("threads"), "{text}");
        assert!(text.contains("GET /hello"), "{text}");
        // The guard tells of a stall a little later than the answer comes.
        if text.contains("GET /bad: ") && text.contains("blocked") {
            return;
        }
        assert!(Instant::now() < until, "no stall is in {text}");
    }
}

#[test]
fn a_listener_with_a_token_says_how_to_give_it() {
    let service = Service::start(Some("hush"));
    let url = service.admin();
    refused(&once(&url, &[]), 4, "SIDING_ADMIN_TOKEN");
    refused(&once(&url, &["--token", "loud"]), 4, "another token");
    assert_eq!(once(&url, &["--token", "hush"]).status.code(), Some(0));
    let mut by_environment = top(&url, &["--once"]);
    by_environment.env("SIDING_ADMIN_TOKEN", "hush");
    assert_eq!(by_environment.status().unwrap().code(), Some(0));
}

#[test]
fn what_is_no_admin_listener_is_told_apart() {
    refused(&once(&nobody().to_string(), &[]), 3, "failed to connect");
    let service = Service::start(None);
    let public = Site::from(service.running().address()).to_string();
    refused(&once(&public, &[]), 3, "is this the admin listener?");
}

#[test]
fn without_a_terminal_it_needs_to_be_told_once() {
    let output = top(&nobody().to_string(), &[]).output().unwrap();
    refused(&output, 2, "--once");
}

#[test]
fn q_leaves_a_terminal_as_it_was() {
    let service = Service::start(None);
    let mut terminal = Terminal::run(&mut top(&service.admin(), &[]));
    terminal.wait_for("\u{1b}[?1049h");
    terminal.wait_for("/bad");
    assert!(!terminal.is_cooked());
    terminal.press("?");
    terminal.wait_for("Help");
    terminal.press("q");
    terminal.wait_for(LEFT);
    assert_eq!(terminal.end().code(), Some(0));
    assert!(terminal.is_cooked());
}

#[test]
fn ctrl_c_and_sigterm_leave_a_terminal_as_it_was() {
    let service = Service::start(None);
    let url = service.admin();
    let mut terminal = Terminal::run(&mut top(&url, &[]));
    terminal.wait_for("/bad");
    terminal.press("\u{3}");
    terminal.wait_for(LEFT);
    assert!(terminal.end().success() && terminal.is_cooked());
    let mut terminal = Terminal::run(&mut top(&url, &[]));
    terminal.wait_for("/bad");
    kill_process(Pid::from_child(terminal.child()), Signal::TERM).unwrap();
    terminal.wait_for(LEFT);
    assert!(terminal.end().success() && terminal.is_cooked());
}

#[test]
fn a_server_that_goes_away_is_waited_for() {
    let service = Service::start(None);
    let mut terminal = Terminal::run(&mut top(&service.admin(), &[]));
    terminal.wait_for("/bad");
    let address = service.running().admin_address().unwrap();
    drop(service);
    terminal.wait_for("reachable");
    // The same address answers again, this time as a server that knows nothing.
    let back = std::net::TcpListener::bind(address).unwrap();
    let (_asked, _) = back.accept().unwrap();
    terminal.press("q");
    terminal.wait_for(LEFT);
    assert!(terminal.end().success());
}
