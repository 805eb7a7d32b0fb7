//! [`Stack`] and [`Frame`]: a stack with names.

use std::fmt;
use std::path::{Path, PathBuf};

/// Crates whose frames a developer did not write. The first segment of a function's path is looked up here.
const NOT_THE_DEVELOPERS: &[&str] = &[
    "alloc",
    "async_task",
    "axum",
    "axum_core",
    "backtrace",
    "core",
    "futures_core",
    "futures_util",
    "hyper",
    "hyper_util",
    "libc",
    "mio",
    "rayon",
    "rayon_core",
    "rustix",
    "siding",
    "siding_inference",
    "siding_runtime",
    "siding_tasks",
    "std",
    "tokio",
    "tokio_util",
    "tower",
    "tower_http",
    "tower_layer",
    "tower_service",
    "tracing",
];

/// Parts of the paths under which code is compiled that a developer did not write: the standard library's, and
/// that of crates from a registry or a repository.
const NOT_THE_DEVELOPERS_FILES: &[&str] = &[
    "/rustc/",
    "/.cargo/registry/",
    "/.cargo/git/",
    "/rust/deps/",
];

/// A stack of a thread while it was stuck: innermost frame first, with inlined functions as frames of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stack {
    /// The frames.
    pub frames: Vec<Frame>,
}

/// One function of a [`Stack`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// The function's path, without the hash that the compiler adds to it.
    pub function: String,
    /// The source file, where the program carries line tables.
    pub file: Option<PathBuf>,
    /// The line in that file.
    pub line: Option<u32>,
}

impl Stack {
    /// The innermost frame of the developer's own code: what to look at first. Frames of the standard library, of
    /// this framework, and of any crate that was not built from a path of the developer's are passed over.
    #[must_use]
    pub fn user_frame(&self) -> Option<&Frame> {
        self.frames.iter().find(|frame| frame.is_the_developers())
    }
}

impl Frame {
    fn is_the_developers(&self) -> bool {
        if self.file.as_deref().is_some_and(is_foreign) {
            return false;
        }
        // Within the framework's own crates, their tests are what a developer writes.
        let is_test = self.function.contains("::tests::");
        match crate_of(&self.function) {
            Some(name) => is_test || !NOT_THE_DEVELOPERS.contains(&name),
            None => false,
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, " at {}:{line}", file.display()),
            (Some(file), None) => write!(f, " at {}", file.display()),
            (None, _) => Ok(()),
        }
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.frames
            .iter()
            .try_for_each(|frame| writeln!(f, "{frame}"))
    }
}

fn is_foreign(file: &Path) -> bool {
    let file = file.to_string_lossy();
    NOT_THE_DEVELOPERS_FILES
        .iter()
        .any(|part| file.contains(part))
}

/// The crate that a function was written in: the first segment of its path. In `<Type as Trait>::method` the type's
/// crate decides, as an `impl` usually lies beside its type; a bare generic parameter (`<F as Trait>`) has no crate,
/// so there the trait's does. A name without a path, such as a C function's, belongs to no crate.
fn crate_of(function: &str) -> Option<&str> {
    match function.strip_prefix('<') {
        None => first_segment(function),
        Some(implementation) => {
            let (own, rest) = implementation
                .split_once(" as ")
                .unwrap_or((implementation, ""));
            first_segment(own).or_else(|| first_segment(rest))
        }
    }
}

/// The segment before the first `::`, with references and the like in front of it taken away.
fn first_segment(path: &str) -> Option<&str> {
    let (first, _) = path.split_once("::")?;
    let name_starts = first
        .rfind(|c: char| !c.is_alphanumeric() && c != '_')
        .map_or(0, |at| at + 1);
    Some(&first[name_starts..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, file: &str) -> Frame {
        let file = (!file.is_empty()).then(|| file.into());
        Frame {
            function: function.to_owned(),
            file,
            line: None,
        }
    }

    #[track_caller]
    fn check(function: &str, expected: Option<&str>) {
        assert_eq!(crate_of(function), expected, "{function}");
    }

    #[test]
    fn a_function_belongs_to_the_crate_of_its_path() {
        check("shop::orders::create", Some("shop"));
        check("shop::main::{{closure}}", Some("shop"));
        check(
            "<shop::Order as core::future::future::Future>::poll",
            Some("shop"),
        );
        check("<&mut shop::Order as core::fmt::Debug>::fmt", Some("shop"));
        check(
            "<alloc::boxed::Box<F> as core::ops::FnOnce<A>>::call_once",
            Some("alloc"),
        );
        check("<F as axum::handler::Handler<T, S>>::call", Some("axum"));
        check("<T as core::convert::Into<U>>::into", Some("core"));
        check("<shop::Order>::price", Some("shop"));
        check("clock_nanosleep", None);
    }

    #[test]
    fn the_users_frame_is_the_first_of_the_developers_own() {
        let stack = Stack {
            frames: vec![
                frame("clock_nanosleep", ""),
                frame(
                    "std::thread::sleep",
                    "/rustc/0123/library/std/src/thread/mod.rs",
                ),
                frame(
                    "ureq::request",
                    "/root/.cargo/registry/src/index/ureq-3/src/lib.rs",
                ),
                frame(
                    "<shop::Job as core::future::Future>::poll",
                    "/rustc/0123/library/core/src/future.rs",
                ),
                frame(
                    "siding_demo::bad::{{closure}}",
                    "/home/me/siding/crates/demo/src/main.rs",
                ),
                frame(
                    "siding_demo::main",
                    "/home/me/siding/crates/demo/src/main.rs",
                ),
            ],
        };
        let found = stack.user_frame().unwrap();
        assert_eq!(found.function, "siding_demo::bad::{{closure}}");
    }

    #[test]
    fn the_framework_is_not_the_users() {
        let own = "/home/me/siding/crates/siding-runtime/src/guard.rs";
        let stack = Stack {
            frames: vec![frame("siding_runtime::guard::poll", own), frame("main", "")],
        };
        assert_eq!(stack.user_frame(), None);
    }

    #[test]
    fn reads_as_a_line() {
        let frame = Frame {
            function: "shop::orders::create".to_owned(),
            file: Some("src/orders.rs".into()),
            line: Some(12),
        };
        assert_eq!(
            frame.to_string(),
            "shop::orders::create at src/orders.rs:12"
        );
    }
}
