//! What comes with the model: how files are read for it, and what its labels mean.

use std::collections::HashMap;

use serde::Deserialize;

/// How files are read for the model, and how sure it must be.
#[derive(Debug, Deserialize)]
pub(super) struct ModelConfig {
    pub(super) beg_size: usize,
    pub(super) end_size: usize,
    pub(super) block_size: usize,
    pub(super) padding_token: i32,
    pub(super) min_file_size_for_dl: usize,
    /// In the order of the model's output.
    pub(super) target_labels_space: Vec<String>,
    /// How sure it must be of some labels.
    thresholds: HashMap<String, f64>,
    /// How sure it must be of the others.
    medium_confidence_threshold: f64,
    /// Labels that are called otherwise.
    overwrite_map: HashMap<String, String>,
}

/// What is known of a label.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ContentType {
    pub(super) mime_type: Option<String>,
    pub(super) group: Option<String>,
    pub(super) description: Option<String>,
    pub(super) is_text: bool,
}

/// What is known of all labels.
pub(super) type ContentTypes = HashMap<String, ContentType>;

impl ModelConfig {
    /// That of Magika's model `standard_v3_3`.
    pub(super) fn of_magika() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("magika/config.min.json"))
    }

    /// The label to tell, where the model says `label` and is so sure. Who is not sure enough says text, or not known.
    pub(super) fn told<'a>(&'a self, label: &'a str, score: f64, types: &ContentTypes) -> &'a str {
        let threshold = self.thresholds.get(label);
        let threshold = threshold.unwrap_or(&self.medium_confidence_threshold);
        let told = self.overwrite_map.get(label).map_or(label, String::as_str);
        if score >= *threshold {
            told
        } else if types.get(told).is_some_and(|known| known.is_text) {
            "txt"
        } else {
            "unknown"
        }
    }
}

/// Magika's knowledge of content types.
pub(super) fn content_types() -> serde_json::Result<ContentTypes> {
    serde_json::from_str(include_str!("magika/content_types_kb.min.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_as_magika_does() {
        let config = ModelConfig::of_magika().expect("JSON");
        let types = content_types().expect("JSON");
        let sizes = (
            config.beg_size,
            config.end_size,
            config.target_labels_space.len(),
        );
        assert_eq!(sizes, (1_024, 1_024, 214));
        for (label, score, told) in [
            ("python", 0.5, "python"),
            ("python", 0.49, "txt"),
            ("markdown", 0.74, "txt"),
            ("markdown", 0.75, "markdown"),
            ("png", 0.3, "unknown"),
            ("randomtxt", 0.9, "txt"),
            ("randombytes", 0.9, "unknown"),
        ] {
            assert_eq!(config.told(label, score, &types), told, "{label} {score}");
        }
        assert!(
            config
                .target_labels_space
                .iter()
                .all(|label| types.contains_key(label))
        );
    }
}
