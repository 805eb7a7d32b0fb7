//! `siding top`: the lanes, routes and stalls of a running application, in a terminal.
//!
//! [`client`] asks the admin listener once for each sample, [`wire`] reads what it answers, [`model`] keeps the samples and what
//! the user wants to see of them, [`view`] draws the model, [`input`] says what a key means. [`screen`] runs all of it in a
//! terminal, [`once`] prints one sample as text.

pub mod client;
pub mod input;
pub mod model;
pub mod once;
pub mod rates;
pub mod text;
pub mod view;
pub mod wire;

mod screen;

use std::io::{self, IsTerminal as _};

use crate::args::TopArgs;
use crate::exit::Exit;

use client::{Client, ClientError};

/// Why there is nothing to see.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TopError {
    /// The admin listener gives no sample.
    #[error("failed to read {site}")]
    Client {
        /// The admin listener.
        site: String,
        /// What happened.
        #[source]
        source: ClientError,
    },
    /// Standard input or output is a file or a pipe.
    #[error("standard input and output are not a terminal (use --once for a snapshot as text)")]
    NoTerminal,
    /// The terminal, or the runtime beside it, fails.
    #[error("failed to use the terminal")]
    Terminal(#[from] io::Error),
}

impl TopError {
    /// The exit code that says so.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoTerminal => Exit::Usage,
            Self::Client {
                source: ClientError::Token { .. },
                ..
            } => Exit::TokenWanted,
            Self::Client { .. } | Self::Terminal(_) => Exit::NotMeasured,
        }
    }
}

/// Shows what `args` asks for, until the user leaves.
///
/// # Errors
///
/// When there is no terminal, or for `--once` no answer. A screen waits for a server that does not answer.
pub fn run(args: &TopArgs) -> Result<(), TopError> {
    let interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    if !(args.once || interactive) {
        return Err(TopError::NoTerminal);
    }
    let client = Client::new(args.url.clone(), args.token.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        if args.once {
            return once::print(&client, args.interval).await;
        }
        Ok(screen::show(&client, args.interval).await?)
    })
}
