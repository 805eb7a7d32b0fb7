//! Every interleaving of a few threads and a few jobs, with the real [`Muster`].
//!
//! A state is the muster, the queue and where each thread is. All that one thread does under the lock is one step; what it
//! does once the lock is free, waking or starting another, is a step of its own that may come late. From each state, every
//! step that is possible is tried; states seen before are not walked through again.
//!
//! Jobs never end by themselves unless the model decides so: whenever nothing else can happen any more, each job that
//! waits must do so because every thread is busy and no more are allowed.

use std::collections::HashSet;

use super::muster::{Muster, Overslept, Rest, Role, Summons};

type Thread = usize;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    muster: Muster<Thread>,
    threads: Vec<(Place, Role)>,
    /// What was decided under the lock and has not been done yet.
    errands: Vec<Summons<Thread>>,
    keeper_called: bool,
    to_submit: u32,
    waiting: u32,
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Starting,
    /// About to take the lock, to look for work.
    Looking,
    Running,
    Asleep {
        woken: bool,
        may_leave: bool,
    },
    Gone,
}

/// One thing that may happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Submit,
    Errand(usize),
    Keeper,
    Thread(Thread),
    JobEnds(Thread),
    PatienceEnds(Thread),
}

impl World {
    fn new(threads_min: usize, threads_max: usize, jobs: u32) -> Self {
        Self {
            muster: Muster::new(threads_min, threads_max),
            threads: Vec::new(),
            errands: Vec::new(),
            keeper_called: false,
            to_submit: jobs,
            waiting: 0,
        }
    }

    /// What can happen. Steps that nobody may rely on come last: jobs that end, patience that ends.
    fn steps(&self) -> (Vec<Step>, Vec<Step>) {
        let mut steps: Vec<Step> = (0..self.errands.len()).map(Step::Errand).collect();
        let mut unreliable = Vec::new();
        if self.to_submit > 0 {
            steps.push(Step::Submit);
        }
        if self.keeper_called && !(self.waiting > 0 && self.muster.is_starting()) {
            steps.push(Step::Keeper);
        }
        for (thread, (place, _)) in self.threads.iter().enumerate() {
            match place {
                Place::Starting | Place::Looking | Place::Asleep { woken: true, .. } => {
                    steps.push(Step::Thread(thread));
                }
                Place::Running => unreliable.push(Step::JobEnds(thread)),
                Place::Asleep {
                    may_leave: true, ..
                } => {
                    unreliable.push(Step::PatienceEnds(thread));
                }
                Place::Asleep { .. } | Place::Gone => {}
            }
        }
        (steps, unreliable)
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Submit => {
                self.to_submit -= 1;
                self.waiting += 1;
                let summons = self.muster.summon();
                self.run_errand_later(summons);
            }
            Step::Errand(index) => match self.errands.remove(index) {
                Summons::Nobody => {}
                Summons::Wake(thread) => self.wake(thread),
                Summons::Start => self.threads.push((Place::Starting, Role::Searcher)),
                Summons::Grow => self.keeper_called = true,
            },
            Step::Keeper => self.keep(),
            Step::Thread(thread) => self.advance(thread),
            Step::JobEnds(thread) => self.threads[thread].0 = Place::Looking,
            Step::PatienceEnds(thread) => self.overslept(thread),
        }
    }

    fn run_errand_later(&mut self, summons: Summons<Thread>) {
        if summons != Summons::Nobody {
            self.errands.push(summons);
        }
    }

    fn wake(&mut self, thread: Thread) {
        match &mut self.threads[thread].0 {
            Place::Asleep { woken, .. } => *woken = true,
            place => panic!("woke a thread that is {place:?}"),
        }
    }

    fn keep(&mut self) {
        self.keeper_called = self.waiting > 0 && self.muster.could_gain() > 0;
        if self.keeper_called {
            self.muster.start(1);
            self.threads.push((Place::Starting, Role::Runner));
        }
    }

    fn advance(&mut self, thread: Thread) {
        let (place, mut role) = self.threads[thread];
        if place == Place::Starting {
            self.muster.started();
        }
        let place = if self.waiting > 0 {
            self.waiting -= 1;
            let summons = self.muster.took_work(&mut role, self.waiting > 0);
            self.run_errand_later(summons);
            Place::Running
        } else {
            match self.muster.rest(&mut role, thread) {
                Rest::Search => Place::Looking,
                rest => Place::Asleep {
                    woken: false,
                    may_leave: rest == Rest::SleepForAWhile,
                },
            }
        };
        self.threads[thread] = (place, role);
    }

    fn overslept(&mut self, thread: Thread) {
        match self.muster.overslept(&thread) {
            Overslept::Leave => self.threads[thread].0 = Place::Gone,
            Overslept::Stay | Overslept::Summoned => {
                if let Place::Asleep { may_leave, .. } = &mut self.threads[thread].0 {
                    *may_leave = false;
                }
            }
        }
    }

    /// Nothing will happen any more unless a job ends: then nobody may wait in vain.
    fn check_at_rest(&self, threads_max: usize) {
        let running = |(place, _): &&(Place, Role)| *place == Place::Running;
        let running = self.threads.iter().filter(running).count();
        assert!(
            self.waiting == 0 || running == threads_max,
            "a job waits in vain: {self:#?}"
        );
    }

    /// At most one thread is on its way to the queue on everybody's behalf.
    fn check_searchers(&self) {
        let searches = |(place, role): &&(Place, Role)| {
            let awake = matches!(
                place,
                Place::Starting | Place::Looking | Place::Asleep { woken: true, .. }
            );
            awake && *role == Role::Searcher
        };
        let searchers = self.threads.iter().filter(searches).count();
        assert!(searchers <= 1, "{searchers} threads search: {self:#?}");
    }
}

/// Walks through all states; returns their number.
fn explore(threads_min: usize, threads_max: usize, jobs: u32) -> usize {
    let first = World::new(threads_min, threads_max, jobs);
    let mut seen = HashSet::from([first.clone()]);
    let mut pending = vec![first];
    while let Some(world) = pending.pop() {
        world.check_searchers();
        let (steps, unreliable) = world.steps();
        if steps.is_empty() {
            world.check_at_rest(threads_max);
        }
        for step in steps.into_iter().chain(unreliable) {
            let mut next = world.clone();
            next.take(step);
            if seen.insert(next.clone()) {
                pending.push(next);
            }
        }
    }
    seen.len()
}

#[test]
fn no_interleaving_loses_a_wake_up() {
    let mut states = 0;
    for threads_min in 1..=2 {
        for threads_max in threads_min..=3 {
            for jobs in 1..=5 {
                states += explore(threads_min, threads_max, jobs);
            }
        }
    }
    assert!(
        states > 10_000,
        "{states} states are too few to mean anything"
    );
}
