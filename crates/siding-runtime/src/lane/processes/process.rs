//! A child as its keeper sees it.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStderr, ChildStdout};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process_group};

use super::bell::Bell;
use super::error::ProcessEnd;
use super::inbox::Inbox;
use super::line;
use super::output::{Output, Stream};
use super::program::Program;
use super::wire::{Frame, Nonsense};
use crate::config::ProcessesConfig;

/// A child that is to end has so long before it is killed.
const RETIRE_LIMIT: Duration = Duration::from_secs(1);

/// A child as its keeper sees it.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    pid: Pid,
    socket: UnixStream,
    inbox: Inbox,
    /// A frame that is on its way out, and how much of it is gone.
    outbox: (Vec<u8>, usize),
    stdout: Output<ChildStdout>,
    stderr: Output<ChildStderr>,
    pub(super) state: State,
    /// Jobs that it ran to their end.
    pub(super) served: u64,
    /// The job whose lines its outputs are.
    pub(super) job: Option<u64>,
}

/// How far a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has not said hello; it was started then.
    Starting(Instant),
    /// It takes calls.
    Ready,
}

/// What a wait for a child ended with.
#[derive(Debug)]
pub(super) enum Seen {
    /// The time, the bell, or a line for the log: time to look around.
    Nothing,
    /// It sent a frame.
    Frame(Frame),
    /// It has ended, or is about to.
    Gone,
    /// It sent what makes no sense.
    Nonsense(Nonsense),
}

impl Process {
    /// Starts a child and bids it welcome.
    pub(super) fn start(program: &Program, config: &ProcessesConfig) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        socket.set_nonblocking(true)?;
        let mut child = program.start(OwnedFd::from(theirs))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let pid = Pid::from_child(&child);
        let mut process = Self {
            child,
            pid,
            socket,
            inbox: Inbox::new(config.frame_bytes_max),
            outbox: (Vec::new(), 0),
            stdout: Output::new(Stream::Stdout, never_block(stdout)?),
            stderr: Output::new(Stream::Stderr, never_block(stderr)?),
            state: State::Starting(Instant::now()),
            served: 0,
            job: None,
        };
        let welcome = Frame::Welcome {
            memory_bytes_max: config.memory_bytes_max.unwrap_or(0),
            payload_bytes_max: config.frame_bytes_max as u64,
        };
        process.send(welcome.encode());
        tracing::debug!(child = %process.pid, "started a child of the process lane");
        Ok(process)
    }

    /// Sends a frame, as much of it at once as there is room for.
    pub(super) fn send(&mut self, frame: Vec<u8>) {
        self.outbox = (frame, 0);
        self.flush();
    }

    fn flush(&mut self) {
        let (frame, sent) = &mut self.outbox;
        while *sent < frame.len() {
            match (&self.socket).write(&frame[*sent..]) {
                Ok(written) => *sent += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // It is gone; reading will say so.
                Err(_) => break,
            }
        }
        self.outbox = (Vec::new(), 0);
    }

    /// Waits until the child sends a frame or ends, `bell` is rung, or it is `until`. Logs what the child writes.
    pub(super) fn wait(&mut self, bell: &Bell, until: Option<Instant>) -> Seen {
        match self.inbox.take() {
            Ok(Some(frame)) => return Seen::Frame(frame),
            Ok(None) => {}
            Err(nonsense) => return Seen::Nonsense(nonsense),
        }
        let Ready {
            socket,
            writable,
            rung,
            outputs,
        } = self.poll(bell, until);
        if rung {
            bell.hear();
        }
        if outputs {
            self.log_outputs();
        }
        if writable {
            self.flush();
        }
        match socket {
            true => self.read(),
            false => Seen::Nothing,
        }
    }

    /// The socket comes first: the kernel looks in this order, so that the lines that were written before an answer are seen
    /// with it.
    fn poll(&self, bell: &Bell, until: Option<Instant>) -> Ready {
        let sending = match self.outbox.0.is_empty() {
            true => PollFlags::empty(),
            false => PollFlags::OUT,
        };
        let mut fds = Vec::with_capacity(4);
        fds.push(PollFd::from_borrowed_fd(
            self.socket.as_fd(),
            PollFlags::IN | sending,
        ));
        fds.push(PollFd::from_borrowed_fd(bell.clapper(), PollFlags::IN));
        let pipes = [self.stdout.pipe(), self.stderr.pipe()];
        let pipes = pipes.into_iter().flatten();
        fds.extend(pipes.map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)));
        let timeout = until.map(|until| {
            let left = until.saturating_duration_since(Instant::now());
            Timespec::try_from(left).unwrap_or(Timespec {
                tv_sec: 1,
                tv_nsec: 0,
            })
        });
        if poll(&mut fds, timeout.as_ref()).is_err() {
            // Interrupted: time to look around.
            return Ready::default();
        }
        let seen = |at: usize| fds[at].revents();
        Ready {
            socket: seen(0).intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR),
            writable: seen(0).contains(PollFlags::OUT),
            rung: !seen(1).is_empty(),
            outputs: fds[2..].iter().any(|pipe| !pipe.revents().is_empty()),
        }
    }

    fn read(&mut self) -> Seen {
        match self.inbox.fill(&mut &self.socket) {
            Ok(0) => self.gone(),
            Ok(_) => match self.inbox.take() {
                Ok(Some(frame)) => Seen::Frame(frame),
                Ok(None) => Seen::Nothing,
                Err(nonsense) => Seen::Nonsense(nonsense),
            },
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Seen::Nothing,
                _ => self.gone(),
            },
        }
    }

    fn gone(&mut self) -> Seen {
        self.log_outputs();
        Seen::Gone
    }

    fn log_outputs(&mut self) {
        let log = line_log(self.pid, self.job);
        self.stdout.read(log);
        self.stderr.read(log);
    }

    /// Ends the lines of a job that is over.
    pub(super) fn end_job(&mut self) {
        let log = line_log(self.pid, self.job.take());
        self.stdout.end_line(log);
        self.stderr.end_line(log);
    }

    /// Kills it and all that it has started.
    pub(super) fn kill(&self) {
        // It fails when none is left. The child is not reaped yet, so nobody else has its number.
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    /// Kills what is left of it, and waits for its end. An end that it came to before stays what it was.
    pub(super) fn reap(mut self) -> Ended {
        self.kill();
        let end = match self.child.wait() {
            Ok(status) => status.into(),
            Err(_) => ProcessEnd::Unknown,
        };
        self.log_outputs();
        self.end_job();
        tracing::debug!(child = %self.pid, "a child of the process lane {end}");
        Ended {
            end,
            last_words: self.stderr.last_line(),
        }
    }

    /// Lets an idle child end by itself, in a moment and unless `hurry`; then [reaps](Self::reap) it.
    pub(super) fn retire(mut self, bell: &Bell, hurry: impl Fn() -> bool) {
        // It sees the end of its input.
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
        let limit = Instant::now() + RETIRE_LIMIT;
        while !hurry() && Instant::now() < limit {
            match self.wait(bell, Some(limit)) {
                Seen::Nothing | Seen::Frame(_) => {}
                Seen::Gone | Seen::Nonsense(_) => break,
            }
        }
        drop(self.reap());
    }
}

/// How a child ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) end: ProcessEnd,
    /// The last line that it wrote to its standard error, backtraces aside.
    pub(super) last_words: Option<String>,
}

/// What a poll found ready.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four descriptors, each ready or not"
)]
struct Ready {
    socket: bool,
    writable: bool,
    rung: bool,
    outputs: bool,
}

fn never_block<P: AsFd>(pipe: Option<P>) -> io::Result<Option<P>> {
    if let Some(pipe) = &pipe {
        ioctl_fionbio(pipe, true)?;
    }
    Ok(pipe)
}

/// The log of a child's lines.
fn line_log(child: Pid, job: Option<u64>) -> impl Fn(Stream, &str) + Copy {
    move |stream, text| line::log(child, job, stream, text)
}
