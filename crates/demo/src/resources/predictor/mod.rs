//! Which kind of file something is: asked of Magika's model, which an inference service serves.

mod config;
mod features;
mod service;

use std::sync::Arc;
use std::time::Duration;

use siding::inference::{Client, InferError, Request, Tensor, TensorError};
use siding::lifespan::{Lifespan, ResourceError};

use self::config::{ContentTypes, ModelConfig};
use self::features::Features;
use self::service::Service;
use crate::config::Config;
use crate::models::prediction::Prediction;

pub(crate) use self::service::become_service;

/// The model's name at the service.
const MODEL: &str = "magika";

/// Tells kinds of files. A cheap clone.
#[derive(Clone)]
pub(crate) struct Predictor {
    client: Client,
    magika: Arc<Magika>,
}

/// What comes with the model.
struct Magika {
    config: ModelConfig,
    types: ContentTypes,
}

/// There is no prediction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PredictError {
    #[error("failed to ask the model")]
    Infer(#[from] InferError),
    #[error("failed to read the model's answer")]
    Tensor(#[from] TensorError),
    #[error("the model answered with {found} scores, not {expected}")]
    Scores { found: usize, expected: usize },
}

impl Predictor {
    /// Opens it; the service need not be there.
    pub(crate) async fn open(lifespan: &Lifespan, config: &Config) -> Result<Self, ResourceError> {
        let magika = Magika {
            config: ModelConfig::of_magika().map_err(ResourceError::new)?,
            types: config::content_types().map_err(ResourceError::new)?,
        };
        let url = match &config.inference {
            Some(url) => url.to_string(),
            None => {
                let models = config.models.clone();
                let opening = lifespan.open("inference process", move || Service::start(models));
                opening.close(Service::close).await?.url()
            }
        };
        let client = Client::builder("inference service")
            .replica(url)
            .deadline(config.inference_timeout)
            .ejection(3, Duration::from_millis(500), Duration::from_secs(5))
            // It computes, and changes nothing.
            .idempotent(MODEL);
        Ok(Self {
            client: client.open(lifespan).await?,
            magika: Arc::new(magika),
        })
    }

    /// What kind of file this is.
    pub(crate) async fn predict(&self, file: &[u8]) -> Result<Prediction, PredictError> {
        let config = &self.magika.config;
        let tokens = match features::features(file, config) {
            Features::Label(label) => return Ok(self.magika.prediction(label, 1.0)),
            Features::Tokens(tokens) => tokens,
        };
        let tokens = Tensor::new("bytes", [1, tokens.len() as u64], &tokens)?;
        let request = Request::new(MODEL).input(tokens).output("target_label");
        let answer = self.client.infer(request).await?;
        let scores = answer.output("target_label")?.values::<f32>()?;
        let expected = config.target_labels_space.len();
        if scores.len() != expected {
            let found = scores.len();
            return Err(PredictError::Scores { found, expected });
        }
        let (label, score) = best(&config.target_labels_space, &scores);
        let told = config.told(label, score, &self.magika.types);
        Ok(self.magika.prediction(told, score))
    }
}

impl Magika {
    fn prediction(&self, label: &str, score: f64) -> Prediction {
        let known = self.types.get(label).cloned();
        let is_text = known.as_ref().is_some_and(|known| known.is_text);
        let mime = known.as_ref().and_then(|known| known.mime_type.clone());
        let mime = mime.unwrap_or_else(|| default_mime(is_text).to_owned());
        let group = known.as_ref().and_then(|known| known.group.clone());
        let description = known.and_then(|known| known.description);
        Prediction {
            label: label.to_owned(),
            mime,
            group: group.unwrap_or_else(|| "unknown".to_owned()),
            description: description.unwrap_or_else(|| label.to_owned()),
            is_text,
            score,
        }
    }
}

fn default_mime(is_text: bool) -> &'static str {
    match is_text {
        true => "text/plain",
        false => "application/octet-stream",
    }
}

/// The label with the highest score, the first of equals.
fn best<'a>(labels: &'a [String], scores: &[f32]) -> (&'a str, f64) {
    let mut best = ("unknown", f64::NEG_INFINITY);
    for (label, score) in labels.iter().zip(scores) {
        let score = f64::from(*score);
        if score > best.1 {
            best = (label, score);
        }
    }
    best
}
