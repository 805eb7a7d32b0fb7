//! A server for a test, and a listener that is no server.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;

use siding_cli::load::Site;
use siding_cli::server::{Capacity, Kind, Launch, Server};

/// This crate's executable.
pub(crate) const SIDING: &str = env!("CARGO_BIN_EXE_siding");

/// The plain-axum peer as a process on a free port; it ends when it is dropped.
pub(crate) async fn peer(test: &str) -> (Site, Server) {
    let peer = launch(SIDING, &["peer-axum"], test);
    let server = peer.start(Capacity::AsConfigured).await.unwrap();
    (server.site.clone(), server)
}

/// How to start `program` as if it were the plain-axum peer, with a log of its own for `test`.
pub(crate) fn launch(program: &str, arguments: &[&str], test: &str) -> Launch {
    let logs = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let arguments = arguments.iter().map(Into::into).collect();
    Launch::new(Kind::Axum, program.into(), arguments, &logs)
}

/// Something that accepts every connection and says `greeting`, whatever it is asked.
pub(crate) fn says(greeting: &'static str) -> Site {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = Site::from(listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            stream.write_all(greeting.as_bytes()).unwrap();
            open.push(stream);
        }
    });
    site
}

/// An address at which nothing listens.
pub(crate) fn nobody() -> Site {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Site::from(listener.local_addr().unwrap())
}

/// Says that a test was left out, or fails where the environment promises everything it needs.
#[track_caller]
#[expect(
    clippy::print_stderr,
    reason = "whoever runs the tests should see what was left out"
)]
pub(crate) fn leave_out(reason: &str) {
    let required = std::env::var("SIDING_TEST_SERVICES").is_ok_and(|value| value == "required");
    assert!(
        !required,
        "left out although SIDING_TEST_SERVICES=required: {reason}"
    );
    eprintln!("left out: {reason}");
}
