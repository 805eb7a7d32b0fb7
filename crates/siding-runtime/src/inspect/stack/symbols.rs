//! [`Symbols`]: gives a captured stack its names, on a thread of its own.

use std::ffi::c_void;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::{fmt, io};

use super::super::Unknown;
use super::{Frame, Functions, RawStack, Stack, image};

/// How many stacks may wait. One takes microseconds once the program's line tables are read; the first stack pays for
/// that, with hundreds of milliseconds. More than this many tell of a fault that needs no more evidence, and are refused.
const WAITING_MAX: usize = 64;

/// Added to the nice value of the thread: names are for reports, which can wait for the work.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Resolves stacks in the background. The thread starts with the first stack; dropping this ends it and waits for
/// the stack in work, while those that still wait are dropped with their callbacks.
#[derive(Default)]
pub(crate) struct Symbols {
    worker: Mutex<Option<Worker>>,
}

struct Worker {
    jobs: SyncSender<Job>,
    ended: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

struct Job {
    stack: RawStack,
    then: Box<dyn FnOnce(Stack) + Send>,
}

impl Symbols {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Resolves `stack` and hands the result to `then`, on the background thread. Returns at once.
    pub(crate) fn resolve(
        &self,
        stack: RawStack,
        then: impl FnOnce(Stack) + Send + 'static,
    ) -> Result<(), Unknown> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let worker = match &mut *worker {
            Some(worker) => worker,
            none => none.insert(
                Worker::start()
                    .map_err(|error| Unknown::failed("start the symbols' thread", &error))?,
            ),
        };
        let job = Job {
            stack,
            then: Box::new(then),
        };
        worker.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Unknown::because("too many stacks wait for their names"),
            TrySendError::Disconnected(_) => Unknown::because("the symbols' thread has ended"),
        })
    }
}

impl Drop for Symbols {
    fn drop(&mut self) {
        let worker = self
            .worker
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = worker.take() {
            worker.end();
        }
    }
}

impl fmt::Debug for Symbols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Symbols").finish_non_exhaustive()
    }
}

impl Worker {
    fn start() -> io::Result<Self> {
        let (jobs, received) = sync_channel(WAITING_MAX);
        let ended = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new()
            .name("siding-symbols".to_owned())
            .spawn({
                let ended = Arc::clone(&ended);
                move || work(&received, &ended)
            })?;
        Ok(Self {
            jobs,
            ended,
            thread,
        })
    }

    /// Ends the thread, and waits for it unless this is it: a callback may hold the last handle.
    fn end(self) {
        let Self {
            jobs,
            ended,
            thread,
        } = self;
        // Relaxed: it only saves work. What ends the thread is its channel's end.
        ended.store(true, Ordering::Relaxed);
        drop(jobs);
        if thread.thread().id() != thread::current().id() {
            // A callback that panicked has ended the thread before and was reported by the panic hook.
            let _ = thread.join();
        }
    }
}

fn work(jobs: &Receiver<Job>, ended: &AtomicBool) {
    yield_to_the_work();
    let image = image();
    let functions = image.as_ref().and_then(Functions::read);
    for Job { stack, then } in jobs {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        then(named(&stack, functions.as_ref()));
    }
}

/// On Linux a nice value is a thread's own. If the kernel refuses, the thread keeps the usual one.
#[cfg(target_os = "linux")]
fn yield_to_the_work() {
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

#[cfg(not(target_os = "linux"))]
fn yield_to_the_work() {}

/// Looks up every frame of a stack.
fn named(stack: &RawStack, functions: Option<&Functions<'_>>) -> Stack {
    let frames = stack
        .addresses
        .iter()
        .flat_map(|&address| frames_at(address, functions))
        .collect();
    Stack { frames }
}

/// The frames of one address: more than one where the compiler has inlined, the innermost first. The outermost is the
/// function that the program knows by its full name. An address in a stripped library is its own name.
fn frames_at(address: usize, functions: Option<&Functions<'_>>) -> Vec<Frame> {
    let mut frames = by_line_tables(address);
    let name = functions.and_then(|functions| functions.name_at(address));
    match (frames.last_mut(), name) {
        (Some(outermost), Some(name)) => outermost.function = name,
        (Some(_), None) => {}
        (None, name) => frames.push(Frame {
            function: name.unwrap_or_else(|| format!("{address:#x}")),
            file: None,
            line: None,
        }),
    }
    frames
}

fn by_line_tables(address: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    // `resolve` looks one byte before what it is given, as it expects a return address. Ours are there already.
    let after: *mut c_void = std::ptr::without_provenance_mut(address.wrapping_add(1));
    backtrace::resolve(after, |symbol| {
        // The alternate form leaves out the hash.
        let function = symbol.name().map(|name| format!("{name:#}"));
        frames.push(Frame {
            function: function.unwrap_or_else(|| format!("{address:#x}")),
            file: symbol.filename().map(Path::to_owned),
            line: symbol.lineno(),
        });
    });
    frames
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[inline(never)]
    fn distinctively_named() -> usize {
        std::hint::black_box(distinctively_named as *const () as usize)
    }

    fn raw() -> RawStack {
        RawStack {
            addresses: [distinctively_named()].into(),
        }
    }

    #[test]
    fn names_an_address_and_finds_its_line() {
        let symbols = Symbols::new();
        let (sender, receiver) = channel();
        symbols
            .resolve(raw(), move |stack| sender.send(stack).unwrap())
            .unwrap();
        let stack = receiver.recv().unwrap();
        let frame = stack.frames.last().unwrap();
        assert!(frame.function.ends_with("::distinctively_named"), "{frame}");
        assert!(frame.file.as_ref().unwrap().ends_with("symbols.rs"));
        assert!(frame.line.is_some());
    }

    #[test]
    fn an_address_without_a_name_stays_an_address() {
        let stack = named(
            &RawStack {
                addresses: [16].into(),
            },
            None,
        );
        assert_eq!(stack.frames[0].function, "0x10");
    }

    #[test]
    fn refuses_more_than_may_wait() {
        let symbols = Symbols::new();
        let (started, start) = channel();
        let (release, released) = channel::<()>();
        symbols
            .resolve(raw(), move |_| {
                started.send(()).unwrap();
                let _ = released.recv();
            })
            .unwrap();
        start.recv().unwrap();
        for _ in 0..WAITING_MAX {
            symbols.resolve(raw(), |_| {}).unwrap();
        }
        assert!(symbols.resolve(raw(), |_| {}).is_err());
        drop(release);
    }

    #[test]
    fn its_thread_ends_with_it() {
        let symbols = Symbols::new();
        let (sender, receiver) = channel::<()>();
        symbols.resolve(raw(), move |_| drop(sender)).unwrap();
        drop(symbols);
        assert!(receiver.recv().is_err());
    }

    #[test]
    fn a_callback_may_hold_the_last_handle() {
        let symbols = Arc::new(Symbols::new());
        let (sender, receiver) = channel();
        let (handed, hand) = channel::<Arc<Symbols>>();
        symbols
            .resolve(raw(), move |_| {
                drop(hand.recv());
                sender.send(()).unwrap();
            })
            .unwrap();
        handed.send(symbols).unwrap();
        receiver.recv().unwrap();
    }
}
