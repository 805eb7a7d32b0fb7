//! What the end of a task means beside its message.
