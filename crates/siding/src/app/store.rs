//! Where tasks are kept.

use std::sync::Arc;

use siding_tasks::{Broker, Embedded, EmbeddedSettings, OpenError};

use super::settings::TaskSettings;

/// Opens the embedded store in the data directory, and makes it where it is missing.
pub(super) fn open(settings: &TaskSettings) -> Result<Arc<dyn Broker>, OpenError> {
    Ok(Arc::new(Embedded::open(
        &settings.data,
        EmbeddedSettings::default(),
    )?))
}

/// Opens the embedded store in the data directory for somebody who wants to see what is in it.
pub(super) fn open_existing(settings: &TaskSettings) -> Result<Arc<dyn Broker>, OpenError> {
    Ok(Arc::new(Embedded::open_existing(
        &settings.data,
        EmbeddedSettings::default(),
    )?))
}
