//! The terminal: samples, keys and signals in, pictures out.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::time::Duration;

use crossterm::event::{Event as Input, EventStream};
use futures_core::Stream as _;
use ratatui::DefaultTerminal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::client::{Client, ClientError, Sample, unix_ms};
use super::input::action;
use super::model::{Model, Next};
use super::view::{Colours, draw};
use crate::explain::explain;

/// What a screen wakes up for.
enum Event {
    Sample(Result<Sample, ClientError>),
    /// A key, a new size of the terminal, or the end of its input.
    Input(Option<io::Result<Input>>),
    /// How long ago something was has changed.
    Tick,
    /// SIGINT or SIGTERM.
    Signal,
}

/// The terminal in raw mode and on its other screen, for as long as this lives. A panic restores it too, before its message.
struct Raw(DefaultTerminal);

impl Raw {
    fn enter() -> io::Result<Self> {
        match ratatui::try_init() {
            Ok(terminal) => Ok(Self(terminal)),
            Err(error) => {
                ratatui::restore();
                Err(error)
            }
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = self.0.show_cursor();
        ratatui::restore();
    }
}

/// Shows what `client` says, asked every `interval`, until the user leaves or a signal ends the program.
pub(super) async fn show(client: &Client, interval: Duration) -> io::Result<()> {
    // Before the terminal changes: from here on a signal ends the loop, which restores it.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut raw = Raw::enter()?;
    let mut inputs = pin!(EventStream::new());
    let (to_model, mut samples) = mpsc::channel(1);
    let mut sampling = pin!(sample_for_ever(client, interval, to_model));
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let mut model = Model::new(client.site().to_string());
    let colours = Colours::of_environment();
    loop {
        let mut scroll = 0;
        raw.0
            .draw(|frame| scroll = draw(&model, unix_ms(), colours, frame))?;
        model.scroll = scroll;
        let event = tokio::select! {
            never = &mut sampling => match never {},
            Some(sample) = samples.recv() => Event::Sample(sample),
            input = poll_fn(|context| inputs.as_mut().poll_next(context)) => Event::Input(input),
            _ = ticks.tick() => Event::Tick,
            _ = interrupt.recv() => Event::Signal,
            _ = terminate.recv() => Event::Signal,
        };
        if handle(event, &mut model)? == Next::Leave {
            return Ok(());
        }
    }
}

fn handle(event: Event, model: &mut Model) -> io::Result<Next> {
    match event {
        Event::Sample(Ok(sample)) => model.sampled(sample),
        Event::Sample(Err(error)) => model.missed(unix_ms(), explain(&error)),
        Event::Input(Some(Ok(Input::Key(key)))) => {
            return Ok(model.act(action(key, model.typing)));
        }
        Event::Input(Some(Err(error))) => return Err(error),
        Event::Input(None) | Event::Signal => return Ok(Next::Leave),
        // The next picture has the new size.
        Event::Input(Some(Ok(_))) | Event::Tick => {}
    }
    Ok(Next::Draw)
}

/// Never has two requests under way: a server that is slow is asked less often.
async fn sample_for_ever(
    client: &Client,
    interval: Duration,
    to_model: mpsc::Sender<Result<Sample, ClientError>>,
) -> Infallible {
    let mut due = tokio::time::interval(interval);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let sample = client.sample().await;
        // The other end lives as long as this future.
        let _ = to_model.send(sample).await;
    }
}
