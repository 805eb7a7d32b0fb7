//! Finds the reference service, `siding-demo`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, io};

use serde_json::Value;

const NAME: &str = "siding-demo";

/// Why there is no reference service to start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// Neither beside this executable nor to be built.
    #[error(
        "failed to find siding-demo beside this executable or in a workspace around the current \
         directory (name a server with --server-command, or a running one with --url)"
    )]
    Missing,
    /// Cargo cannot be run.
    #[error("failed to run cargo to build siding-demo")]
    Cargo(#[source] io::Error),
    /// The build failed; Cargo has already said why.
    #[error("failed to build siding-demo (see Cargo's messages above)")]
    Build,
}

/// The reference service's executable.
///
/// Inside the workspace it is built, in release mode, so that it is never an old one; elsewhere it
/// is expected beside this executable.
///
/// # Errors
///
/// When it is in neither place, or does not build.
pub fn demo() -> Result<PathBuf, DemoError> {
    match workspace() {
        Some(root) => build(&root),
        None => beside_this_executable().ok_or(DemoError::Missing),
    }
}

/// The closest directory around the current one that holds the demo's package.
fn workspace() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    here.ancestors()
        .find(|directory| directory.join("crates/demo/Cargo.toml").is_file())
        .map(Path::to_path_buf)
}

fn beside_this_executable() -> Option<PathBuf> {
    let name = format!("{NAME}{}", env::consts::EXE_SUFFIX);
    let candidate = env::current_exe().ok()?.with_file_name(name);
    candidate.is_file().then_some(candidate)
}

fn build(root: &Path) -> Result<PathBuf, DemoError> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--release", "--package", NAME])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .map_err(DemoError::Cargo)?;
    let messages = String::from_utf8_lossy(&output.stdout);
    messages
        .lines()
        .find_map(executable)
        .filter(|_| output.status.success())
        .ok_or(DemoError::Build)
}

/// The executable in one of Cargo's messages, if it is about the demo's.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["target"]["name"] != NAME {
        return None;
    }
    message["executable"].as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_executable_among_cargos_messages() {
        let artifact = r#"{"reason":"compiler-artifact","target":{"name":"siding-demo"},
            "executable":"/t/release/siding-demo"}"#;
        assert_eq!(
            executable(artifact),
            Some(PathBuf::from("/t/release/siding-demo"))
        );
        let other =
            r#"{"reason":"compiler-artifact","target":{"name":"siding"},"executable":null}"#;
        assert_eq!(executable(other), None);
        assert_eq!(executable("not json"), None);
    }
}
