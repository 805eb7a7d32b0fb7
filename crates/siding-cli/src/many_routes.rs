//! An application of Siding's with a thousand routes, for what the dashboard costs.
//!
//! `siding bench` starts it as `siding many-routes --bind ADDRESS --admin ADDRESS`. Its handlers do as little as the demo's `/hello`.

use std::io;
use std::net::SocketAddr;

use siding::{App, Drained, Settings, StartError, get};
use tokio::signal::unix::{SignalKind, signal};

/// How many routes it has beside `/health` and `/hello`.
pub const ROUTES: usize = 1_000;

/// Why it does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The application does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The signals that end it cannot be had.
    #[error("failed to listen for signals")]
    Signals(#[source] io::Error),
}

/// The path of route `number`, below [`ROUTES`].
#[must_use]
pub fn path(number: usize) -> String {
    format!("/routes/{number}")
}

/// The application.
pub fn app() -> App {
    let app = App::new("siding-many-routes")
        .route("/health", get(hello))
        .route("/hello", get(hello));
    (0..ROUTES).fold(app, |app, number| app.route(&path(number), get(hello)))
}

/// Serves until SIGTERM or Ctrl-C.
///
/// # Errors
///
/// When it does not start.
pub fn serve(bind: SocketAddr, admin: SocketAddr) -> Result<(), ServeError> {
    let settings = Settings {
        bind,
        admin: Some(admin),
        ..Settings::default()
    };
    let running = app().with_settings(settings).start()?;
    let told = running.wait(told_to_stop());
    let _: Drained = running.drain(std::future::ready(()));
    told.map_err(ServeError::Signals)
}

async fn told_to_stop() -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn hello() -> &'static str {
    "Hello, World!"
}
