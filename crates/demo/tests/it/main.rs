//! The reference service as a program: its command line, its endpoints, its exit codes.

mod children;
mod command_line;
mod endpoints;
mod signals;
mod support;
