//! A trial: a short training of a copy on a sample of the data, scored on held-out rows. Its steps do not
//! depend on the speed of the machine.

use crate::callback::{TerminateOnNaN, Verbose};
use crate::data::ClassWeight;
use crate::diagnosis::{Findings, LEARNED, Task};
use crate::error::Result;
use crate::metric::accuracy_name;
use crate::model::Sequential;
use crate::rng::Rng;
use crate::samples::Samples;
use crate::scalar::Scalar;
use crate::training::diagnosis::{sample, step_time};
use crate::training::{Evaluate, Fit};
use ndarray::{ArrayD, Axis};

/// The maximum number of samples of a trial.
const SAMPLES: usize = 2000;
/// The work of all trials, in the nanoseconds of [`step_time`]: five to ten seconds. A limit on the time itself would
/// depend on the load of the machine.
pub(super) const WORK: f64 = 5e9;

/// One row in this many is held out from the training of a trial.
const HELD: usize = 4;
/// The minimum number of rows to hold any back. With fewer, trials are scored on the rows that they train on.
const ENOUGH: usize = 40;

/// The rows on which a trial trains, and those on which it is scored.
#[derive(Clone)]
pub(super) struct TrialData<F> {
    pub(super) train: TrialSample<F>,
    pub(super) held: Option<TrialSample<F>>,
}

impl<F: Scalar> TrialData<F> {
    /// Holds a quarter of the sample back, drawn from this stream of random numbers.
    pub(super) fn split(sample: &TrialSample<F>, mut rng: Rng) -> Self {
        let rows = sample.rows();
        if rows < ENOUGH {
            return TrialData { train: sample.clone(), held: None };
        }
        let mut indices: Vec<usize> = (0..rows).collect();
        rng.shuffle(&mut indices);
        let (held, train) = indices.split_at_mut(rows / HELD);
        // The rows keep their order.
        held.sort_unstable();
        train.sort_unstable();
        TrialData { train: sample.select(train), held: Some(sample.select(held)) }
    }

    /// The rows on which a trial is scored.
    fn scored(&self) -> &TrialSample<F> {
        self.held.as_ref().unwrap_or(&self.train)
    }
}

/// A sample of the data, in memory.
#[derive(Clone)]
pub(super) struct TrialSample<F> {
    pub(super) x: ArrayD<F>,
    pub(super) y: ArrayD<F>,
    /// The weights of the samples, if there are any.
    weights: Option<ArrayD<F>>,
}

impl<F: Scalar> TrialSample<F> {
    /// At most [`SAMPLES`] of the training samples, shuffled unless the training keeps their order.
    pub(super) fn new(x: &dyn Samples<F>, y: &dyn Samples<F>, settings: &Fit<F>, seed: u64) -> Result<Self> {
        let count = settings.check(x.count().min(y.count()))?;
        let mut indices = sample(count, SAMPLES);
        if settings.shuffle {
            Rng::stream(seed, 1 << 50).shuffle(&mut indices);
        }
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
        Ok(TrialSample { x: take(x), y: take(y), weights: settings.sample_weight.map(take) })
    }

    pub(super) fn shape(&self) -> Vec<usize> {
        self.x.shape()[1..].to_vec()
    }

    pub(super) fn rows(&self) -> usize {
        self.x.len_of(Axis(0))
    }

    /// These rows only.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let few = |all: &ArrayD<F>| all.select(Axis(0), rows);
        TrialSample { x: few(&self.x), y: few(&self.y), weights: self.weights.as_ref().map(few) }
    }
}

/// The settings of a trial.
#[derive(Clone)]
pub(super) struct TrialSettings {
    pub(super) steps: usize,
    pub(super) batch_size: usize,
    pub(super) shuffle: bool,
    pub(super) class_weight: ClassWeight,
    /// Whether it has as many steps as the training itself.
    pub(super) whole: bool,
}

/// The scores of a trained copy.
#[derive(Clone, Default)]
pub(super) struct TrialResult {
    /// `None` if the training diverged.
    pub(super) loss: Option<f64>,
    pub(super) accuracy: Option<f64>,
    pub(super) skill: Option<f64>,
    /// The skill on the rows that it trained on, in the last epoch.
    pub(super) fitted: Option<f64>,
    /// The mean recall over the classes, from 0 for guessing to 1.
    pub(super) recall: Option<f64>,
    /// The number of steps taken.
    pub(super) steps: usize,
}

impl TrialResult {
    /// Whether it neither fits the rows that it trained on nor predicts others.
    pub(super) fn learned_nothing(&self) -> bool {
        [self.skill, self.fitted].iter().all(|skill| skill.is_some_and(|skill| skill < LEARNED))
    }

    /// Whether it learned, compared with the training without remedies.
    pub(super) fn learned_beside(&self, base: &TrialResult) -> bool {
        match (self.loss, self.skill, base.skill) {
            (None, ..) => false,
            // Twice the progress, or a third less loss remaining.
            (_, Some(skill), Some(base)) => {
                skill > LEARNED && (skill > 2.0 * base || 1.0 - skill < 0.67 * (1.0 - base))
            }
            (_, Some(skill), None) => skill > LEARNED,
            // A loss of unknown scale may be negative.
            (Some(loss), None, _) => base.loss.is_none_or(|base| loss < base - 0.5 * base.abs()),
        }
    }
}

impl TrialSettings {
    /// The settings of the training, shortened to what [`WORK`] allows for `trials` trials.
    pub(super) fn new<F: Scalar>(
        model: &Sequential<F>,
        settings: &Fit<F>,
        rows: usize,
        all: usize,
        trials: usize,
    ) -> TrialSettings {
        let batch_size = settings.batch_size.clamp(1, rows.max(1));
        let epochs = settings.epochs.saturating_sub(settings.initial_epoch).max(1);
        let planned = epochs.saturating_mul(all.div_ceil(settings.batch_size.max(1)));
        let most = (WORK / trials as f64 / step_time(model, batch_size)).max(20.0) as usize;
        TrialSettings {
            steps: planned.min(most),
            batch_size,
            shuffle: settings.shuffle,
            class_weight: settings.class_weight.clone(),
            whole: planned <= most,
        }
    }

    /// The amount of work, in the nanoseconds of [`step_time`].
    pub(super) fn work<F: Scalar>(&self, model: &Sequential<F>) -> f64 {
        self.steps as f64 * step_time(model, self.batch_size)
    }

    /// Trains the model, and returns its scores and findings.
    pub(super) fn train<F: Scalar>(
        &self,
        mut model: Sequential<F>,
        data: &TrialData<F>,
    ) -> Result<(TrialResult, Findings)> {
        let (sample, scored) = (&data.train, data.scored());
        let batches = sample.rows().div_ceil(self.batch_size);
        let before = model.compiled.as_ref().map_or(0, |compiled| compiled.steps);
        let mut settings = Fit::new()
            .epochs(self.steps.div_ceil(batches))
            .batch_size(self.batch_size)
            .shuffle(self.shuffle)
            .class_weight(self.class_weight.clone())
            .verbose(Verbose::Silent)
            .callback(TerminateOnNaN::new());
        if let Some(weights) = &sample.weights {
            settings = settings.sample_weight(weights);
        }
        let history = model.fit(&sample.x, &sample.y, &settings)?;
        let steps = model.compiled.as_ref().map_or(0, |compiled| compiled.steps - before) as usize;
        if history.stopped().is_some() {
            return Ok((TrialResult { steps, ..TrialResult::default() }, history.findings));
        }
        let logs = model.evaluate(&scored.x, &scored.y, &Evaluate::new().batch_size(256))?;
        let loss = logs.get("loss").filter(|loss| loss.is_finite());
        // Weights change the scale of the loss; the loss of the last epoch has the scale of the run.
        let weighted = self.class_weight != ClassWeight::None || sample.weights.is_some();
        let own = if weighted { history.last("loss") } else { loss };
        let penalty = model.weight_penalty();
        let skill = history.scale.zip(own).map(|(scale, loss)| scale.skill(loss - penalty));
        let fitted = history.scale.zip(history.last("loss")).map(|(scale, loss)| scale.skill(loss - penalty));
        let recall = recall(&model, scored);
        let metrics = model.compiled.as_ref().map_or(&[][..], |compiled| &compiled.metrics);
        let accuracy = accuracy_name(metrics).and_then(|name| logs.get(name));
        Ok((TrialResult { loss, accuracy, skill, fitted, recall, steps }, history.findings))
    }
}

/// The mean recall over the classes, rescaled so that guessing gives 0; `None` without classes.
fn recall<F: Scalar>(model: &Sequential<F>, sample: &TrialSample<F>) -> Option<f64> {
    let task = model.compiled.as_ref().map(|compiled| Task::from(compiled.loss.target()))?;
    let matrix = model.confusion_matrix(&sample.x, &sample.y).ok().filter(|_| task != Task::Numbers)?;
    let counts = matrix.counts();
    let rows = counts.outer_iter().enumerate().map(|(class, row)| (row[class], row.sum()));
    let recalls: Vec<f64> = rows.filter(|(_, all)| *all > 0.0).map(|(right, all)| right / all).collect();
    let (mean, guess) = (recalls.iter().sum::<f64>() / recalls.len() as f64, 1.0 / recalls.len() as f64);
    (recalls.len() > 1).then(|| (mean - guess) / (1.0 - guess))
}
