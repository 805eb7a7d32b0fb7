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

/// A part of the paths of the standard library's files.
const COMPILER_FILES: &str = "/rustc/";

/// Parts of the paths of files that a developer did not write: those of the standard library, and of crates from a
/// registry or a repository.
const FOREIGN_FILES: &[&str] = &[
    COMPILER_FILES,
    "/.cargo/registry/",
    "/.cargo/git/",
    "/rust/deps/",
];

/// Parts of the paths of the framework's own files, where it is built from its source tree.
const FRAMEWORK_FILES: &[&str] = &[
    "/crates/siding/src/",
    "/crates/siding-runtime/src/",
    "/crates/siding-tasks/src/",
    "/crates/siding-inference/src/",
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
    /// this framework, and of any crate that was not built from a path of the developer's are passed over. So is an
    /// implementation of a library's trait that the library called back, often the work of a derive macro, when there
    /// is a frame that called the library.
    #[must_use]
    pub fn user_frame(&self) -> Option<&Frame> {
        let own = || {
            let frames = self.frames.iter().enumerate();
            frames.filter(|(_, frame)| frame.is_the_developers())
        };
        let called = own().find(|(at, _)| !self.is_callback(*at));
        called.or_else(|| own().next()).map(|(_, frame)| frame)
    }

    /// Whether the frame implements a library's trait, and a library called it.
    fn is_callback(&self, at: usize) -> bool {
        let (frame, outer) = (&self.frames[at], &self.frames[at + 1..]);
        let file = |frame: &&Frame| frame.file.as_deref().is_some_and(is_the_libraries);
        let caller = outer.iter().find(|frame| !frame.is_the_compilers());
        trait_crate(&frame.function).is_some_and(is_a_developers)
            && caller.as_ref().is_some_and(file)
    }
}

impl Frame {
    /// The crate that its function was written in, where its name tells.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        crate_of(&self.function)
    }

    /// The file decides where it is known, and then the crate. A function without a path in its name is C's, or one
    /// that was inlined: then only its file can tell.
    fn is_the_developers(&self) -> bool {
        let named_by = self.crate_name();
        match &self.file {
            Some(file) if is_foreign(file) => false,
            // Within the framework's own crates, their tests are what a developer writes.
            Some(file) if file.components().any(|part| part.as_os_str() == "tests") => true,
            Some(file) if is_the_frameworks(file) => false,
            Some(file) => named_by.map_or_else(|| is_rust(file), is_a_developers),
            None => named_by.is_some_and(is_a_developers),
        }
    }

    /// Whether it comes with the compiler: the standard library's, which may stand between any two.
    fn is_the_compilers(&self) -> bool {
        let file = self.file.as_deref();
        file.is_some_and(|file| contains_any(file, &[COMPILER_FILES]))
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

fn is_a_developers(name: &str) -> bool {
    !NOT_THE_DEVELOPERS.contains(&name)
}

fn is_foreign(file: &Path) -> bool {
    contains_any(file, FOREIGN_FILES)
}

fn is_the_libraries(file: &Path) -> bool {
    is_foreign(file) && !contains_any(file, &[COMPILER_FILES])
}

fn is_the_frameworks(file: &Path) -> bool {
    contains_any(file, FRAMEWORK_FILES)
}

fn contains_any(file: &Path, parts: &[&str]) -> bool {
    let file = file.to_string_lossy();
    parts.iter().any(|part| file.contains(part))
}

fn is_rust(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "rs")
}

/// The crate that a function was written in: the first segment of its path. In `<Type as Trait>::method` the type's
/// crate decides, as an `impl` usually lies beside its type; a bare generic parameter (`<F as Trait>`) has no crate,
/// so there the trait's does. A name without a path belongs to no crate.
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

/// The crate of the trait that a function implements, as in `<Type as Trait>::method` or `module::<impl Trait for Type>::method`.
fn trait_crate(function: &str) -> Option<&str> {
    let (_, of) = function
        .split_once("<impl ")
        .filter(|(_, rest)| rest.contains(" for "))
        .or_else(|| function.strip_prefix('<')?.split_once(" as "))?;
    first_segment(of)
}

/// The segment before the first `::`, without references and the like in front of it. A path that only begins
/// inside of angle brackets is an argument's, not the function's.
fn first_segment(path: &str) -> Option<&str> {
    let (first, _) = path
        .split_once("::")
        .filter(|(first, _)| !first.contains('<'))?;
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
        check("call_once<shop::main::{closure_env#0}, ()>", None);
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
    fn an_implementation_that_a_library_called_is_not_where_to_look_first() {
        let library = "/root/.cargo/registry/src/index/diesel-2/src/query_dsl.rs";
        let own = "/home/me/shop/src/orders.rs";
        let derived = [
            "shop::db::<impl diesel::LoadConnection for shop::db::Connection>::load",
            "<shop::db::Connection as diesel::LoadConnection>::load",
        ];
        for function in derived {
            let mut frames = vec![
                frame("poll", "poll.c"),
                frame(function, own),
                frame(
                    "core::ops::FnOnce::call_once",
                    "/rustc/0123/library/core/src/ops.rs",
                ),
                frame("diesel::RunQueryDsl::load", library),
            ];
            let stack = |frames: &[Frame]| Stack {
                frames: frames.to_vec(),
            };
            // Better than none.
            assert_eq!(stack(&frames).user_frame().unwrap().function, function);
            frames.push(frame("shop::orders::list", own));
            let stack = stack(&frames);
            assert_eq!(stack.user_frame().unwrap().function, "shop::orders::list");
        }
    }

    #[test]
    fn an_implementation_of_a_trait_of_the_frameworks_is() {
        let stack = Stack {
            frames: vec![
                frame(
                    "<shop::Limit as tower_service::Service<R>>::call",
                    "src/limit.rs",
                ),
                frame(
                    "tower::call",
                    "/root/.cargo/registry/src/index/tower-0.5/src/lib.rs",
                ),
                frame("shop::main", "src/main.rs"),
            ],
        };
        let found = stack.user_frame().unwrap();
        assert!(found.function.starts_with("<shop::Limit"), "{found}");
    }

    #[test]
    fn an_inlined_function_without_a_path_is_told_by_its_file() {
        let stack = Stack {
            frames: vec![frame("total", "/home/me/shop/src/orders.rs")],
        };
        assert_eq!(stack.user_frame().unwrap().function, "total");
        let stack = Stack {
            frames: vec![frame("total", ""), frame("memcpy", "../sysdeps/memcpy.c")],
        };
        assert_eq!(stack.user_frame(), None);
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
