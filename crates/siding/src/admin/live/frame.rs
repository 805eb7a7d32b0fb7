//! Events as text.

use bytes::Bytes;
use serde::Serialize;

/// Some events, as the stream has them: `event:`, `data:`, and an empty line.
#[derive(Debug, Default)]
pub(super) struct Frame(Vec<u8>);

impl Frame {
    /// Adds an event. JSON on one line needs no escaping here.
    pub(super) fn event(&mut self, name: &str, data: &impl Serialize) {
        let before = self.0.len();
        self.0.extend_from_slice(b"event: ");
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\ndata: ");
        if let Err(error) = serde_json::to_writer(&mut self.0, data) {
            tracing::error!("failed to write the event {name}: {error}");
            self.0.truncate(before);
            return;
        }
        self.0.extend_from_slice(b"\n\n");
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn finish(self) -> Bytes {
        self.0.into()
    }
}

/// Tells a listener's connection that it is still there; it is a comment, which no listener sees.
pub(super) const PING: Bytes = Bytes::from_static(b": ping\n\n");

/// How soon a browser connects again.
pub(super) const RETRY: Bytes = Bytes::from_static(b"retry: 2000\n\n");
