//! What others may ask of a worker.

use std::str::FromStr;

use super::control;

/// What others may ask of a worker through the broker: Celery's remote control, as `celery inspect` and `celery control` have
/// it.
///
/// Whoever can write to the broker can send tasks, and with remote control see what runs, revoke it and stop workers. Answers
/// hold arguments of tasks, never secrets of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteControl {
    /// Nothing: it listens to nobody.
    Off,
    /// All that it can.
    All,
    /// These, by Celery's names, such as `ping`; the rest is answered with an error.
    Only(Vec<String>),
}

impl RemoteControl {
    /// Only these, by Celery's names, such as `ping`; for a text that somebody wrote use [`parse`](str::parse).
    ///
    /// # Panics
    /// When one of them is none of the [methods](Self::methods).
    pub fn only<M: Into<String>>(methods: impl IntoIterator<Item = M>) -> Self {
        let methods: Vec<String> = methods.into_iter().map(Into::into).collect();
        match methods.iter().find(|method| !is_method(method)) {
            Some(unknown) => panic!("{}", UnknownMethod(unknown.clone())),
            None => Self::Only(methods),
        }
    }

    /// What a worker can be asked, by Celery's names.
    pub fn methods() -> impl Iterator<Item = &'static str> {
        control::methods()
    }

    pub(super) fn allows(&self, method: &str) -> bool {
        match self {
            Self::Off => false,
            Self::All => true,
            Self::Only(methods) => methods.iter().any(|allowed| allowed == method),
        }
    }
}

/// `all`, `off`, or methods with commas between them, such as `ping,stats`.
impl FromStr for RemoteControl {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        match text.trim() {
            "all" => Ok(Self::All),
            "off" => Ok(Self::Off),
            text => {
                let methods = text.split(',').map(str::trim);
                let methods = methods.map(|method| match is_method(method) {
                    true => Ok(method.to_owned()),
                    false => Err(UnknownMethod(method.to_owned())),
                });
                methods.collect::<Result<_, _>>().map(Self::Only)
            }
        }
    }
}

fn is_method(name: &str) -> bool {
    control::methods().any(|method| method == name)
}

/// A worker has no such method of remote control.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no method {0:?}; write all, off, or with commas between them some of: {known}",
    known = control::methods().collect::<Vec<_>>().join(", ")
)]
pub struct UnknownMethod(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_or_refused() {
        assert_eq!("all".parse(), Ok(RemoteControl::All));
        assert_eq!("off".parse(), Ok(RemoteControl::Off));
        let some = RemoteControl::only(["ping", "stats"]);
        assert_eq!(" ping, stats".parse(), Ok(some));
        for (text, wrong) in [
            ("ping,stat", "\"stat\""),
            ("ping,,stats", "\"\""),
            ("", "\"\""),
            ("All", "\"All\""),
        ] {
            let error = text.parse::<RemoteControl>().unwrap_err().to_string();
            assert!(error.contains(&format!("no method {wrong}")), "{error}");
            assert!(error.contains("write all, off"), "{error}");
            assert!(error.contains("ping, pool_grow"), "{error}");
        }
    }

    #[test]
    #[should_panic(expected = "there is no method \"pnig\"")]
    fn a_name_that_a_program_gets_wrong_is_a_panic() {
        let _ = RemoteControl::only(["pnig"]);
    }
}
