//! The command line: flags over environment over what the application has set.

mod flags;
mod values;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::settings::Settings;
use flags::Flags;

/// The command line of an application.
#[derive(Debug, Parser)]
#[command(
    disable_help_subcommand = true,
    after_help = "Defaults are Siding's; the application may have set others."
)]
pub(super) struct CommandLine {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    flags: Flags,
}

/// What the program is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Subcommand)]
pub(super) enum Role {
    /// Answer requests (the default)
    #[default]
    Serve,
    /// List the routes: method, path, kind and declared lane
    Routes {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Reads a command line and the environment, and puts what they say over `settings`.
///
/// # Errors
/// When a value makes no sense, or help was asked for.
pub(super) fn read(
    name: &'static str,
    args: impl IntoIterator<Item = OsString>,
    settings: &mut Settings,
) -> Result<Role, clap::Error> {
    let mut command = CommandLine::command().name(name);
    let line = command
        .try_get_matches_from_mut(args)
        .and_then(|matches| CommandLine::from_arg_matches(&matches))
        .map_err(|error| error.format(&mut command))?;
    line.flags.apply(settings);
    check(settings).map_err(|what| command.error(ErrorKind::ValueValidation, what))?;
    Ok(line.role.unwrap_or_default())
}

/// What makes no sense together.
fn check(settings: &Settings) -> Result<(), String> {
    let threads = settings.runtime.threads;
    if threads.threads_min > threads.threads_max {
        return Err(format!(
            "--threads-min {} is more than --threads-max {}; choose a minimum of at most {1}, or a higher maximum",
            threads.threads_min, threads.threads_max
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What an application has set itself.
    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.limits.keep_alive = Duration::from_secs(7);
        settings.runtime.threads.threads_max = 70;
        settings.runtime.threads.waiting_max = 7;
        settings
    }

    fn read_flags(flags: &[&str]) -> (Role, Settings) {
        let mut settings = settings();
        let args = std::iter::once(&"test").chain(flags).map(OsString::from);
        let role = read("test", args, &mut settings).expect("makes sense");
        (role, settings)
    }

    #[test]
    fn without_flags_the_application_has_its_way() {
        assert_eq!(read_flags(&[]), (Role::Serve, settings()));
    }

    #[test]
    fn a_flag_goes_over_the_application() {
        let (_, read) = read_flags(&["--keep-alive", "9s", "--admin=off"]);
        assert_eq!(read.limits.keep_alive, Duration::from_secs(9));
        assert_eq!(read.admin, None);
    }

    #[test]
    fn the_number_that_may_wait_follows_the_number_of_threads() {
        let (_, read) = read_flags(&["--threads-max", "20"]);
        let threads = read.runtime.threads;
        assert_eq!(
            (
                threads.threads_min,
                threads.threads_max,
                threads.waiting_max
            ),
            (20, 20, 160)
        );
        let (_, read) = read_flags(&["--threads-max=20", "--threads-waiting-max=3"]);
        assert_eq!(read.runtime.threads.waiting_max, 3);
    }

    #[test]
    fn limits_of_child_processes_are_read() {
        let (_, read) = read_flags(&[
            "--processes=2",
            "--process-memory=64MiB",
            "--process-jobs=9",
        ]);
        let processes = read.runtime.processes;
        assert_eq!(
            (
                processes.children,
                processes.memory_bytes_max,
                processes.jobs_per_child_max
            ),
            (2, Some(64 << 20), Some(9))
        );
    }

    #[test]
    fn roles_are_told_apart() {
        assert_eq!(read_flags(&["serve"]).0, Role::Serve);
        let (role, _) = read_flags(&["routes", "--json", "--admin", "off"]);
        assert_eq!(role, Role::Routes { json: true });
    }

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }
}
