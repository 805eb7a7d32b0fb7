//! [ONNX Runtime](https://onnxruntime.ai), a library of the system: on the CPU, and on NVIDIA's GPUs by CUDA.
//!
//! The program does not link it. It is looked for when the first model wants it, so that a machine without it serves the models of other
//! runtimes, and says of this one's what is missing.

mod library;
mod values;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use ort::ep;
use ort::session::builder::SessionBuilder;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, ValueType};

use super::{Device, Lane, LoadError, LoadOptions, Model, RunError, Runtime};
use crate::protocol::{Tensor, TensorMetadata};

/// Runs models with ONNX Runtime 1.17 or later.
///
/// A process has one such library: the first that is loaded serves for all that come after it, whatever they name.
#[derive(Clone, Debug, Default)]
pub struct OnnxRuntime {
    /// The library's file. Unless it is named, the environment variable `ORT_DYLIB_PATH` names it, or else it has its usual name and
    /// is where the system looks for libraries.
    pub library: Option<PathBuf>,
}

impl Runtime for OnnxRuntime {
    fn name(&self) -> &'static str {
        "onnxruntime"
    }

    fn load(&self, file: &Path, options: LoadOptions) -> Result<Arc<dyn Model>, LoadError> {
        let environment = library::environment(self.library.as_deref())?;
        // Weights are in memory once for each: ONNX Runtime's sessions are not to be run by several threads at the same time.
        let sessions = (0..options.instances).map(|_| {
            let builder = Session::builder(&environment).map_err(told)?;
            builder_for(builder, options)?
                .commit_from_file(file)
                .map_err(told)
        });
        let sessions = sessions.collect::<Result<Vec<_>, _>>()?;
        let first = sessions
            .first()
            .ok_or_else(|| LoadError("a model needs an instance at least".to_owned()))?;
        let inputs = first.inputs().iter().map(metadata);
        let outputs = first.outputs().iter().map(metadata);
        Ok(Arc::new(Loaded {
            inputs: inputs.collect::<Result<_, _>>()?,
            outputs: outputs.collect::<Result<_, _>>()?,
            sessions: sessions.into_iter().map(Mutex::new).collect(),
            lane: match options.device {
                Device::Cpu => Lane::Compute,
                Device::Cuda(_) => Lane::Threads,
            },
        }))
    }
}

fn builder_for(builder: SessionBuilder, options: LoadOptions) -> Result<SessionBuilder, LoadError> {
    let builder = builder.with_intra_threads(options.threads).map_err(told)?;
    // Threads that spin between runs would take the cores of the event loop.
    let builder = builder.with_intra_op_spinning(false).map_err(told)?;
    match options.device {
        Device::Cpu => Ok(builder),
        Device::Cuda(number) => {
            let cuda = ep::CUDA::default().with_device_id(i32::from(number));
            // What fails here would otherwise be run on the CPU, and nobody told.
            let provider = [cuda.build().error_on_failure()];
            builder
                .with_execution_providers(provider)
                .map_err(|error| no_cuda(number, error))
        }
    }
}

fn no_cuda(number: u16, error: impl fmt::Display) -> LoadError {
    let error = error.to_string();
    let error = error.trim_end_matches('.');
    LoadError(format!(
        "ONNX Runtime does not run on `cuda:{number}`: {error}; it takes a build of it for CUDA, CUDA and cuDNN of the versions that this \
         build wants, and a GPU with this number; `device = \"cpu\"` takes none of them"
    ))
}

fn told(error: impl fmt::Display) -> LoadError {
    LoadError(error.to_string())
}

fn metadata(outlet: &Outlet) -> Result<TensorMetadata, LoadError> {
    let (name, dtype) = (outlet.name(), outlet.dtype());
    let no_form = || {
        LoadError(format!(
            "`{name}` is a {dtype}, which the protocol has no form for"
        ))
    };
    let ValueType::Tensor { ty, shape, .. } = dtype else {
        return Err(no_form());
    };
    Ok(TensorMetadata {
        name: name.to_owned(),
        datatype: values::datatype(*ty).ok_or_else(no_form)?,
        shape: shape.to_vec(),
    })
}

struct Loaded {
    /// As many as run at the same time; whoever runs takes the first that is free, whose weights are the likeliest in the cache.
    sessions: Vec<Mutex<Session>>,
    inputs: Vec<TensorMetadata>,
    outputs: Vec<TensorMetadata>,
    lane: Lane,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .field("lane", &self.lane)
            .finish_non_exhaustive()
    }
}

impl Loaded {
    /// A session that is free, or the first once it is.
    fn session(&self) -> MutexGuard<'_, Session> {
        // Between runs a session has no state, and so one whose run panicked is as good as any.
        let free = self
            .sessions
            .iter()
            .find_map(|session| match session.try_lock() {
                Ok(session) => Some(session),
                Err(TryLockError::Poisoned(session)) => Some(session.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            });
        free.unwrap_or_else(|| {
            self.sessions[0]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        })
    }

    fn run_in(&self, session: &mut Session, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        let named = self.inputs.iter().zip(inputs).map(|(input, tensor)| {
            let value = values::value(tensor)?;
            Ok((input.name.as_str(), SessionInputValue::from(value)))
        });
        let values = named.collect::<Result<Vec<_>, RunError>>()?;
        let outputs = session.run(values).map_err(failed)?;
        let read = self.outputs.iter().zip(outputs.values());
        read.map(|(output, value)| values::tensor(output, &value))
            .collect()
    }
}

impl Model for Loaded {
    fn inputs(&self) -> &[TensorMetadata] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorMetadata] {
        &self.outputs
    }

    fn lane(&self) -> Lane {
        self.lane
    }

    fn warm_up(&self, inputs: &[Tensor]) -> Result<(), RunError> {
        // A session's first run allocates its memory, and on a GPU tries out which algorithms are fastest.
        self.sessions.iter().try_for_each(|session| {
            let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
            self.run_in(&mut session, inputs).map(drop)
        })
    }

    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        self.run_in(&mut self.session(), inputs)
    }
}

fn failed(error: impl fmt::Display) -> RunError {
    RunError(error.to_string())
}
