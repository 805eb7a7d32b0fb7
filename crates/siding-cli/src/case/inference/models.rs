//! The models of the case, each served twice: in batches, and with one request a run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::json;

use super::onnx;
use crate::load::Site;
use crate::server::workspace;

/// What is sent, and whether batches pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    /// Three dense layers, 1.3 million weights: reading them costs more than using them once, so that batches pay.
    Dense,
    /// One layer of 64 weights: next to nothing to compute, so that a request is all overhead.
    Tiny,
    /// Magika, which tells the type of a file: a convolution, which costs the same for each row.
    Magika,
}

/// Whether requests share a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serving {
    /// They do.
    Batched,
    /// Each has its own.
    Unbatched,
}

/// How a request says its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As digits.
    Json,
    /// As bytes behind the JSON, as `tritonclient.http` sends them.
    Binary,
}

impl Form {
    /// Its name in the report.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Binary => "binary",
        }
    }
}

/// Callers that ask at the same time, and therefore the most rows that a batch can have.
pub(super) const CALLERS: u16 = 64;

impl Model {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Dense, Self::Tiny, Self::Magika];

    /// Its name in the report, and at the service where it is served in batches.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Tiny => "tiny",
            Self::Magika => "magika",
        }
    }

    /// The name under which it is served so.
    pub(super) fn served(self, serving: Serving) -> String {
        match serving {
            Serving::Batched => self.name().to_owned(),
            Serving::Unbatched => format!("{}-unbatched", self.name()),
        }
    }

    /// Numbers in a row.
    const fn width(self) -> usize {
        match self {
            Self::Dense => 256,
            Self::Tiny => 8,
            Self::Magika => 2_048,
        }
    }

    /// Whether a run of many rows is cheaper than as many runs.
    pub(super) const fn gains_by_batches(self) -> bool {
        match self {
            Self::Dense => true,
            Self::Tiny | Self::Magika => false,
        }
    }

    fn file(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Dense => Ok(onnx::dense(&[256, 1_024, 1_024, 16])),
            Self::Tiny => Ok(onnx::dense(&[8, 8])),
            Self::Magika => {
                let root = workspace().ok_or_else(|| {
                    io::Error::new(io::ErrorKind::NotFound, "magika is in Siding's repository")
                })?;
                fs::read(root.join("models/magika/3/model.onnx"))
            }
        }
    }

    /// A request that asks for `rows` rows, as it goes over the wire.
    pub(super) fn request(self, serving: Serving, form: Form, rows: usize, site: &Site) -> Bytes {
        let (name, datatype) = match self {
            Self::Dense | Self::Tiny => ("x", "FP32"),
            Self::Magika => ("bytes", "INT32"),
        };
        // Bytes of a file, and small numbers as good as any.
        let values = (0..rows * self.width()).map(|at| b"siding, "[at % 8]);
        let mut input =
            json!({ "name": name, "datatype": datatype, "shape": [rows, self.width()] });
        let mut data = Vec::new();
        match form {
            Form::Json => input["data"] = values.collect(),
            Form::Binary => {
                data = values.flat_map(|value| self.bytes(value)).collect();
                input["parameters"] = json!({ "binary_data_size": data.len() });
            }
        }
        let parameters = json!({ "binary_data_output": form == Form::Binary });
        let json = json!({ "inputs": [input], "parameters": parameters }).to_string();
        let length = ("inference-header-content-length", json.len());
        let header = (form == Form::Binary).then_some(length);
        let path = format!("/v2/models/{}/infer", self.served(serving));
        site.post_bytes(&path, header, &[json.as_bytes(), &data].concat())
    }

    fn bytes(self, value: u8) -> [u8; 4] {
        match self {
            Self::Dense | Self::Tiny => f32::from(value).to_le_bytes(),
            Self::Magika => i32::from(value).to_le_bytes(),
        }
    }
}

/// Writes the models into `directory`, which the service and its peer read, and returns it.
pub(super) fn write(directory: PathBuf) -> io::Result<PathBuf> {
    for model in Model::ALL {
        let file = model.file()?;
        for (serving, rows_max) in [(Serving::Batched, CALLERS), (Serving::Unbatched, 1)] {
            let folder = directory.join(model.served(serving));
            put(&folder.join("1/model.onnx"), &file)?;
            let config = format!(
                "instances = {}\n[batching]\nrows_max = {rows_max}\n",
                instances()
            );
            put(&folder.join("model.toml"), config.as_bytes())?;
        }
    }
    Ok(directory)
}

/// As many runs at a time as there are cores to run them.
pub(super) fn instances() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn put(file: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, content)
}
