//! The library, found and loaded once for all models.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

use crate::runtime::LoadError;

const NAMED_BY: &str = "ORT_DYLIB_PATH";

/// ONNX Runtime allows one a process, ever: it stays when the last model of it has gone.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// ONNX Runtime, loaded from `named`, or from where it is looked for otherwise, unless it has been already.
///
/// What fails leaves nothing behind: the next model looks again, and finds what was installed meanwhile.
///
/// # Errors
/// A sentence that says which file was tried, what was wrong with it, and what would be right.
pub(super) fn environment(named: Option<&Path>) -> Result<Environment, LoadError> {
    // A panic leaves it empty, as it was.
    let mut loaded = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*loaded {
        return Ok(environment.clone());
    }
    let file = file(named);
    // Only ever from a file: without this call the library would be looked for at the first use of any of its functions, and panic.
    let builder = ort::init_from(&file).map_err(|error| missing(&file, &error))?;
    let built = builder
        .with_name("siding-inference")
        .with_telemetry(false)
        .build();
    let environment =
        built.map_err(|error| LoadError(format!("failed to set up ONNX Runtime: {error}")))?;
    Ok(loaded.insert(environment).clone())
}

fn file(named: Option<&Path>) -> PathBuf {
    let from_environment = || std::env::var_os(NAMED_BY).filter(|path| !path.is_empty());
    named
        .map(Path::to_owned)
        .or_else(|| from_environment().map(PathBuf::from))
        .unwrap_or_else(|| format!("{DLL_PREFIX}onnxruntime{DLL_SUFFIX}").into())
}

fn missing(file: &Path, error: &ort::LoadDynamicError) -> LoadError {
    LoadError(format!(
        "ONNX Runtime, a library of version 1.{} or later, was looked for as `{}`: {error}; name its file in {NAMED_BY}, or choose \
         another `runtime` in model.toml",
        ort::MINOR_VERSION,
        file.display()
    ))
}
