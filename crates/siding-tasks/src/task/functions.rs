//! [`TaskFunction`] for functions: `async fn` and `fn`, with none to eight arguments.

use serde::de::DeserializeOwned;
use siding_runtime::Kind;

use super::{Call, Declaration, Outcome, TaskContext, TaskFunction, Work, via};

macro_rules! function {
    ($via:ident, [$($context:ident)?], $kind:ident, $($ty:ident),*) => {
        function!(@$kind $via, [$($context)?], $($ty),*);
    };
    (@Async $via:ident, [$($context:ident)?], $($ty:ident),*) => {
        #[diagnostic::do_not_recommend]
        #[expect(clippy::allow_attributes, reason = "only functions with arguments name any")]
        #[allow(non_snake_case, reason = "each argument is named as its type parameter")]
        impl<F, Fut, R, O, $($ty,)*> TaskFunction<(via::$via, O, $($ty,)*)> for F
        where
            F: Fn($($context,)? $($ty,)*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: Outcome<O>,
            $($ty: DeserializeOwned + Send + 'static,)*
        {
            type Args = ($($ty,)*);
            type Output = R::Value;

            fn declaration() -> Declaration {
                Declaration::of(Kind::Async, R::hides_errors())
            }

            fn call(&self, call: Call) -> Work {
                let f = self.clone();
                Work::Async(Box::pin(async move {
                    let ($($ty,)*) = call.read::<Self::Args>()?;
                    f($($context::from(call),)? $($ty,)*).await.end()
                }))
            }
        }
    };
    (@Plain $via:ident, [$($context:ident)?], $($ty:ident),*) => {
        #[diagnostic::do_not_recommend]
        #[expect(clippy::allow_attributes, reason = "only functions with arguments name any")]
        #[allow(non_snake_case, reason = "each argument is named as its type parameter")]
        impl<F, R, O, $($ty,)*> TaskFunction<(via::$via, O, $($ty,)*)> for F
        where
            F: Fn($($context,)? $($ty,)*) -> R + Clone + Send + Sync + 'static,
            R: Outcome<O>,
            $($ty: DeserializeOwned + Send + 'static,)*
        {
            type Args = ($($ty,)*);
            type Output = R::Value;

            fn declaration() -> Declaration {
                Declaration::of(Kind::Plain, R::hides_errors())
            }

            fn call(&self, call: Call) -> Work {
                let f = self.clone();
                Work::Plain(Box::new(move || {
                    let ($($ty,)*) = call.read::<Self::Args>()?;
                    f($($context::from(call),)? $($ty,)*).end()
                }))
            }
        }
    };
}

macro_rules! functions {
    ($($ty:ident),*) => {
        function!(Async, [], Async, $($ty),*);
        function!(AsyncInContext, [TaskContext], Async, $($ty),*);
        function!(Plain, [], Plain, $($ty),*);
        function!(PlainInContext, [TaskContext], Plain, $($ty),*);
    };
}

functions!();
functions!(T1);
functions!(T1, T2);
functions!(T1, T2, T3);
functions!(T1, T2, T3, T4);
functions!(T1, T2, T3, T4, T5);
functions!(T1, T2, T3, T4, T5, T6);
functions!(T1, T2, T3, T4, T5, T6, T7);
functions!(T1, T2, T3, T4, T5, T6, T7, T8);
