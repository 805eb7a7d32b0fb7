//! What computes a model's runs.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// What computes a model's runs: `cpu`, `cuda`, or `cuda:1` for the second GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU, by CUDA's number.
    Cuda(u16),
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let device = match text.split_once(':') {
            None if text == "cpu" => Some(Self::Cpu),
            None if text == "cuda" => Some(Self::Cuda(0)),
            Some(("cuda", number)) => number.parse().ok().map(Self::Cuda),
            None | Some(_) => None,
        };
        device.ok_or_else(|| {
            format!("there is no device `{text}`; `cpu`, `cuda` and `cuda:1` are some")
        })
    }
}

impl TryFrom<String> for Device {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Device;

    #[test]
    fn is_read_by_its_name() {
        assert_eq!("cpu".parse(), Ok(Device::Cpu));
        assert_eq!("cuda".parse(), Ok(Device::Cuda(0)));
        assert_eq!("cuda:3".parse(), Ok(Device::Cuda(3)));
        for wrong in ["", "gpu", "cpu:1", "cuda:", "cuda:-1", "CUDA"] {
            assert!(wrong.parse::<Device>().is_err(), "{wrong}");
        }
    }
}
