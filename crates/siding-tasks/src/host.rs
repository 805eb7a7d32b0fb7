//! The name of this machine.

/// The machine's name in its network, or `localhost` where it has none.
pub(crate) fn name() -> String {
    let uname = rustix::system::uname();
    match uname.nodename().to_str() {
        Ok(name) if !name.is_empty() => name.to_owned(),
        _ => "localhost".to_owned(),
    }
}
