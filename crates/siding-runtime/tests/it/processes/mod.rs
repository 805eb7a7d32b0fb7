//! The process lane with real children: this test program is its own child.

mod calls;
mod ends;
mod impostors;
mod limits;
mod log;
mod support;
