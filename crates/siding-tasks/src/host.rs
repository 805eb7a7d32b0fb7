//! The name of this machine.

/// The machine's name in its network, or `localhost` where it has none.
pub(crate) fn name() -> String {
    let uname = rustix::system::uname();
    match uname.nodename().to_str() {
        Ok(name) if !name.is_empty() => name.to_owned(),
        _ => "localhost".to_owned(),
    }
}

/// Who sends messages from here, as Celery names whoever is no worker.
pub(crate) fn origin() -> String {
    format!("gen{}@{}", std::process::id(), name())
}
