//! One call of a task's function.

use std::sync::Arc;

use super::arguments::{ArgumentReader, ReadArguments};
use super::{Options, TaskContext, TaskError};

/// One call of a task's function: its arguments, unread.
#[derive(Debug)]
#[doc(hidden)]
pub struct Call {
    context: TaskContext,
    options: Arc<Options>,
}

impl Call {
    pub(crate) fn new(context: TaskContext, options: Arc<Options>) -> Self {
        Self { context, options }
    }

    /// Reads the arguments.
    ///
    /// # Errors
    /// When they are not those of the function: a `TypeError` that names the argument.
    pub fn read<A: ReadArguments>(&self) -> Result<A, TaskError> {
        let message = self.context.message();
        let reader = ArgumentReader::new(
            &message.task,
            A::COUNT,
            &message.args,
            &message.kwargs,
            &self.options.arguments,
        )?;
        A::read(reader)
    }
}

impl From<Call> for TaskContext {
    fn from(call: Call) -> Self {
        call.context
    }
}
