//! Trials: the helps of a diagnosis, each applied to a copy of the model and trained for a while.

use std::time::{Duration, Instant};

use super::diagnose::spread;
use super::evaluate::Evaluate;
use super::remedies::apply;
use super::settings::Fit;
use crate::callback::{Callback, Flow, Moment, Verbose};
use crate::diagnosis::{Finding, Findings, LEARNED, Remedy, Severity, Trial, skill};
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::model::Sequential;
use crate::optimizer::Adam;
use crate::rng::Rng;
use crate::samples::Samples;
use crate::scalar::Scalar;
use ndarray::{ArrayD, Axis};

/// Samples of a trial, at most.
const SAMPLES: usize = 2000;
/// Steps of a trial: enough to tell, and few enough to wait for.
const STEPS: (usize, usize) = (500, 1000);
/// All trials together take about this long at most.
const TIME: Duration = Duration::from_secs(10);
/// Trials, at most.
const MOST: usize = 8;

impl<F: Scalar> Sequential<F> {
    /// Looks for what keeps the model from learning, and tries the advice: each help is applied to a copy with the same
    /// initial weights, and so are the first helps of all roots together; each copy is trained on a sample of the data
    /// for some hundred steps. The findings say what became of it. The model, its weights and its random numbers stay
    /// as they are.
    ///
    /// # Errors
    /// As [`Sequential::fit`], before training.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let x = ndarray::Array2::from_shape_fn((60, 2), |(i, j)| ((i * 7 + j * 3) % 11) as f32 - 5.0);
    /// let y = x.map_axis(ndarray::Axis(1), |row| 400.0 + row[0]);       // far from what an untrained network answers
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1));
    /// model.compile(Adam::new(0.01), MeanSquaredError::new(), ())?;
    /// let findings = model.investigate(&x, &y, &Fit::new().epochs(5))?;
    /// let scale = findings.of("N0203").expect("the targets' scale");
    /// assert!(scale.trials.iter().any(|trial| trial.learned));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn investigate(
        &self,
        x: &impl Samples<F>,
        y: &impl Samples<F>,
        settings: &Fit<F>,
    ) -> Result<Findings> {
        self.try_helps(x, y, settings, None)
    }

    /// The same for findings that a training gave.
    pub(super) fn try_helps(
        &self,
        x: &dyn Samples<F>,
        y: &dyn Samples<F>,
        settings: &Fit<F>,
        known: Option<Findings>,
    ) -> Result<Findings> {
        let sample = Sample::new(x, y, self.seed);
        let plan = Plan::new(settings, sample.x.len_of(Axis(0)), x.count());
        let model = self.initial(&sample)?;
        let (base, found) = plan.train(model.clone(), &sample)?;
        let mut findings = known.unwrap_or(found);
        findings.failed |= base.skill.is_none_or(|skill| skill < LEARNED);
        let candidates = candidates(&findings);
        let start = Instant::now();
        let mut trials: Vec<Trial> = Vec::new();
        for remedies in &candidates {
            if start.elapsed() > TIME {
                break;
            }
            let Ok((copy, sample, plan)) = apply(&model, &sample, &plan, remedies) else { continue };
            let (end, _) = match plan.train(copy, &sample) {
                Ok(end) => end,
                // A trial that diverges has not helped.
                Err(Error::Diverged { .. }) => (End::default(), Findings::default()),
                Err(error) => return Err(error),
            };
            trials.push(Trial {
                codes: remedies.iter().map(|(code, _)| code.clone()).collect(),
                steps: plan.steps,
                loss: (base.loss, end.loss),
                accuracy: base.accuracy.zip(end.accuracy),
                learned: end.learned_beside(&base),
            });
        }
        let helped = trials.iter().any(|trial| trial.learned);
        if base.skill.is_some_and(|skill| skill < LEARNED) && !helped {
            findings.take(by_heart(&model, &sample, base.loss)?.into_iter().collect());
        }
        for finding in findings.each_mut() {
            let own = trials.iter().filter(|trial| trial.codes.contains(&finding.code));
            finding.trials = own.cloned().collect();
        }
        Ok(findings)
    }

    /// A copy as it was before its first training: with the weights that it has, or had.
    fn initial(&self, sample: &Sample<F>) -> Result<Self> {
        let mut model = self.clone();
        if model.epochs_seen == 0 && model.is_built() {
            return Ok(model);
        }
        let input = model.input.clone().unwrap_or_else(|| sample.shape());
        if !model.is_built() {
            model.build_for(&input)?;
        } else {
            let mut shape = input;
            for (index, layer) in model.layers.iter_mut().enumerate() {
                let adapted = layer.kind() == "Normalization";
                shape = match adapted {
                    true => layer.output_shape().unwrap_or(&shape).to_vec(),
                    false => layer.renew(&shape, &mut Rng::stream(model.seed, index as u64))?,
                };
            }
        }
        model.walk_mut(&mut |_, param| param.forget());
        if let Some(compiled) = &mut model.compiled {
            compiled.steps = 0;
        }
        model.epochs_seen = 0;
        Ok(model)
    }
}

/// A sample of the data, in memory.
#[derive(Clone)]
pub(super) struct Sample<F> {
    pub(super) x: ArrayD<F>,
    pub(super) y: ArrayD<F>,
}

impl<F: Scalar> Sample<F> {
    /// At most [`SAMPLES`] samples, in an order of their own.
    fn new(x: &dyn Samples<F>, y: &dyn Samples<F>, seed: u64) -> Self {
        let count = x.count().min(y.count());
        let mut indices = spread(count, count.min(SAMPLES));
        Rng::stream(seed, 1 << 50).shuffle(&mut indices);
        let take = |samples: &dyn Samples<F>| {
            let shape = [&[indices.len()], &*samples.sample_shape()].concat();
            let mut all = ArrayD::zeros(shape);
            for (mut to, &index) in all.outer_iter_mut().zip(&indices) {
                if let Some(row) = to.as_slice_mut() {
                    samples.read(index, row);
                }
            }
            all
        };
        Sample { x: take(x), y: take(y) }
    }

    pub(super) fn shape(&self) -> Vec<usize> {
        self.x.shape()[1..].to_vec()
    }
}

/// How a trial is trained.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) epochs: usize,
    pub(super) batch_size: usize,
    pub(super) shuffle: bool,
    pub(super) steps: usize,
}

/// How a trial ended, measured on its sample as in a prediction.
#[derive(Clone, Default)]
struct End {
    loss: f64,
    accuracy: Option<f64>,
    skill: Option<f64>,
}

impl End {
    fn learned_beside(&self, base: &End) -> bool {
        match (self.skill, base.skill) {
            (Some(skill), Some(base)) => skill > LEARNED && skill > 2.0 * base,
            (Some(skill), None) => skill > LEARNED,
            _ => self.loss < 0.5 * base.loss,
        }
    }
}

/// Ends a trial that takes too long.
struct Limit(Instant);

impl<F: Scalar> Callback<F> for Limit {
    fn on_batch_end(&mut self, _: &mut Moment<F>) -> Result<Flow> {
        match self.0.elapsed() > TIME / 4 {
            true => Ok(Flow::Stop("a trial's time is over".into())),
            false => Ok(Flow::Continue),
        }
    }
}

impl Plan {
    fn new<F: Scalar>(settings: &Fit<F>, samples: usize, all: usize) -> Plan {
        let batch_size = settings.batch_size.clamp(1, samples.max(1));
        let epoch = all.div_ceil(batch_size).clamp(STEPS.0, STEPS.1);
        let batches = samples.div_ceil(batch_size);
        let epochs = epoch.div_ceil(batches);
        Plan { epochs, batch_size, shuffle: settings.shuffle, steps: epochs * batches }
    }

    fn train<F: Scalar>(&self, mut model: Sequential<F>, sample: &Sample<F>) -> Result<(End, Findings)> {
        let settings = Fit::new()
            .epochs(self.epochs)
            .batch_size(self.batch_size)
            .shuffle(self.shuffle)
            .verbose(Verbose::Silent)
            .callback(Limit(Instant::now()));
        let history = model.fit(&sample.x, &sample.y, &settings)?;
        let logs = model.evaluate(&sample.x, &sample.y, &Evaluate::new().batch_size(256))?;
        let loss = logs.get("loss").unwrap_or(f64::NAN);
        let penalty = model.weight_penalty();
        let skill = skill(history.chance, loss - penalty);
        Ok((End { loss, accuracy: logs.get("accuracy"), skill }, history.findings))
    }
}

/// Rows that a network which works can learn by heart, and the steps that this takes.
const BY_HEART: (usize, usize) = (32, 400);

/// Whether the network can learn a few rows by heart, where it learned nothing of all: then it works, and its inputs do
/// not tell its targets.
fn by_heart<F: Scalar>(model: &Sequential<F>, sample: &Sample<F>, loss: f64) -> Result<Option<Finding>> {
    let (rows, steps) = BY_HEART;
    let rows = rows.min(sample.x.len_of(Axis(0)) / 2);
    let few = |all: &ArrayD<F>| all.slice_axis(Axis(0), (0..rows).into()).to_owned();
    let few = Sample { x: few(&sample.x), y: few(&sample.y) };
    if rows < 4 || few.y.iter().all(|y| *y == few.y[ndarray::IxDyn(&vec![0; few.y.ndim()])]) {
        return Ok(None);
    }
    let mut copy = model.clone();
    if let Some(compiled) = &mut copy.compiled {
        compiled.optimizer = Box::new(Adam::new(0.01));
    }
    let plan = Plan { epochs: steps, batch_size: rows, shuffle: false, steps };
    let end = match plan.train(copy, &few) {
        Ok((end, _)) => end,
        Err(Error::Diverged { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    // Half of what guessing costs is more than a few rows of noise give away by their averages alone.
    Ok(end.skill.is_some_and(|skill| skill > 0.5).then(|| {
        Finding::new("N0504", Severity::Warning, "the inputs make no difference")
            .saw(format!(
                "{rows} rows are learned by heart, to a loss of {:.4}; all rows stay at {loss:.4}",
                end.loss
            ))
            .help("check that the rows of x and y belong together, and that x tells y at all")
    }))
}

/// Edits that are tried together, each with the code of the finding that advises it.
pub(super) type Edits = Vec<(String, Remedy)>;

/// Each help alone, the worst and most causal first, and the first helps of all roots together.
fn candidates(findings: &Findings) -> Vec<Edits> {
    let notes = findings.worst() == Some(Severity::Note);
    let advised = |finding: &&Finding| notes || finding.severity > Severity::Note;
    let edits = |finding: &Finding| -> Vec<(String, Remedy)> {
        finding.helps.iter().filter_map(|help| Some((finding.code.clone(), help.remedy.clone()?))).collect()
    };
    let mut all: Vec<Edits> = Vec::new();
    for edit in findings.iter().filter(advised).flat_map(edits) {
        if !all.iter().any(|known| known[0].1 == edit.1) {
            all.push(vec![edit]);
        }
    }
    let together: Edits =
        findings.roots().filter(advised).filter_map(|root| edits(root).into_iter().next()).collect();
    all.truncate(MOST - 1);
    if together.len() > 1 {
        all.push(together);
    }
    all
}
