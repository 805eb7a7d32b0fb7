//! The numbers of arguments that a handler can have.

/// Expands a macro for two to sixteen arguments: those before the last, and the last.
macro_rules! several_arguments {
    ($macro:ident) => {
        $macro!([T1], T2);
        $macro!([T1, T2], T3);
        $macro!([T1, T2, T3], T4);
        $macro!([T1, T2, T3, T4], T5);
        $macro!([T1, T2, T3, T4, T5], T6);
        $macro!([T1, T2, T3, T4, T5, T6], T7);
        $macro!([T1, T2, T3, T4, T5, T6, T7], T8);
        $macro!([T1, T2, T3, T4, T5, T6, T7, T8], T9);
        $macro!([T1, T2, T3, T4, T5, T6, T7, T8, T9], T10);
        $macro!([T1, T2, T3, T4, T5, T6, T7, T8, T9, T10], T11);
        $macro!([T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11], T12);
        $macro!([T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12], T13);
        $macro!(
            [T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13],
            T14
        );
        $macro!(
            [T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14],
            T15
        );
        $macro!(
            [
                T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15
            ],
            T16
        );
    };
}

pub(crate) use several_arguments;
