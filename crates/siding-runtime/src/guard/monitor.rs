//! The thread that sees stalls while they last.
//!
//! It wakes every fifth of the stall threshold while polls are in flight, reads each slot's word, and owes a poll that
//! has not changed for long enough a closer look (see [`watch`](super::watch)). It is the only one that releases relief
//! workers. It sleeps while nobody is busy (see [`slot`](super::slot) for how it is woken).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::case::{Case, Suspect};
use super::slot::Slots;
use super::stacks::Stacks;
use super::stalls::StallLog;
use super::watch::{Duty, Looks};
use crate::config::Config;
use crate::event::{Event, Observers};
use crate::placement::{Evidence, Routes};
use crate::priority;
use crate::relief::{Demand, Relief};

/// Ticks without any poll before the monitor goes to sleep.
const LINGER_TICKS: u32 = 20;

/// What the monitor works with.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) slots: Arc<Slots>,
    pub(crate) relief: Arc<Relief>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) observers: Observers,
    pub(crate) stalls: Arc<StallLog>,
}

/// The running monitor; dropping it ends the thread.
#[derive(Debug)]
pub(crate) struct MonitorHandle {
    stop: Arc<AtomicBool>,
    slots: Arc<Slots>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for MonitorHandle {
    fn drop(&mut self) {
        // Release: pairs with the monitor's Acquire; the bell wakes it to see this.
        self.stop.store(true, Ordering::Release);
        self.slots.doorbell().ring();
        if let Some(thread) = self.thread.take() {
            // A panic of the monitor has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

/// Starts the monitor.
///
/// # Errors
/// When the operating system refuses a thread.
pub(crate) fn start(config: &Config, parts: Parts) -> std::io::Result<MonitorHandle> {
    let stop = Arc::new(AtomicBool::new(false));
    let slots = Arc::clone(&parts.slots);
    let monitor = Monitor::new(config, parts, Arc::clone(&stop));
    let thread = thread::Builder::new()
        .name("siding-monitor".to_owned())
        .spawn(move || {
            priority::run_soon();
            monitor.run();
        })?;
    Ok(MonitorHandle {
        stop,
        slots,
        thread: Some(thread),
    })
}

struct Monitor {
    parts: Parts,
    stop: Arc<AtomicBool>,
    looks: Looks,
    tick: Duration,
    suspects: Vec<Suspect>,
    /// The version of the list of slots that `suspects` follows.
    version: u64,
    demand: Demand,
    stacks: Stacks,
}

impl Monitor {
    fn new(config: &Config, parts: Parts, stop: Arc<AtomicBool>) -> Self {
        Self {
            demand: Demand::new(config.event_loop_threads, parts.relief.spare()),
            parts,
            stop,
            looks: Looks {
                threshold: config.stall_threshold,
                conviction: config.placement.conviction_stall,
            },
            tick: (config.stall_threshold / 5)
                .clamp(Duration::from_millis(1), Duration::from_millis(5)),
            suspects: Vec::new(),
            version: 0,
            stacks: Stacks::new(),
        }
    }

    fn run(mut self) {
        let mut quiet_ticks = 0;
        let mut due = Instant::now();
        // Acquire: pairs with the Release in `MonitorHandle::drop`.
        while !self.stop.load(Ordering::Acquire) {
            let now = Instant::now();
            self.forgive_if_late(due, now);
            let active = self.look_around(now);
            self.relieve(now);
            quiet_ticks = if active { 0 } else { quiet_ticks + 1 };
            if quiet_ticks > LINGER_TICKS {
                self.sleep();
                quiet_ticks = 0;
                due = Instant::now();
            } else {
                self.parts.slots.doorbell().doze(self.tick);
                due = now + self.tick;
            }
        }
    }

    fn sleep(&self) {
        let slots = &self.parts.slots;
        slots
            .doorbell()
            .sleep_unless(|| self.stop.load(Ordering::Acquire) || slots.any_busy());
    }

    /// A monitor that wakes late says that the machine stood still, or was too busy to be fair: polls are not blamed.
    fn forgive_if_late(&mut self, due: Instant, now: Instant) {
        let late = now.saturating_duration_since(due);
        if late < self.looks.threshold {
            return;
        }
        self.suspects
            .iter_mut()
            .for_each(|suspect| suspect.watch.forgive(late, now));
        self.parts.observers.emit(&Event::Paused { late });
    }

    /// Sees every slot once. Says whether anybody did anything since the last time.
    fn look_around(&mut self, now: Instant) -> bool {
        self.follow_slots(now);
        let mut suspects = std::mem::take(&mut self.suspects);
        let mut active = false;
        for suspect in &mut suspects {
            let word = suspect.slot.word();
            active |= word != suspect.watch.word() || word.route().is_some();
            match suspect.watch.see(word, now, self.looks) {
                Duty::None => (),
                Duty::Baseline => suspect.read_baseline(),
                Duty::Look => self.look(suspect, now),
                Duty::Over(lasted) => self.close(suspect, lasted),
            }
        }
        self.suspects = suspects;
        active
    }

    fn follow_slots(&mut self, now: Instant) {
        let Some((version, slots)) = self.parts.slots.changed_since(self.version) else {
            return;
        };
        self.version = version;
        // A thread that ends is in no poll, so no case is lost with it.
        self.suspects
            .retain(|suspect| slots.iter().any(|slot| Arc::ptr_eq(slot, &suspect.slot)));
        for slot in &slots {
            if !self
                .suspects
                .iter()
                .any(|suspect| Arc::ptr_eq(slot, &suspect.slot))
            {
                self.suspects.push(Suspect::new(slot, now));
            }
        }
    }

    fn look(&mut self, suspect: &mut Suspect, now: Instant) {
        let (age, verdict) = (suspect.watch.age(now), suspect.judge());
        match &mut suspect.case {
            Some(case) => case.update(age, verdict),
            None => {
                let Some(route) = suspect
                    .watch
                    .word()
                    .route()
                    .and_then(|id| self.parts.routes.get(id))
                else {
                    return;
                };
                self.parts
                    .observers
                    .emit(&Event::StallBegan { route: route.id() });
                suspect.case = Some(Case::open(route, age, verdict));
                self.parts.relief.wake_one();
            }
        }
        if let Some(case) = &mut suspect.case {
            case.pursue(&suspect.slot, &mut self.stacks);
            self.parts.stalls.note(case.evidence(), false);
        }
    }

    fn close(&self, suspect: &mut Suspect, lasted: Duration) {
        let Some(case) = suspect.case.take() else {
            return;
        };
        let evidence = case.close(lasted);
        self.parts.stalls.note(&evidence, true);
        let Evidence { route, verdict, .. } = evidence;
        self.parts.observers.emit(&Event::StallEnded {
            route,
            lasted,
            verdict,
        });
    }

    /// Brings as many relief workers in as workers are stalled.
    fn relieve(&mut self, now: Instant) {
        let stalled = self
            .suspects
            .iter()
            .filter(|suspect| suspect.case.is_some())
            .count();
        if let Some(active) = self.demand.update(stalled, now) {
            self.parts.relief.set_active(active);
            self.parts.observers.emit(&Event::Relief { active });
            if self.demand.is_exhausted() {
                self.parts
                    .observers
                    .emit(&Event::ReliefExhausted { stalled });
            }
        } else {
            self.parts.relief.follow();
        }
    }
}
