//! What lies in a model's folder, and whether it has changed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const MODEL: &str = "model.onnx";
const CONFIG: &str = "model.toml";

/// The files of one model. Two are equal when nothing has changed between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) config: PathBuf,
    pub(super) versions: BTreeMap<u64, PathBuf>,
    marks: Vec<(PathBuf, Option<Mark>)>,
}

/// What a change of a file changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    modified: Option<SystemTime>,
    length: u64,
}

/// The models in a directory: its sub-folders that hold one.
pub(super) fn scan(root: &Path) -> io::Result<BTreeMap<String, Layout>> {
    let mut models = BTreeMap::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if name.starts_with('.') || !path.is_dir() {
            continue;
        }
        if let Some(layout) = look(&path)? {
            models.insert(name.to_owned(), layout);
        }
    }
    Ok(models)
}

/// One model's files; none when the folder holds no model.
fn look(folder: &Path) -> io::Result<Option<Layout>> {
    let mut versions = BTreeMap::new();
    if folder.join(MODEL).is_file() {
        versions.insert(1, folder.join(MODEL));
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let version = name.and_then(|name| name.parse::<u64>().ok());
        if let Some(version) = version.filter(|_| path.is_dir()) {
            versions.insert(version, path.join(MODEL));
        }
    }
    let config = folder.join(CONFIG);
    if versions.is_empty() && !config.is_file() {
        return Ok(None);
    }
    let files = versions.values().chain([&config]);
    let marks = files.map(|file| (file.clone(), mark(file))).collect();
    Ok(Some(Layout {
        config,
        versions,
        marks,
    }))
}

fn mark(file: &Path) -> Option<Mark> {
    let metadata = fs::metadata(file).ok()?;
    Some(Mark {
        modified: metadata.modified().ok(),
        length: metadata.len(),
    })
}
