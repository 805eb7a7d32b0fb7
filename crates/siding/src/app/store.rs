//! Where tasks are kept.

use std::sync::Arc;

use siding_tasks::{Broker, Embedded, EmbeddedSettings, OpenError};

use super::settings::TaskSettings;

/// Opens the embedded store in the data directory.
pub(super) fn open(settings: &TaskSettings) -> Result<Arc<dyn Broker>, OpenError> {
    Ok(Arc::new(Embedded::open(
        &settings.data,
        EmbeddedSettings::default(),
    )?))
}
