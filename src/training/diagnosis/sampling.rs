//! What the diagnosis samples before a training, and how much of it.

use crate::diagnosis::{Data, Monitor, Plan, Repeats, TargetStatistics, ValidationFacts};
use crate::error::{Error, Result};
use crate::hash;
use crate::layer::NamedLayer;
use crate::model::Sequential;
use crate::optimizer::OptimizerTraits;
use crate::param::Param;
use crate::scalar::Scalar;
use crate::tensor::Batch;
use crate::training::data::{CheckedData, Rows};

/// At most so many numbers of the inputs are looked at before a training, and so many of its rows.
pub(crate) const NUMBERS: usize = 1 << 16;
pub(crate) const ROWS: usize = 10_000;
/// Rows that tell the scale of the inputs and the commonest classes, in a run of a fraction of a millisecond.
pub(crate) const LEAST: usize = 32;
/// Rows of a source, for which each row may be a read from a disk.
pub(crate) const FEW: usize = 64;

/// So many of the numbers below `count`, in order, one from each of as many equal parts: as even as a ruler, and without
/// one, so that data in a regular order show no pattern of their own. The same at each call.
pub(crate) fn sample(count: usize, wanted: usize) -> Vec<usize> {
    let wanted = wanted.min(count);
    let place = |i: usize| {
        let (low, high) = (i * count / wanted, (i + 1) * count / wanted);
        low + (hash::uniform(i as u64) * (high - low) as f64) as usize
    };
    (0..wanted).map(place).collect()
}

/// What a step takes, in nanoseconds, on a machine of about these times: 200 multiplications a nanosecond, and 1 µs for
/// each layer, which is what a network of 8, 16 and 2 units takes for batches of 32.
pub(crate) fn step_time<F: Scalar>(model: &Sequential<F>, batch_size: usize) -> f64 {
    let work: f64 = model.layers.iter().map(products).sum();
    3.0 * work * batch_size as f64 / 200.0 + 1000.0 * model.layers.len() as f64
}

/// The multiplications of a layer for one sample: each of its numbers, once for each place that it is used at.
fn products<F: Scalar>(layer: &NamedLayer<F>) -> f64 {
    let mut total = 0;
    layer.each_param(&mut |trained, param| total += if trained { param.len() } else { 0 });
    let places = |shape: Option<&[usize]>| {
        let outer = shape.and_then(<[usize]>::split_last).map_or(&[][..], |(_, outer)| outer);
        outer.iter().product::<usize>().max(1)
    };
    // Rows of an embedding are looked up, not multiplied.
    let used = if layer.indices().is_some() { 0 } else { total };
    (used * places(layer.input_shape()).max(places(layer.output_shape()))) as f64
}

/// How much is looked at.
#[derive(Clone, Copy)]
pub(crate) struct SamplingBudget {
    /// Numbers of inputs and targets.
    pub(crate) numbers: usize,
    /// Rows that are compared with each other.
    pub(crate) compared: usize,
    /// Batches of each epoch.
    pub(crate) sampled: usize,
}

/// Batches of an epoch that are looked at: two tell a beginning from what comes of it, and more than four nothing new.
const SAMPLED: (usize, usize) = (2, 4);

impl SamplingBudget {
    /// All, within the bounds of [`NUMBERS`] and [`ROWS`].
    pub(crate) const FULL: SamplingBudget =
        SamplingBudget { numbers: usize::MAX, compared: ROWS, sampled: SAMPLED.1 };

    /// What takes about 3 thousandths of the time of the training, most of it at some 2 ns a number; and for a row that is
    /// compared 60 ns, 0.4 for each of its numbers, which are copied together, and 3 for each that goes into its key.
    pub(crate) fn of<F: Scalar>(
        model: &Sequential<F>,
        plan: &Plan,
        train: usize,
        data: &CheckedData<F>,
    ) -> SamplingBudget {
        let batch = plan.batch_size.min(train);
        let share = 0.0025 * step_time(model, batch) * (plan.epochs * plan.batches) as f64;
        let row = 60.0 + 3.0 * data.width().min(64) as f64 + 0.4 * data.width() as f64;
        // A hundred rows are some 10 µs: nothing, but beside a single epoch of a tiny network.
        let least = if plan.epochs > 1 { 128 } else { 0 };
        let compared = (0.4 * share / row) as usize;
        // A look is about a microsecond, 3 ns for each number that leaves a layer, and half of one for each weight, whose
        // gradient is kept apart for it.
        let leaves: usize = model.layers.iter().map(|layer| layer.widths().1).sum();
        let mut weights = 0;
        let mut count = |trained, param: &Param<F>| weights += if trained { param.len() } else { 0 };
        model.layers.iter().for_each(|layer| layer.each_param(&mut count));
        let look = 1000.0 + 3.0 * (batch * leaves) as f64 + 0.5 * weights as f64;
        let sampled = 0.015 * step_time(model, batch) * plan.batches as f64 / look;
        SamplingBudget {
            numbers: (share / 2.0) as usize,
            compared: compared.clamp(least, ROWS),
            sampled: (sampled as usize).clamp(SAMPLED.0, SAMPLED.1),
        }
    }
}

/// The length of a run.
pub(crate) struct RunSize {
    pub(crate) epochs: usize,
    pub(crate) batch_size: usize,
    /// Samples that train.
    pub(crate) train: usize,
    pub(crate) shuffle: bool,
}

/// The settings of a run that rules read.
pub(crate) fn plan<F: Scalar>(model: &Sequential<F>, size: RunSize) -> Result<Plan> {
    let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
    let RunSize { epochs, batch_size, train, shuffle } = size;
    let batches = train.div_ceil(batch_size.max(1));
    let rate = compiled.optimizer.learning_rate();
    // A schedule may begin low and end low.
    let steps = ((epochs * batches) as u64).min(10_000);
    let learning_rate = (0..=20).map(|part| rate.at(compiled.steps + part * steps / 20)).fold(0.0, f64::max);
    let OptimizerTraits { name, step, .. } = compiled.optimizer.traits();
    Ok(Plan {
        loss: compiled.loss.name().into(),
        task: compiled.loss.target().into(),
        family: compiled.loss.family(),
        takes_logits: compiled.loss.takes_logits(),
        optimizer: name.to_lowercase(),
        step_scale: step,
        learning_rate,
        epochs,
        before: compiled.steps,
        batch_size,
        batches,
        shuffle,
        metrics: compiled.metrics.iter().map(|metric| metric.name().into()).collect(),
        penalty: model.weight_penalty(),
    })
}

/// What a diagnosis samples before a training.
pub(crate) struct Sampling<'s, 'd, F: Scalar> {
    pub(crate) model: &'s Sequential<F>,
    pub(crate) plan: Plan,
    pub(crate) budget: SamplingBudget,
    pub(crate) data: &'s CheckedData<'d, F>,
    /// The first samples of the data, which train.
    pub(crate) train: usize,
    pub(crate) held_out: Option<HeldOut<'s, 'd, F>>,
}

/// The samples from the sample `from` on.
#[derive(Clone, Copy)]
pub(crate) struct HeldOut<'s, 'd, F: Scalar> {
    pub(crate) data: &'s CheckedData<'d, F>,
    pub(crate) from: usize,
}

impl<F: Scalar> HeldOut<'_, '_, F> {
    fn sample(&self, wanted: usize) -> Vec<usize> {
        let mut rows = sample(self.data.count() - self.from, wanted);
        rows.iter_mut().for_each(|row| *row += self.from);
        rows
    }
}

impl<F: Scalar> Sampling<'_, '_, F> {
    /// The width of the model's output.
    pub(crate) fn outputs(&self) -> usize {
        self.model.output_shape().and_then(|shape| shape.last().copied()).unwrap_or(1)
    }

    /// Statistics of the targets of `rows` samples, none of them counted yet.
    pub(crate) fn target_statistics(&self, rows: usize) -> Result<TargetStatistics<F>> {
        let compiled = self.model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let (loss, rows) = (compiled.loss.clone(), rows * self.data.steps);
        Ok(TargetStatistics::new(loss, self.plan.task, self.outputs(), rows, self.data.target))
    }

    /// A monitor of the sampled data, through the memory of `rows`.
    pub(crate) fn monitor(self, rows: &mut Rows<F>) -> Result<Monitor<F>> {
        let Sampling { model, budget, data, train, .. } = self;
        let (outputs, task) = (self.outputs(), self.plan.task);
        let mut facts = Data {
            rows: train,
            shape: model.input_shape().unwrap_or_default().to_vec(),
            indices: model.indices().is_some(),
            ..Data::default()
        };
        let (least, most) = if data.is_source() { (FEW, FEW) } else { (LEAST, ROWS) };
        let wanted = (budget.numbers / (data.width() + data.target).max(1)).clamp(least, most).min(train);
        // Inputs are wide and targets are not, so that more rows of targets can be sampled.
        let least = (budget.numbers / data.width().max(1)).clamp(8, 16);
        let few = wanted.min((NUMBERS / data.width().max(1)).max(least));
        data.gather(None, &sample(train, few), rows)?;
        facts.look_inputs(Batch::new(&rows.x, data.width()));
        if few < wanted && !data.is_source() {
            data.gather_targets(&sample(train, wanted), rows);
        }
        facts.look_targets(task, outputs, Batch::new(&rows.y, data.target));
        let held_out = self.held_out.filter(|held| !held.data.is_source() && !data.is_source());
        // Validation data of its own may have other classes on purpose.
        if let Some(held) = held_out.filter(|held| held.from > 0) {
            held.data.gather_targets(&held.sample(wanted), rows);
            facts.validation = Some(ValidationFacts::of(task, outputs, Batch::new(&rows.y, data.target)));
        }
        // Equal rows: of wide samples a few are enough.
        let compared = budget.compared.min((16 * NUMBERS / data.width().max(1)).max(16));
        if !data.is_source() && data.steps == 1 && compared >= 16 {
            data.gather(None, &sample(train, compared), rows)?;
            let mut others = Rows::default();
            if let Some(held) = held_out {
                held.data.gather(None, &held.sample(compared.div_ceil(4)), &mut others)?;
            }
            let (x, y) = (Batch::new(&rows.x, data.width()), Batch::new(&rows.y, data.target));
            let others = held_out.map(|_| Batch::new(&others.x, data.width()));
            facts.repeats = Repeats::of(x, y, task, others);
        }
        let target_statistics = self.target_statistics(train)?;
        Ok(Monitor::new(&model.layers, self.plan, facts, target_statistics, budget.sampled))
    }
}
