//! The functions that children can run, by name.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::FunctionErrorKind;

/// The longest name that a function may have, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 1_024;

type Raw = Box<dyn Fn(&[u8]) -> Result<Vec<u8>, FunctionErrorKind> + Send + Sync>;

/// The functions that children can run, by name.
///
/// Parent and children are the same program, so both register the same: the parent to know what there is, the children to
/// run it.
///
/// ```
/// use siding_runtime::Functions;
///
/// fn sum((from, to): (u64, u64)) -> u64 {
///     (from..to).sum()
/// }
///
/// let mut functions = Functions::new();
/// functions.register("sum", sum);
/// assert_eq!(functions.names().collect::<Vec<_>>(), ["sum"]);
/// ```
#[derive(Default)]
pub struct Functions {
    by_name: BTreeMap<String, Raw>,
}

impl Functions {
    /// No functions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers `f`, whose argument and result travel as JSON. Several arguments are a tuple or a struct.
    ///
    /// # Panics
    /// When the name is taken, empty, or longer than 1024 bytes.
    #[track_caller]
    pub fn register<A, R>(&mut self, name: &str, f: impl Fn(A) -> R + Send + Sync + 'static)
    where
        A: DeserializeOwned,
        R: Serialize,
    {
        self.register_raw(name, move |arguments| {
            let arguments = serde_json::from_slice(arguments)
                .map_err(|error| FunctionErrorKind::Arguments(error.to_string()))?;
            serde_json::to_vec(&f(arguments))
                .map_err(|error| FunctionErrorKind::Result(error.to_string()))
        });
    }

    /// Registers `f`, which decodes its arguments and encodes its result itself.
    ///
    /// # Panics
    /// When the name is taken, empty, or longer than 1024 bytes.
    #[track_caller]
    pub fn register_raw(
        &mut self,
        name: &str,
        f: impl Fn(&[u8]) -> Result<Vec<u8>, FunctionErrorKind> + Send + Sync + 'static,
    ) {
        self.insert(name.to_owned(), Box::new(f));
    }

    /// Adds all of `others`.
    ///
    /// # Panics
    /// When a name is in both.
    #[track_caller]
    pub fn merge(&mut self, others: Self) {
        for (name, f) in others.by_name {
            self.insert(name, f);
        }
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Whether there is one of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Runs the function `name` on the calling thread.
    pub(super) fn run(&self, name: &str, arguments: &[u8]) -> Result<Vec<u8>, FunctionErrorKind> {
        let f = self.by_name.get(name).ok_or(FunctionErrorKind::Unknown)?;
        f(arguments)
    }

    #[track_caller]
    fn insert(&mut self, name: String, f: Raw) {
        assert!(
            (1..=NAME_BYTES_MAX).contains(&name.len()),
            "the name of a function has 1 to {NAME_BYTES_MAX} bytes, and this one {}",
            name.len()
        );
        assert!(
            !self.contains(&name),
            "a function named `{name}` is registered already; choose another name"
        );
        self.by_name.insert(name, f);
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions() -> Functions {
        let mut functions = Functions::new();
        functions.register("double", |n: u32| n * 2);
        functions.register_raw("reverse", |bytes| Ok(bytes.iter().rev().copied().collect()));
        functions
    }

    #[test]
    fn typed_functions_speak_json_and_raw_ones_bytes() {
        assert_eq!(functions().run("double", b"21"), Ok(b"42".to_vec()));
        assert_eq!(functions().run("reverse", b"abc"), Ok(b"cba".to_vec()));
    }

    #[test]
    fn wrong_arguments_and_unknown_names_are_errors() {
        assert_eq!(
            functions().run("triple", b"1"),
            Err(FunctionErrorKind::Unknown)
        );
        let Err(FunctionErrorKind::Arguments(message)) = functions().run("double", b"\"x\"") else {
            panic!("text is no number");
        };
        assert!(message.contains("expected u32"), "{message}");
    }

    #[test]
    #[should_panic(expected = "a function named `double` is registered already")]
    fn a_name_is_taken_once() {
        functions().register("double", |n: u32| n);
    }

    #[test]
    #[should_panic(
        expected = "a function named `double` is registered already; choose another name"
    )]
    fn merging_keeps_names_apart() {
        functions().merge(functions());
    }
}
