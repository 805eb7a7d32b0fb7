//! The thread that keeps one child: starts it, gives it jobs, and ends it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bell::Bell;
use super::core::{Calling, Core, Order, Turn};
use super::error::{FunctionError, ProcessEnd};
use super::fate::{Fate, Interrupt};
use super::process::{Process, Seen, State};
use super::program;
use super::wire::{self, Frame};
use crate::lane::admission::{Waiter, Waiting};
use crate::lane::job::{OnLeave, panic_message};

/// A child whose `main` takes longer to reach `serve_child` is given up.
const START_LIMIT: Duration = Duration::from_secs(30);

/// The thread that keeps one child.
pub(super) struct Keeper {
    core: Arc<Core>,
    number: usize,
    bell: Arc<Bell>,
    on_leave: OnLeave,
    process: Option<Process>,
    /// Killed, and to be reaped once its job is answered: the kernel may take its time.
    dying: Option<Process>,
}

/// A job under way.
struct Attempt {
    work: Arc<Calling>,
    number: u64,
    deadline: Option<Instant>,
}

impl Keeper {
    pub(super) fn new(core: Arc<Core>, number: usize, bell: Arc<Bell>) -> Self {
        let rope = Arc::clone(&bell);
        Self {
            core,
            number,
            bell,
            on_leave: Arc::new(move || rope.ring()),
            process: None,
            dying: None,
        }
    }

    /// Keeps the child until the lane is shut down.
    pub(super) fn run(mut self) {
        loop {
            match self.core.take(self.number) {
                Turn::Job(job) => self.serve(job),
                Turn::Rest => self.rest(),
                Turn::End => break,
            }
        }
    }

    fn serve(&mut self, waiting: Waiting<Arc<Calling>>) {
        let Waiting {
            work,
            context,
            since,
        } = waiting;
        let began = Instant::now();
        let number = self.core.next_job();
        let fate = match work.start(Some(Arc::clone(&self.on_leave))) {
            Some(order) => {
                let attempt = Attempt {
                    work: Arc::clone(&work),
                    number,
                    deadline: context.deadline,
                };
                self.attempt_guarded(&attempt, order)
            }
            None => Fate::Unrun(Interrupt::Left),
        };
        let replace = matches!(fate, Fate::Killed(_) | Fate::Crashed(_));
        fate.tell(&self.core, &work, number, context, (since, began));
        if let Some(dying) = self.dying.take() {
            drop(dying.reap());
        }
        if replace {
            self.replace();
        }
        self.retire_if_worn();
    }

    /// The log is other people's code; whatever it does, a job gets an answer.
    fn attempt_guarded(&mut self, job: &Attempt, order: Order) -> Fate {
        let attempt = AssertUnwindSafe(|| self.attempt(job, order));
        catch_unwind(attempt).unwrap_or_else(|panic| {
            self.kill();
            Fate::NotStarted(format!("its keeper panicked: {}", panic_message(&*panic)))
        })
    }

    /// Runs a job in the child, to whatever end.
    fn attempt(&mut self, job: &Attempt, order: Order) -> Fate {
        if let Err(fate) = self.make_ready(job) {
            return fate;
        }
        let Some(process) = &mut self.process else {
            return Fate::NotStarted("it is gone again".to_owned());
        };
        process.job = Some(job.number);
        let Order {
            name,
            arguments,
            passage,
        } = order;
        let run = passage.run();
        let _run = run.enter();
        process.send(wire::call(job.number, &name, &arguments));
        drop(arguments);
        loop {
            match process.wait(&self.bell, job.deadline) {
                Seen::Nothing => {
                    if let Some(interrupt) = job.interrupted(&self.core) {
                        self.kill();
                        return Fate::Killed(interrupt);
                    }
                }
                Seen::Frame(frame) => match outcome(job.number, &name, frame) {
                    Some(fate) => {
                        process.end_job();
                        process.served += 1;
                        return fate;
                    }
                    None => return self.nonsense("it answered what nobody had asked".to_owned()),
                },
                Seen::Gone => return self.crashed(),
                Seen::Nonsense(nonsense) => return self.nonsense(nonsense.to_string()),
            }
        }
    }

    /// Sees to it that there is a child that takes calls. The one that is there may have ended while it was idle, which is
    /// no job's fault.
    fn make_ready(&mut self, job: &Attempt) -> Result<(), Fate> {
        loop {
            let Some(process) = &mut self.process else {
                let started = Process::start(&self.core.program, &self.core.config);
                let started = started.map_err(|error| Fate::NotStarted(error.to_string()))?;
                self.process = Some(started);
                continue;
            };
            let (began, until) = match process.state {
                State::Ready => (None, Some(Instant::now())),
                State::Starting(began) => {
                    let limit = began + START_LIMIT;
                    let until = job.deadline.map_or(limit, |deadline| deadline.min(limit));
                    (Some(began), Some(until))
                }
            };
            match (process.wait(&self.bell, until), began) {
                (Seen::Nothing, None) => return Ok(()),
                (Seen::Nothing, Some(began)) => self.keep_waiting(job, began)?,
                (Seen::Frame(frame), Some(_)) => self.greet(frame).map_err(Fate::NotStarted)?,
                (Seen::Gone, Some(_)) => return Err(self.stillborn(None)),
                (Seen::Nonsense(nonsense), Some(_)) => {
                    return Err(self.stillborn(Some(nonsense.to_string())));
                }
                (Seen::Gone | Seen::Frame(_) | Seen::Nonsense(_), None) => self.bury(),
            }
        }
    }

    /// Whether a job still waits for a child that is not ready.
    fn keep_waiting(&mut self, job: &Attempt, began: Instant) -> Result<(), Fate> {
        if let Some(interrupt) = job.interrupted(&self.core) {
            return Err(Fate::Unrun(interrupt));
        }
        if began.elapsed() < START_LIMIT {
            return Ok(());
        }
        let reason = format!(
            "it was not ready within {START_LIMIT:?}; `main` must reach `App::run`, or `serve_child`, sooner"
        );
        Err(self.stillborn(Some(reason)))
    }

    /// Takes a new child's hello.
    fn greet(&mut self, frame: Frame) -> Result<(), String> {
        let reason = match (frame, program::fingerprint()) {
            (Frame::Hello { program }, Ok(own)) if program == own => {
                if let Some(process) = &mut self.process {
                    process.state = State::Ready;
                }
                return Ok(());
            }
            (Frame::Hello { program }, Ok(own)) => format!(
                "it is another program ({program}) than this one ({own}); was the file replaced? start the application anew"
            ),
            (_, Err(error)) => format!("this program's own file cannot be read: {error}"),
            (_, Ok(_)) => "it did not say hello first".to_owned(),
        };
        self.kill();
        Err(reason)
    }

    /// A child ended, or must end, before it was ready.
    fn stillborn(&mut self, reason: Option<String>) -> Fate {
        let ended = self.process.take().map(Process::reap);
        let reason = match (reason, ended) {
            (Some(reason), _) => reason,
            (None, Some(ended)) => match ended.last_words {
                Some(words) => format!("it {} before it was ready: {words}", ended.end),
                None => format!("it {} before it was ready", ended.end),
            },
            (None, None) => "it is gone".to_owned(),
        };
        Fate::NotStarted(reason)
    }

    fn crashed(&mut self) -> Fate {
        match self.process.take() {
            Some(process) => Fate::Crashed(process.reap()),
            None => Fate::NotStarted("it is gone".to_owned()),
        }
    }

    fn nonsense(&mut self, what: String) -> Fate {
        match self.crashed() {
            Fate::Crashed(mut ended) => {
                ended.end = ProcessEnd::Nonsense(what);
                Fate::Crashed(ended)
            }
            fate => fate,
        }
    }

    fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
            self.dying = Some(process);
        }
    }

    /// Waits for the bell, and looks after the child meanwhile.
    fn rest(&mut self) {
        let Some(process) = &mut self.process else {
            self.bell.wait();
            return;
        };
        let starting = process.state != State::Ready;
        match process.wait(&self.bell, None) {
            Seen::Nothing => {}
            Seen::Frame(frame) if starting => {
                if let Err(reason) = self.greet(frame) {
                    tracing::warn!("a child of the process lane is of no use: {reason}");
                    self.bury();
                }
            }
            Seen::Frame(_) | Seen::Gone | Seen::Nonsense(_) => {
                // One that has never run a job would go on like that; the next job finds out why.
                let replace = process.served > 0;
                self.bury();
                if replace {
                    self.replace();
                }
            }
        }
    }

    /// Reaps a child that ended, or must end, without a job.
    fn bury(&mut self) {
        if let Some(process) = self.process.take().or_else(|| self.dying.take()) {
            let ended = process.reap();
            tracing::warn!("an idle child of the process lane {}", ended.end);
        }
    }

    /// Starts the next child before it is needed.
    fn replace(&mut self) {
        if self.core.is_stopping() {
            return;
        }
        match Process::start(&self.core.program, &self.core.config) {
            Ok(process) => self.process = Some(process),
            Err(error) => {
                tracing::warn!(%error, "failed to start another child of the process lane");
            }
        }
    }

    /// Ends a child that has run as many jobs as it may, and starts the next.
    fn retire_if_worn(&mut self) {
        let Some(jobs_max) = self.core.config.jobs_per_child_max else {
            return;
        };
        if let Some(process) = self.process.take_if(|process| process.served >= jobs_max) {
            process.retire(&self.bell, || self.core.is_killing());
            self.replace();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.retire(&self.bell, || self.core.is_killing());
        }
        self.core.left();
    }
}

impl Attempt {
    /// Why the job should not go on, if so.
    fn interrupted(&self, core: &Core) -> Option<Interrupt> {
        if core.is_killing() {
            Some(Interrupt::ShutDown)
        } else if self.work.abandoned() {
            Some(Interrupt::Left)
        } else if self.deadline.is_some_and(|at| at <= Instant::now()) {
            Some(Interrupt::Deadline)
        } else {
            None
        }
    }
}

/// What a frame says of the job, if it is an answer to it.
fn outcome(job: u64, name: &str, frame: Frame) -> Option<Fate> {
    match frame {
        Frame::Returned { job: of, result } if of == job => Some(Fate::Answered(Ok(result))),
        Frame::Failed { job: of, kind } if of == job => {
            Some(Fate::Answered(Err(FunctionError::new(name, kind))))
        }
        Frame::Panicked { job: of, message } if of == job => Some(Fate::Panicked(message)),
        _ => None,
    }
}
