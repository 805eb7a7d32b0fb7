//! The reference service as a program: its command line, its endpoints, its exit codes.

mod api_docs;
mod blocking;
mod brokers;
mod cache;
mod children;
mod command_line;
mod dashboard;
mod documents;
mod endpoints;
mod external;
mod file;
mod predict;
mod program;
mod proxy;
mod redis_server;
mod signals;
mod stores;
mod support;
mod task_command;
mod task_endpoints;
mod task_list;
mod traces;
mod users;
mod web_server;
mod workers;
