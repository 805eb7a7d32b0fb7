//! Load: requests against one server, alone, all at once, or steadily.

mod burst;
mod connection;
mod descriptors;
mod failures;
mod histogram;
mod keep_alive;
mod site;
mod steady;

pub use burst::{Burst, BurstOutcome, open_connections};
pub use connection::{Connection, RequestError, get_once, within};
pub use descriptors::{TooFewDescriptors, ensure_descriptors, raise_descriptor_limit};
pub use failures::Failures;
pub use histogram::Histogram;
pub use keep_alive::KeepAlive;
pub use site::{Site, SiteError};
pub use steady::{Steady, SteadyOutcome};
