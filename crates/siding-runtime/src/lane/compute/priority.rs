//! Makes the calling thread give way to the event loop.

/// How much the threads of the lane give way; see the table in the parent's documentation.
const NICE: i32 = 10;

/// Lowers the calling thread's priority. Where that is refused, it computes at normal priority.
pub(super) fn give_way() {
    if let Err(error) = lower() {
        tracing::debug!(%error, "the compute lane runs at normal priority");
    }
}

#[cfg(target_os = "linux")]
fn lower() -> rustix::io::Result<()> {
    // On Linux a nice value belongs to the thread, whatever the call's name says.
    rustix::process::setpriority_process(None, NICE)
}

#[cfg(not(target_os = "linux"))]
fn lower() -> rustix::io::Result<()> {
    Err(rustix::io::Errno::NOTSUP)
}
