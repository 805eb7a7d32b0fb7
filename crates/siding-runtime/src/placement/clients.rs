//! Clients that block, told by their crates' frames in a stack: more certain than a port or a lock, which only hint at what was meant.

use crate::inspect::{Frame, Stack};

/// What to do in an `async fn` instead of calling the client that waits in this stack, if it is a known one.
pub(super) fn instead_of(stack: &Stack) -> Option<&'static str> {
    stack.frames.iter().find_map(instead_of_one)
}

/// Only crates that block wherever they appear in the stack of a blocked poll. Those that refuse to run on the event loop are not
/// among them: they panic before they wait.
fn instead_of_one(frame: &Frame) -> Option<&'static str> {
    Some(match frame.crate_name()? {
        "attohttpc" => "Use `reqwest` instead of `attohttpc`",
        "diesel" => "Use an async client (`sqlx`, `diesel-async`) instead of `diesel`",
        "lettre" => "Use the async API of `lettre`",
        "minreq" => "Use `reqwest` instead of `minreq`",
        "mysql" => "Use `mysql_async` or `sqlx` instead of `mysql`",
        "r2d2" => "Use an async pool (`bb8`, `deadpool`) instead of `r2d2`",
        "redis" => "Use the async API of `redis`",
        "rusqlite" => "Use `sqlx` or `tokio-rusqlite` instead of `rusqlite`",
        "tungstenite" => "Use `tokio-tungstenite` instead of `tungstenite`",
        "ureq" => "Use `reqwest` instead of `ureq`",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(functions: &[&str], expected: Option<&str>) {
        let frame = |function: &&str| Frame {
            function: (*function).to_owned(),
            file: None,
            line: None,
        };
        let frames = functions.iter().map(frame).collect();
        assert_eq!(instead_of(&Stack { frames }), expected);
    }

    #[test]
    fn the_innermost_client_is_the_one_that_waits() {
        check(
            &[
                "__libc_recv",
                "<ureq::unversioned::transport::tcp::TcpTransport as ureq::Transport>::await_input",
                "shop::prices::fetch",
            ],
            Some("Use `reqwest` instead of `ureq`"),
        );
        check(
            &[
                "syscall",
                "parking_lot::condvar::Condvar::wait_until_internal",
                "<r2d2::Pool<M>>::get_timeout",
                "diesel::r2d2::get",
                "shop::orders::list::{{closure}}",
            ],
            Some("Use an async pool (`bb8`, `deadpool`) instead of `r2d2`"),
        );
    }

    #[test]
    fn a_client_that_is_not_known_is_none() {
        check(&["__libc_recv", "shop::redis::get", "shop::main"], None);
        check(&[], None);
    }
}
