//! The reference service as a program: its command line, its endpoints, its exit codes.

mod brokers;
mod children;
mod command_line;
mod endpoints;
mod program;
mod proxy;
mod signals;
mod stores;
mod support;
mod task_command;
mod task_endpoints;
mod task_list;
mod users;
mod workers;
