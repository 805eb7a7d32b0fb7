//! Arguments as tuples and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::TaskError;
use crate::message::RawJson;

/// The arguments of a call as they are sent: a tuple of up to eight values that serde can write.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of arguments",
    label = "not a tuple of up to eight values that implement `Serialize`",
    note = "one argument is written `(value,)`, none `()`"
)]
pub trait WriteArguments {
    /// Each as JSON.
    ///
    /// # Errors
    /// With the place of the first that has no form in JSON, from 0, and why.
    fn write(self) -> Result<Vec<RawJson>, (usize, serde_json::Error)>;
}

/// The arguments of a call as a task takes them.
#[doc(hidden)]
pub trait ReadArguments: Sized {
    /// How many there are.
    const COUNT: usize;

    fn read(reader: ArgumentReader<'_>) -> Result<Self, TaskError>;
}

/// What can stand for the arguments `A`: they themselves, or the only one of them without its tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not the arguments of this task",
    label = "the task takes `{A}`",
    note = "several arguments are a tuple of the very types that the function has: `task.delay((1, \"x\".to_owned()))`"
)]
pub trait IntoArguments<A> {
    /// The arguments.
    fn into_arguments(self) -> A;
}

impl<T> IntoArguments<(T,)> for T {
    fn into_arguments(self) -> (T,) {
        (self,)
    }
}

impl IntoArguments<Self> for () {
    fn into_arguments(self) -> Self {
        self
    }
}

/// Reads arguments one after the other.
#[derive(Debug)]
#[doc(hidden)]
pub struct ArgumentReader<'a> {
    args: &'a [RawJson],
    kwargs: &'a BTreeMap<String, RawJson>,
    names: &'a [String],
    next: usize,
}

impl<'a> ArgumentReader<'a> {
    /// A reader of these, for a task of `count` arguments.
    ///
    /// # Errors
    /// When there are too many, or they do not fit the names; worded as Python does.
    pub(crate) fn new(
        task: &str,
        count: usize,
        args: &'a [RawJson],
        kwargs: &'a BTreeMap<String, RawJson>,
        names: &'a [String],
    ) -> Result<Self, TaskError> {
        if args.len() > count {
            return Err(type_error(format!(
                "{task}() takes {count} positional arguments but {} were given",
                args.len()
            )));
        }
        for name in kwargs.keys() {
            match names.iter().position(|known| known == name) {
                Some(place) if place < args.len() => {
                    return Err(type_error(format!(
                        "{task}() got multiple values for argument {name:?}"
                    )));
                }
                Some(_) => {}
                None if names.is_empty() => {
                    return Err(type_error(format!(
                        "{task}() got the keyword argument {name:?}, but its arguments have no names; give them some \
                         with `.arguments([…])` where it is registered"
                    )));
                }
                None => {
                    return Err(type_error(format!(
                        "{task}() got an unexpected keyword argument {name:?}; it knows {}",
                        names.join(", ")
                    )));
                }
            }
        }
        Ok(Self {
            args,
            kwargs,
            names,
            next: 0,
        })
    }

    /// The next one. A missing one is read as `null`, so that an `Option` may be left out.
    fn next<T: DeserializeOwned>(&mut self) -> Result<T, TaskError> {
        let place = self.next;
        self.next += 1;
        let name = self.names.get(place);
        let given = self.args.get(place).or_else(|| self.kwargs.get(name?));
        let label = match name {
            Some(name) => format!("argument {name:?}"),
            None => format!("argument {}", place + 1),
        };
        match given {
            Some(value) => value.read().map_err(|error| {
                let expected = std::any::type_name::<T>();
                type_error(format!("{label} is no {expected}: {error}"))
            }),
            None => RawJson::null()
                .read()
                .map_err(|_| type_error(format!("{label} is missing"))),
        }
    }
}

fn type_error(message: String) -> TaskError {
    TaskError::of("builtins", "TypeError", message)
}

macro_rules! arguments {
    ($count:literal $(, $ty:ident $index:tt)*) => {
        impl<$($ty: Serialize,)*> WriteArguments for ($($ty,)*) {
            fn write(self) -> Result<Vec<RawJson>, (usize, serde_json::Error)> {
                Ok(vec![$(RawJson::of(&self.$index).map_err(|error| ($index, error))?,)*])
            }
        }

        impl<$($ty: DeserializeOwned,)*> ReadArguments for ($($ty,)*) {
            const COUNT: usize = $count;

            #[expect(clippy::allow_attributes, reason = "only `()` reads nothing")]
            #[allow(unused_mut, unused_variables, reason = "`()` reads nothing")]
            fn read(mut reader: ArgumentReader<'_>) -> Result<Self, TaskError> {
                Ok(($(reader.next::<$ty>()?,)*))
            }
        }
    };
}

/// Several arguments are their own tuple.
macro_rules! whole {
    ($($ty:ident),+) => {
        impl<$($ty,)+> IntoArguments<Self> for ($($ty,)+) {
            fn into_arguments(self) -> Self {
                self
            }
        }
    };
}

arguments!(0);
arguments!(1, T1 0);
arguments!(2, T1 0, T2 1);
arguments!(3, T1 0, T2 1, T3 2);
arguments!(4, T1 0, T2 1, T3 2, T4 3);
arguments!(5, T1 0, T2 1, T3 2, T4 3, T5 4);
arguments!(6, T1 0, T2 1, T3 2, T4 3, T5 4, T6 5);
arguments!(7, T1 0, T2 1, T3 2, T4 3, T5 4, T6 5, T7 6);
arguments!(8, T1 0, T2 1, T3 2, T4 3, T5 4, T6 5, T7 6, T8 7);

whole!(T1);
whole!(T1, T2);
whole!(T1, T2, T3);
whole!(T1, T2, T3, T4);
whole!(T1, T2, T3, T4, T5);
whole!(T1, T2, T3, T4, T5, T6);
whole!(T1, T2, T3, T4, T5, T6, T7);
whole!(T1, T2, T3, T4, T5, T6, T7, T8);
