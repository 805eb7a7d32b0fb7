//! The scripts that run in the server, each one step.

use std::sync::LazyLock;

use redis::Script;

macro_rules! scripts {
    ($($name:ident = $file:literal $(with $more:literal)?),* $(,)?) => {
        $(pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!(
                include_str!("lua/claims.lua"),
                $(include_str!(concat!("lua/", $more, ".lua")),)?
                include_str!(concat!("lua/", $file, ".lua")),
            )));)*
    };
}

scripts! {
    CHORD_COUNT = "chord_count",
    CLAIM = "claim",
    LEAD = "lead",
    LOOK = "look",
    RELEASE = "release",
    RENEW = "renew",
    RESEND = "resend",
    RESIGN = "resign",
    RESTORE = "restore" with "places",
    SEND = "send" with "places",
    SETTLE = "settle" with "places",
    STARTED = "started",
}
