//! Finds the programs of the workspace that are measured.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, io};

use serde_json::Value;

/// A program that is measured; its package and its executable have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The reference service.
    Demo,
    /// The inference service.
    Inference,
}

/// Why a program cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// Neither beside this executable nor to be built.
    #[error(
        "failed to find {name} beside this executable or in a workspace around the current directory{}",
        alternative(.name)
    )]
    Missing {
        /// The program.
        name: &'static str,
    },
    /// Cargo cannot be run.
    #[error("failed to run cargo to build {name}")]
    Cargo {
        /// The program.
        name: &'static str,
        /// Why Cargo cannot be run.
        #[source]
        source: io::Error,
    },
    /// The build failed; Cargo has already said why.
    #[error("failed to build {name} (see Cargo's messages above)")]
    Build {
        /// The program.
        name: &'static str,
    },
}

fn alternative(name: &str) -> &'static str {
    if name == Program::Demo.name() {
        " (name a server with --server-command, or a running one with --url)"
    } else {
        ""
    }
}

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::Demo => "siding-demo",
            Self::Inference => "siding-inference",
        }
    }

    /// The executable.
    ///
    /// Inside the workspace it is built, in release mode, so that it is never an old one; elsewhere it is expected beside this executable.
    ///
    /// # Errors
    ///
    /// When it is in neither place, or does not build.
    pub fn find(self) -> Result<PathBuf, ProgramError> {
        let name = self.name();
        match workspace() {
            Some(root) => build(&root, name),
            None => beside_this_executable(name).ok_or(ProgramError::Missing { name }),
        }
    }
}

/// The closest directory around the current one that is the workspace.
pub fn workspace() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    here.ancestors()
        .find(|directory| directory.join("crates/demo/Cargo.toml").is_file())
        .map(Path::to_path_buf)
}

fn beside_this_executable(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    let candidate = env::current_exe().ok()?.with_file_name(name);
    candidate.is_file().then_some(candidate)
}

fn build(root: &Path, name: &'static str) -> Result<PathBuf, ProgramError> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--release", "--package", name])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| ProgramError::Cargo { name, source })?;
    let messages = String::from_utf8_lossy(&output.stdout);
    messages
        .lines()
        .find_map(|message| executable(message, name))
        .filter(|_| output.status.success())
        .ok_or(ProgramError::Build { name })
}

/// The executable in one of Cargo's messages, if it is about this program's.
fn executable(message: &str, name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["target"]["name"] != name {
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
            executable(artifact, "siding-demo"),
            Some(PathBuf::from("/t/release/siding-demo"))
        );
        let other =
            r#"{"reason":"compiler-artifact","target":{"name":"siding"},"executable":null}"#;
        assert_eq!(executable(other, "siding-demo"), None);
        assert_eq!(executable("not json", "siding-demo"), None);
    }
}
