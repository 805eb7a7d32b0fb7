//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use http::HeaderValue;

use crate::case::CaseName;
use crate::database::DatabaseUrl;
use crate::load::Site;
use crate::settings::Settings;

/// How often a screen may ask; more often, nobody can read it.
const INTERVAL_MIN: Duration = Duration::from_millis(100);
const INTERVAL_MAX: Duration = Duration::from_secs(600);

/// Measures and watches services that are written with Siding.
#[derive(Debug, Parser)]
#[command(name = "siding", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A sub-command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure a service against the requirements, and write a report.
    Bench(Box<BenchArgs>),
    /// Watch the lanes, routes and stalls of a running application
    Top(TopArgs),
    /// Serve the plain-axum peer (started by `siding bench`).
    #[command(hide = true)]
    PeerAxum(PeerAxumArgs),
    /// Serve an application of many routes (started by `siding bench`).
    #[command(hide = true)]
    ManyRoutes(ManyRoutesArgs),
}

/// What `siding bench` measures, and how much of it.
///
/// Exit codes: 0 every requirement is met; 1 a requirement is missed; 2 the command line is wrong;
/// 3 a server could not be started or measured.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Measure the server that already runs here, such as http://127.0.0.1:8000
    #[arg(long, value_name = "URL", conflicts_with = "server_command")]
    pub url: Option<Site>,
    /// Start this server instead of siding-demo: a program and its arguments, separated by
    /// spaces, to which --bind, --admin and --threads-max are added
    #[arg(long, value_name = "COMMAND")]
    pub server_command: Option<String>,
    /// Measure only these cases
    #[arg(long, value_name = "CASES", value_delimiter = ',')]
    pub only: Vec<CaseName>,
    /// List the cases and stop
    #[arg(long)]
    pub list: bool,
    /// Fewer and shorter repetitions: shows that everything works, judges nothing finely
    #[arg(long)]
    pub quick: bool,
    /// Repetitions of the latency cases [default: 3, with --quick 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub runs: Option<u16>,
    /// Measure a peer beside it; may be given twice
    #[arg(long, value_name = "PEER")]
    pub peer: Vec<Peer>,
    /// The PostgreSQL of the cases about users, in which they make a database of their own
    #[arg(
        long,
        value_name = "URL",
        env = "SIDING_BENCH_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://postgres@127.0.0.1:5432/postgres"
    )]
    pub database_url: DatabaseUrl,
    /// Stop waiting for a peer's answers after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub peer_limit_s: u32,
    /// Where to write the HTML report; the JSON goes beside it
    #[arg(
        long,
        value_name = "PATH",
        default_value = "target/siding-bench/report.html"
    )]
    pub report: PathBuf,
}

/// What `siding top` shows.
///
/// Exit codes: 0 it was shown; 2 the command line is wrong, or there is no terminal and no --once; 3 the admin listener
/// cannot be reached or understood (with --once), or the terminal failed; 4 the admin listener wants a token (with --once).
#[derive(Debug, Args)]
pub struct TopArgs {
    /// The admin listener
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8001")]
    pub url: Site,
    /// The admin listener's token; others on this machine see it in the list of processes, unless it is in the environment
    #[arg(
        long,
        value_name = "TOKEN",
        env = "SIDING_ADMIN_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<Token>,
    /// How often to ask: 500ms, 1s, 1m
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub interval: Duration,
    /// Print a snapshot as text, with the rates over one interval, and stop
    #[arg(long)]
    pub once: bool,
}

/// The admin listener's token, which no `Debug` output shows.
#[derive(Debug, Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// The value of the header `Authorization`.
    #[must_use]
    pub fn bearer(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl FromStr for Token {
    type Err = &'static str;

    fn from_str(token: &str) -> Result<Self, Self::Err> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| "it has characters that cannot be sent")?;
        bearer.set_sensitive(true);
        Ok(Self(bearer))
    }
}

/// A peer to measure in the same run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// FastAPI and SQLAlchemy on uvicorn, installed into target/siding-bench
    #[value(name = "fastapi")]
    FastApi,
    /// The same handlers on plain axum
    Axum,
    /// Celery 5.7 on the Redis of this machine, installed into target/siding-bench
    Celery,
}

/// Where the plain-axum peer listens.
#[derive(Debug, Clone, Copy, Args)]
pub struct PeerAxumArgs {
    /// The address
    #[arg(long, value_name = "ADDRESS")]
    pub bind: SocketAddr,
}

/// Where the application of many routes listens; what else the bench gives every server is left aside.
#[derive(Debug, Clone, Args)]
pub struct ManyRoutesArgs {
    /// The address of the routes
    #[arg(long, value_name = "ADDRESS")]
    pub bind: SocketAddr,
    /// The address of the admin listener
    #[arg(long, value_name = "ADDRESS")]
    pub admin: SocketAddr,
    /// Where tasks would be
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
}

impl BenchArgs {
    /// How much to measure.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let limit = Duration::from_secs(self.peer_limit_s.into());
        let mut settings = if self.quick {
            Settings::quick(limit)
        } else {
            Settings::full(limit)
        };
        if let Some(runs) = self.runs {
            settings.runs = runs.into();
        }
        settings
    }

    /// The cases to measure, in the order of the list.
    #[must_use]
    pub fn cases(&self) -> Vec<CaseName> {
        let wanted = |case: &CaseName| self.only.is_empty() || self.only.contains(case);
        CaseName::value_variants()
            .iter()
            .copied()
            .filter(wanted)
            .collect()
    }
}

/// A time with its unit, within what makes sense for a screen.
fn interval(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = &text[number.len()..];
    let of: Option<fn(u64) -> Duration> = match unit {
        "ms" => Some(Duration::from_millis),
        "s" => Some(Duration::from_secs),
        "m" => Some(|minutes| Duration::from_secs(minutes.saturating_mul(60))),
        _ => None,
    };
    let interval = number.parse().ok().zip(of).map(|(number, of)| of(number));
    interval
        .filter(|interval| (INTERVAL_MIN..=INTERVAL_MAX).contains(interval))
        .ok_or_else(|| "a time from 100ms to 10m, with its unit: ms, s or m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[track_caller]
    fn bench(line: &str) -> BenchArgs {
        match parse(line).unwrap().command {
            Command::Bench(args) => *args,
            other => panic!("{line} is no bench but {other:?}"),
        }
    }

    #[test]
    fn measures_everything_unless_told() {
        let args = bench("siding bench");
        assert_eq!(args.cases(), CaseName::value_variants());
        assert_eq!(args.settings().runs, 3);
        assert_eq!(args.settings().peer_limit, Duration::from_secs(120));
    }

    #[test]
    fn only_keeps_the_order_of_the_list() {
        let args = bench("siding bench --only idle,bad-100 --quick");
        assert_eq!(args.cases(), [CaseName::Bad100, CaseName::Idle]);
        assert_eq!(args.settings().runs, 1);
        assert_eq!(bench("siding bench --quick --runs 5").settings().runs, 5);
    }

    #[test]
    fn both_peers_can_be_given() {
        let args = bench("siding bench --peer fastapi --peer axum");
        assert_eq!(args.peer, [Peer::FastApi, Peer::Axum]);
    }

    #[test]
    fn users_are_in_the_machines_postgresql_unless_told() {
        let address = |line| bench(line).database_url.to_string();
        assert_eq!(address("siding bench"), "127.0.0.1:5432");
        let other = "siding bench --only users,users-page --database-url postgres://db:5433/shop";
        assert_eq!(address(other), "db:5433");
        assert_eq!(bench(other).cases(), [CaseName::Users, CaseName::UsersPage]);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let kind = |line| parse(line).unwrap_err().kind();
        assert_eq!(
            kind("siding bench --only sideways"),
            ErrorKind::InvalidValue
        );
        assert_eq!(
            kind("siding bench --url https://127.0.0.1"),
            ErrorKind::ValueValidation
        );
        assert_eq!(kind("siding bench --runs 0"), ErrorKind::ValueValidation);
        assert_eq!(
            kind("siding bench --database-url mysql://127.0.0.1"),
            ErrorKind::ValueValidation
        );
        let both = "siding bench --url http://127.0.0.1:1 --server-command x";
        assert_eq!(kind(both), ErrorKind::ArgumentConflict);
    }

    #[track_caller]
    fn top(line: &str) -> TopArgs {
        match parse(line).unwrap().command {
            Command::Top(args) => args,
            other => panic!("{line} is no top but {other:?}"),
        }
    }

    #[test]
    fn top_looks_at_this_machine_every_second_unless_told() {
        let args = top("siding top");
        assert_eq!(args.url, Site::loopback(8001));
        assert_eq!(args.interval, Duration::from_secs(1));
        let args = top("siding top http://127.0.0.1:9 --interval 250ms --token hush");
        assert_eq!(args.url, Site::loopback(9));
        assert_eq!(args.interval, Duration::from_millis(250));
        assert!(!format!("{args:?}").contains("hush"));
    }

    #[test]
    fn top_refuses_intervals_that_make_no_sense() {
        for interval in [
            "0s", "1", "s", "-1s", "1h", "99m", "10ms", "\u{b5}s", "1\u{b5}s",
        ] {
            let error = parse(&format!("siding top --interval={interval}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValueValidation, "{interval}");
        }
    }

    #[test]
    fn usage_errors_have_the_documented_exit_code() {
        let error = parse("siding bench --sideways").unwrap_err();
        assert_eq!(error.exit_code(), i32::from(crate::exit::Exit::USAGE));
    }
}
