//! The inference service as a program.
//!
//! It serves the models in the directory that `SIDING_MODELS` names, `models` unless set, on 127.0.0.1:8100, with the admin listener on
//! 127.0.0.1:8101. All other settings are flags: see `--help`.

use std::net::Ipv4Addr;

use siding::{ExitCode, Settings};
use siding_inference::Service;

fn main() -> ExitCode {
    let models = std::env::var_os("SIDING_MODELS").unwrap_or_else(|| "models".into());
    let mut settings = Settings {
        bind: (Ipv4Addr::LOCALHOST, 8100).into(),
        admin: Some((Ipv4Addr::LOCALHOST, 8101).into()),
        ..Settings::default()
    };
    settings.limits.max_body_bytes = 64 * 1024 * 1024;
    Service::new(models).app().with_settings(settings).run()
}
