//! The child's end: runs functions until the parent closes the socket, or is gone.
//!
//! Functions run on the thread that called [`serve_child`], one at a time. A second thread waits for nothing but the end of
//! the socket, which comes when the parent retires the child or ends in whatever way, SIGKILL included; it then ends
//! the process, and whatever the functions have started, at once if a function runs.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, Signal, kill_current_process_group, setrlimit};
use rustix::stdio;

use super::error::FunctionErrorKind;
use super::functions::Functions;
use super::inbox::Inbox;
use super::program::{self, CHILD};
use super::signals;
use super::wire::Frame;
use crate::lane::job::panic_message;
use crate::priority;

/// An idle child may take so long to end once its parent has closed the socket.
const END_LIMIT: Duration = Duration::from_secs(1);
/// Below it are the standard streams.
const FIRST_FREE_DESCRIPTOR: i32 = 3;
/// The beginning of the conversation needs no long frames.
const WELCOME_BYTES_MAX: usize = 64;

/// The end of the other side. Where the system does not tell half of it, its whole end is told anyway.
#[cfg(target_os = "linux")]
const HANG_UP: PollFlags = PollFlags::RDHUP;
#[cfg(not(target_os = "linux"))]
const HANG_UP: PollFlags = PollFlags::empty();

/// Whether this process is a child of a process lane that has not come to [`serve_child`] yet.
#[must_use]
pub fn is_child() -> bool {
    let Some(inode) = std::env::var_os(CHILD) else {
        return false;
    };
    program::inode(&io::stdin()).is_ok_and(|stdin| *inode == *stdin.to_string())
}

/// In a child of a process lane, runs `functions` for the parent, and returns the exit code once the parent needs it no
/// more; in any other process returns `None` at once.
///
/// `main` must call it first of all, before it starts threads, opens files or reads its standard input. A
/// panic of a function is caught and reported, and the child goes on.
///
/// ```no_run
/// use std::process::ExitCode;
/// use siding_runtime::{Builder, CallError, Functions, RouteId, WorkContext, serve_child};
///
/// fn main() -> ExitCode {
///     let mut functions = Functions::new();
///     functions.register("double", |n: u32| n * 2);
///     if let Some(code) = serve_child(&functions) {
///         return code;
///     }
///     let runtime = Builder::new().functions(functions).build().expect("threads");
///     let context = WorkContext::new(RouteId::OFFLOAD);
///     let call = runtime.handle().processes().run::<_, u32>(context, "double", &21);
///     match runtime.block_on(call) {
///         Ok(42) => ExitCode::SUCCESS,
///         _ => ExitCode::FAILURE,
///     }
/// }
/// ```
#[must_use]
pub fn serve_child(functions: &Functions) -> Option<ExitCode> {
    if !is_child() {
        return None;
    }
    match Worker::open().and_then(|mut worker| worker.serve(functions)) {
        Ok(()) => Some(ExitCode::SUCCESS),
        Err(error) => {
            // The parent repeats the last line of this in its own error.
            let _ = writeln!(
                io::stderr(),
                "this child of the process lane gives up: {error}"
            );
            Some(ExitCode::FAILURE)
        }
    }
}

/// The child's end of the conversation.
struct Worker {
    socket: UnixStream,
    inbox: Inbox,
    /// Whether a function runs.
    busy: Arc<AtomicBool>,
}

impl Worker {
    /// Takes the socket away from standard input, so that functions, and what they start, do not read from it.
    fn open() -> io::Result<Self> {
        let socket = fcntl_dupfd_cloexec(stdio::stdin(), FIRST_FREE_DESCRIPTOR)?;
        stdio::dup2_stdin(File::open("/dev/null")?)?;
        signals::leave_stopping_to_the_parent();
        #[cfg(target_os = "linux")]
        rustix::thread::set_name(c"siding-child")?;
        Ok(Self {
            socket: socket.into(),
            inbox: Inbox::new(WELCOME_BYTES_MAX),
            busy: Arc::default(),
        })
    }

    fn serve(&mut self, functions: &Functions) -> io::Result<()> {
        let result_bytes_max = match self.next()? {
            None => return Ok(()),
            Some(Frame::Welcome {
                memory_bytes_max,
                payload_bytes_max,
            }) => {
                self.watch_parent()?;
                limit_memory(memory_bytes_max)?;
                usize::try_from(payload_bytes_max).unwrap_or(usize::MAX)
            }
            Some(_) => return Err(io::Error::other("the parent did not bid it welcome")),
        };
        self.inbox = Inbox::new(result_bytes_max);
        priority::give_way();
        let program = program::fingerprint()?;
        self.send(&Frame::Hello { program })?;
        loop {
            let (job, name, arguments) = match self.next()? {
                None => return Ok(()),
                Some(Frame::Call {
                    job,
                    name,
                    arguments,
                }) => (job, name, arguments),
                Some(_) => return Err(io::Error::other("the parent sent what is no call")),
            };
            // Release: pairs with the acquire of the thread that watches the parent.
            self.busy.store(true, Ordering::Release);
            let answer = run(functions, job, &name, &arguments, result_bytes_max);
            // What a function has printed belongs to its job. A closed pipe is the parent's business.
            let _ = io::stdout().flush();
            self.busy.store(false, Ordering::Release);
            self.send(&answer)?;
        }
    }

    /// The next frame; `None` when the parent has closed the socket.
    fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let nonsense = |error| io::Error::other(format!("of the parent: {error}"));
            if let Some(frame) = self.inbox.take().map_err(nonsense)? {
                return Ok(Some(frame));
            }
            match self.inbox.fill(&mut &self.socket) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    // It closed the socket with an answer unread.
                    io::ErrorKind::ConnectionReset => return Ok(None),
                    _ => return Err(error),
                },
            }
        }
    }

    fn send(&mut self, frame: &Frame) -> io::Result<()> {
        self.socket.write_all(&frame.encode())
    }

    /// Starts the thread that ends this process once the parent has closed the socket. It watches for nothing else, so it
    /// does not wake up for calls.
    fn watch_parent(&self) -> io::Result<()> {
        let (socket, busy) = (self.socket.try_clone()?, Arc::clone(&self.busy));
        let watch = move || {
            let mut end = [PollFd::new(&socket, HANG_UP)];
            while end[0].revents().is_empty() {
                // It is interrupted by signals.
                let _ = poll(&mut end, None);
            }
            let limit = Instant::now() + END_LIMIT;
            // Acquire: pairs with the releases in `serve`.
            while !busy.load(Ordering::Acquire) && Instant::now() < limit {
                thread::park_timeout(END_LIMIT);
            }
            // It is the leader of its group, and cannot fail to reach itself.
            let _ = kill_current_process_group(Signal::KILL);
        };
        let thread = thread::Builder::new().name("siding-parent".to_owned());
        thread.spawn(watch).map(drop)
    }
}

/// Limits the memory for data; 0 is no limit.
fn limit_memory(bytes_max: u64) -> io::Result<()> {
    if bytes_max == 0 {
        return Ok(());
    }
    let limit = Rlimit {
        current: Some(bytes_max),
        maximum: Some(bytes_max),
    };
    setrlimit(Resource::Data, limit)
        .map_err(|error| io::Error::other(format!("its memory cannot be limited: {error}")))
}

/// Runs a function to an answer.
fn run(
    functions: &Functions,
    job: u64,
    name: &str,
    arguments: &[u8],
    result_bytes_max: usize,
) -> Frame {
    match catch_unwind(AssertUnwindSafe(|| functions.run(name, arguments))) {
        Ok(Ok(result)) if result.len() > result_bytes_max => Frame::Failed {
            job,
            kind: FunctionErrorKind::ResultTooLong {
                bytes: result.len(),
                bytes_max: result_bytes_max,
            },
        },
        Ok(Ok(result)) => Frame::Returned { job, result },
        Ok(Err(kind)) => Frame::Failed { job, kind },
        Err(panic) => Frame::Panicked {
            job,
            message: panic_message(&*panic),
        },
    }
}
