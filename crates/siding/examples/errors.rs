//! Errors by type: `cargo run -p siding --example errors`, then `curl -i localhost:8000/accounts/1/pay/90`.

use std::sync::atomic::{AtomicU32, Ordering};

use siding::extract::Path;
use siding::{App, Error, ExitCode, Problem, StatusCode, get};

/// What can go wrong with an account.
#[derive(Debug, thiserror::Error)]
enum AccountError {
    #[error("there is no account {0}")]
    Unknown(u32),
    #[error("the account has {balance} left, and {price} are to be paid")]
    OutOfCredit { balance: u32, price: u32 },
}

static BALANCE: AtomicU32 = AtomicU32::new(100);

/// The only account, which knows nothing of HTTP.
fn take(account: u32, price: u32) -> Result<u32, AccountError> {
    if account != 1 {
        return Err(AccountError::Unknown(account));
    }
    let left = |balance: u32| balance.checked_sub(price);
    match BALANCE.try_update(Ordering::Relaxed, Ordering::Relaxed, left) {
        Ok(balance) => Ok(balance - price),
        Err(balance) => Err(AccountError::OutOfCredit { balance, price }),
    }
}

/// A path that is no number is answered 422, and says which part of it.
async fn pay(Path((account, price)): Path<(u32, u32)>) -> Result<String, Error> {
    let left = take(account, price)?;
    Ok(format!("{left} are left"))
}

/// The file is not there: 500 for the client, and the cause for the log.
fn history() -> Result<String, Error> {
    Ok(std::fs::read_to_string("/nowhere/history.txt")?)
}

/// What a client is told of what can go wrong with an account.
fn problem(error: &AccountError) -> Problem {
    match error {
        AccountError::Unknown(_) => Problem::new(StatusCode::NOT_FOUND),
        AccountError::OutOfCredit { balance, .. } => Problem::new(StatusCode::FORBIDDEN)
            .with_type(
                "https://example.com/probs/out-of-credit",
                "You do not have enough credit.",
            )
            .with_member("balance", balance),
    }
    .with_detail(error.to_string())
}

fn main() -> ExitCode {
    App::new("errors")
        .route("/accounts/{account}/pay/{price}", get(pay))
        .route("/history", get(history))
        .on_error(problem)
        .run()
}
