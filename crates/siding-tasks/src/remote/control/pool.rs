//! How many tasks run at once.

use super::{Answer, Arguments, Panel, ok};

pub(super) fn grow(panel: &Panel, arguments: &Arguments) -> Answer {
    let more = slots(arguments)?;
    let crew = &panel.crew;
    crew.slots
        .resize(crew.slots.capacity(&crew.tasks).saturating_add(more));
    ok("pool will grow")
}

/// One is left at least.
pub(super) fn shrink(panel: &Panel, arguments: &Arguments) -> Answer {
    let less = slots(arguments)?;
    let crew = &panel.crew;
    crew.slots
        .resize(crew.slots.capacity(&crew.tasks).saturating_sub(less).max(1));
    ok("pool will shrink")
}

fn slots(arguments: &Arguments) -> Result<usize, String> {
    Ok(arguments.optional("n")?.unwrap_or(1))
}
