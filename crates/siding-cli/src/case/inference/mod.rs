//! The inference service: in batches against one request a run, and against ONNX Runtime behind FastAPI.

mod models;
mod onnx;

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::models::{CALLERS, Form, Model, Serving, instances};
use super::CaseError;
use crate::bench::Bench;
use crate::load::{Histogram, KeepAlive, Site, Steady, SteadyOutcome, within};
use crate::outcome::{CaseReport, Cell, Plot, Quantity, Requirement, Unit};
use crate::server::{Capacity, Kind, Launch, Program, Server};
use crate::stats::median;

/// Requests of a whole batch, to find out what a run of it takes.
const BATCHES: usize = 15;
/// All of them together.
const BATCHES_LIMIT: Duration = Duration::from_secs(120);

/// What 64 callers get out of one service.
#[derive(Debug, Clone, Copy)]
pub struct Inference {
    /// The least that batches must gain where they pay.
    pub gain: f64,
    /// The least that is left where they do not.
    pub never_below: f64,
    /// The least that the rate may be over FastAPI's.
    pub over_fastapi: f64,
}

/// One model's rates, in requests per second.
#[derive(Debug, Default)]
struct Rates {
    batched: Vec<f64>,
    unbatched: Vec<f64>,
    latencies: Histogram,
}

/// One form's rates, in requests per second.
#[derive(Debug, Default)]
struct Beside {
    siding: Vec<f64>,
    fastapi: Vec<f64>,
}

impl Inference {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        if let Err(error) = self.measure(bench, report).await {
            report.put("requests", None, Kind::Siding, error.cell());
        }
    }

    async fn measure(self, bench: &Bench, report: &mut CaseReport) -> Result<(), CaseError> {
        let directory = tempfile::tempdir().map_err(CaseError::Directory)?;
        let models =
            models::write(directory.path().join("models")).map_err(CaseError::Directory)?;
        bench
            .progress
            .doing("siding-inference: finding or building");
        let program = Program::Inference.find()?;
        let launch = Launch::new(Kind::Siding, program, Vec::new(), directory.path())
            .with_environment("SIDING_MODELS", models.display().to_string())
            .with_health("/ready");
        let siding = launch.start(Capacity::AsConfigured).await?;
        for model in Model::ALL {
            let rates = alternate(bench, &siding, model).await?;
            let paced = match model.gains_by_batches() {
                true => Some(paced(bench, &siding.site, model, &rates).await?),
                false => None,
            };
            self.enter(model, rates, paced, report);
        }
        report.notes.push(format!(
            "{CALLERS} callers with binary tensors, as tritonclient.http sends them, a row each; {} runs at a time, batches of up to \
             {CALLERS} rows that wait for nobody (`delay_us = 0`)",
            instances()
        ));
        self.against_fastapi(bench, &siding, &models, report).await
    }

    async fn against_fastapi(
        self,
        bench: &Bench,
        siding: &Server,
        models: &Path,
        report: &mut CaseReport,
    ) -> Result<(), CaseError> {
        let Some(fastapi) = &bench.fastapi else {
            return Ok(());
        };
        let launch = fastapi.with_models(models, instances());
        let fastapi = launch.start(Capacity::AsConfigured).await?;
        for model in Model::ALL {
            for form in [Form::Json, Form::Binary] {
                let rates = beside(bench, siding, &fastapi, (model, form)).await?;
                self.enter_beside((model, form), rates, report);
            }
        }
        let note = format!("FastAPI has {} uvicorn workers", instances());
        report.notes.push(note);
        Ok(())
    }

    fn enter(
        self,
        model: Model,
        rates: Rates,
        paced: Option<(Histogram, Duration)>,
        report: &mut CaseReport,
    ) {
        let name = model.name();
        let least = match model.gains_by_batches() {
            true => self.gain,
            false => self.never_below,
        };
        let must = Requirement::AtLeast(Unit::Ratio.of(least));
        let title = format!("{name}, batched over unbatched");
        let ratios = ratios(&rates.batched, &rates.unbatched);
        let gain = Cell::median_of(ratios.clone(), Unit::Ratio);
        report.put(&title, Some(must), Kind::Siding, gain);
        report.plots.push(Plot::Pairs {
            title,
            ratios,
            must,
        });
        for (what, rates) in [("batched", rates.batched), ("unbatched", rates.unbatched)] {
            let cell = Cell::median_of(rates, Unit::PerSecond);
            report.put(
                &format!("{name} requests, {what}"),
                None,
                Kind::Siding,
                cell,
            );
        }
        let p99 = |latencies: &Histogram| {
            let p99 = latencies.percentile(99).unwrap_or_default();
            Cell::of(Quantity::milliseconds(p99))
        };
        let what = format!("{name} p99, batched, as fast as it goes");
        report.put(&what, None, Kind::Siding, p99(&rates.latencies));
        if let Some((paced, batch)) = paced {
            let what = format!("{name} p99, batched, at a third of that");
            let must = Requirement::AtMost(Quantity::milliseconds(batch));
            report.put(&what, Some(must), Kind::Siding, p99(&paced));
        }
    }

    fn enter_beside(self, (model, form): (Model, Form), rates: Beside, report: &mut CaseReport) {
        let what = format!("{} requests, {}", model.name(), form.name());
        let must = Requirement::AtLeast(Unit::Ratio.of(self.over_fastapi));
        let ratio = Cell::median_of(ratios(&rates.siding, &rates.fastapi), Unit::Ratio);
        report.put(
            &format!("{what}, over FastAPI"),
            Some(must),
            Kind::Siding,
            ratio,
        );
        for (kind, rates) in [(Kind::Siding, rates.siding), (Kind::FastApi, rates.fastapi)] {
            report.put(&what, None, kind, Cell::median_of(rates, Unit::PerSecond));
        }
    }
}

fn ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    let pairs = ours.iter().zip(theirs);
    pairs.map(|(ours, theirs)| ours / theirs).collect()
}

/// Runs with batches and without them in turn, the one first that was second before.
async fn alternate(bench: &Bench, server: &Server, model: Model) -> Result<Rates, CaseError> {
    let mut rates = Rates::default();
    let request = |serving| model.request(serving, Form::Binary, 1, &server.site);
    let (batched, unbatched) = (request(Serving::Batched), request(Serving::Unbatched));
    for pair in 0..=bench.settings.pairs {
        let doing = format!("{}, pair {pair} of {}", model.name(), bench.settings.pairs);
        bench.progress.doing(&doing);
        for is_batched in [pair % 2 == 0, pair % 2 != 0] {
            let request = if is_batched { &batched } else { &unbatched };
            let (rate, latencies) = rate(bench, &server.site, request).await?;
            match (pair, is_batched) {
                // The first pair warms both up.
                (0, _) => {}
                (_, true) => {
                    rates.batched.push(rate);
                    rates.latencies.merge(&latencies);
                }
                (_, false) => rates.unbatched.push(rate),
            }
        }
    }
    Ok(rates)
}

/// Runs of both servers in turn.
async fn beside(
    bench: &Bench,
    siding: &Server,
    fastapi: &Server,
    (model, form): (Model, Form),
) -> Result<Beside, CaseError> {
    let mut rates = Beside::default();
    let request = |server: &Server| model.request(Serving::Batched, form, 1, &server.site);
    for run in 0..=bench.settings.runs {
        let what = format!("{} beside FastAPI, {}", model.name(), form.name());
        let doing = format!("{what}, run {run} of {}", bench.settings.runs);
        bench.progress.doing(&doing);
        let (ours, _) = rate(bench, &siding.site, &request(siding)).await?;
        let (theirs, _) = rate(bench, &fastapi.site, &request(fastapi)).await?;
        if run > 0 {
            rates.siding.push(ours);
            rates.fastapi.push(theirs);
        }
    }
    Ok(rates)
}

async fn rate(bench: &Bench, site: &Site, request: &Bytes) -> Result<(f64, Histogram), CaseError> {
    let outcome = load(bench, site, request, Duration::ZERO).await?;
    Ok((outcome.per_second(), outcome.latencies))
}

async fn load(
    bench: &Bench,
    site: &Site,
    request: &Bytes,
    pause: Duration,
) -> Result<SteadyOutcome, CaseError> {
    let load = Steady {
        site,
        requests: std::slice::from_ref(request),
        connections: CALLERS.into(),
        pause,
        span: bench.settings.pair_span,
    };
    load.run().await.map_err(CaseError::request("/infer"))
}

/// What the same callers wait when they pause between requests, so that the machine has something left, and what a whole batch takes.
/// In a closed loop without pauses how long they wait only says how fast the service is: each is always waiting.
async fn paced(
    bench: &Bench,
    site: &Site,
    model: Model,
    rates: &Rates,
) -> Result<(Histogram, Duration), CaseError> {
    bench.progress.doing(&format!("{}, paced", model.name()));
    let batch = time_of_a_batch(site, model).await?;
    // With each request taking as long as at full speed, twice of that for a pause is a third of the rate.
    let rate = median(&rates.batched).unwrap_or(f64::INFINITY);
    let pause = Duration::from_secs_f64(2.0 * f64::from(CALLERS) / rate);
    let request = model.request(Serving::Batched, Form::Binary, 1, site);
    let mut latencies = Histogram::default();
    for _ in 0..bench.settings.runs {
        let outcome = load(bench, site, &request, pause).await?;
        latencies.merge(&outcome.latencies);
    }
    Ok((latencies, batch))
}

/// What a request takes that is a whole batch by itself, on a quiet service.
async fn time_of_a_batch(site: &Site, model: Model) -> Result<Duration, CaseError> {
    let request = model.request(Serving::Batched, Form::Binary, CALLERS.into(), site);
    let asking = async {
        let mut connection = KeepAlive::open(site, [request].into(), 0).await?;
        let mut seconds = Vec::with_capacity(BATCHES);
        for _ in 0..BATCHES {
            let asked = Instant::now();
            connection.exchange().await?;
            seconds.push(asked.elapsed().as_secs_f64());
        }
        Ok(seconds)
    };
    let seconds = within(BATCHES_LIMIT, asking).await;
    let seconds = seconds.map_err(CaseError::request("/infer"))?;
    Ok(Duration::from_secs_f64(
        median(&seconds).unwrap_or_default(),
    ))
}
