//! How much data the diagnosis samples, and how often.

use crate::activation::Activation;
use crate::diagnosis::{
    Data, Monitor, Plan, Repeats, TargetStatistics, Targets, Task, ValidationFacts, VaryingConstants,
    WeightFacts,
};
use crate::error::{Error, Result};
use crate::hash;
use crate::layer::mask::{self, MaskSource};
use crate::layer::{Layer, NamedLayer};
use crate::loss::LossFamily;
use crate::metric::accuracy_name;
use crate::model::Sequential;
use crate::optimizer::{LearningRate, OptimizerTraits};
use crate::param::Param;
use crate::scalar::Scalar;
use crate::tensor::Batch;
use crate::training::data::{BatchTargets, CheckedData, Rows};
use crate::training::step::Minibatch;

/// The maximum numbers of input values and of rows that are sampled before a training.
pub(crate) const NUMBERS: usize = 1 << 16;
pub(crate) const ROWS: usize = 10_000;
/// Enough rows to estimate the scale of the inputs and the most common classes of a run that takes under a millisecond.
pub(crate) const LEAST: usize = 32;
/// The most validation targets that are sampled: the targets of all rows, if they are few. The loss of the best constant for half
/// of 800 rows differs by 5 % from that for all, as much as a weak relation explains.
const VALIDATION_TARGETS: usize = 1 << 13;
/// The number of rows sampled from a source, where each row may require a disk access.
pub(crate) const FEW: usize = 64;

/// Returns `wanted` of the numbers below `count`, in order, one from each of `wanted` equal parts. The choice within a
/// part is hashed, so that periodic data cause no pattern, and is the same at each call.
pub(crate) fn sample(count: usize, wanted: usize) -> Vec<usize> {
    let wanted = wanted.min(count);
    let place = |i: usize| {
        let (low, high) = (i * count / wanted, (i + 1) * count / wanted);
        low + (hash::uniform(i as u64) * (high - low) as f64) as usize
    };
    (0..wanted).map(place).collect()
}

/// Estimates the duration of a step in nanoseconds: 200 multiplications per nanosecond plus 1 µs per layer, which is
/// what a network of 8, 16 and 2 units takes for batches of 32.
pub(crate) fn step_time<F: Scalar>(model: &Sequential<F>, batch_size: usize) -> f64 {
    let work: f64 = model.layers.iter().map(products).sum();
    3.0 * work * batch_size as f64 / 200.0 + 1000.0 * model.layers.len() as f64
}

/// The multiplications of a layer per sample: its weights times the number of positions where each is used.
fn products<F: Scalar>(layer: &NamedLayer<F>) -> f64 {
    let mut total = 0;
    layer.each_param(&mut |trained, param| total += if trained { param.len() } else { 0 });
    let places = |shape: Option<&[usize]>| {
        let outer = shape.and_then(<[usize]>::split_last).map_or(&[][..], |(_, outer)| outer);
        outer.iter().product::<usize>().max(1)
    };
    // Embedding rows are looked up, not multiplied.
    let used = if layer.indices().is_some() { 0 } else { total };
    (used * places(layer.input_shape()).max(places(layer.output_shape()))) as f64
}

/// How much data and how many batches are sampled.
#[derive(Clone, Copy)]
pub(crate) struct SamplingBudget {
    /// Input and target values.
    pub(crate) numbers: usize,
    /// Rows compared with each other.
    pub(crate) compared: usize,
    /// Batches per epoch.
    pub(crate) sampled: usize,
}

/// The minimum and maximum of sampled batches per epoch: two separate the start from the trend, and more than four add
/// nothing.
const SAMPLED: (usize, usize) = (2, 4);

impl SamplingBudget {
    /// Everything within the bounds of [`NUMBERS`] and [`ROWS`].
    pub(crate) const FULL: SamplingBudget =
        SamplingBudget { numbers: usize::MAX, compared: ROWS, sampled: SAMPLED.1 };

    /// A budget of about 0.3 % of the training time. A value costs about 2 ns; a row to compare costs 60 ns, plus 0.4
    /// ns per value to copy and 3 ns per value in its key.
    pub(crate) fn of<F: Scalar>(
        model: &Sequential<F>,
        plan: &Plan,
        train: usize,
        data: &CheckedData<F>,
    ) -> SamplingBudget {
        let batch = plan.batch_size.min(train);
        let epochs = plan.epochs.unwrap_or_default();
        let share = 0.0025 * step_time(model, batch) * epochs.saturating_mul(plan.batches) as f64;
        let row = 60.0 + 3.0 * data.width().min(64) as f64 + 0.4 * data.width() as f64;
        // A hundred rows take about 10 µs, which matters only next to a single epoch of a tiny network.
        let least = if epochs > 1 { 128 } else { 0 };
        let compared = (0.4 * share / row) as usize;
        // Sampling a batch takes about a microsecond, plus 3 ns per output value of a layer and 0.5 ns per weight,
        // whose gradient is copied.
        let leaves: usize = model.layers.iter().map(|layer| layer.widths().1).sum();
        let mut weights = 0;
        let mut count = |trained, param: &Param<F>| weights += if trained { param.len() } else { 0 };
        model.layers.iter().for_each(|layer| layer.each_param(&mut count));
        let cost = 1000.0 + 3.0 * (batch * leaves) as f64 + 0.5 * weights as f64;
        let sampled = 0.015 * step_time(model, batch) * plan.batches as f64 / cost;
        SamplingBudget {
            numbers: (share / 2.0) as usize,
            compared: compared.clamp(least, ROWS),
            sampled: (sampled as usize).clamp(SAMPLED.0, SAMPLED.1),
        }
    }
}

/// The size of a run.
pub(crate) struct RunSize {
    /// `None` in a check.
    pub(crate) epochs: Option<usize>,
    pub(crate) skipped_epochs: usize,
    pub(crate) batch_size: usize,
    /// The number of batches of an epoch.
    pub(crate) batches: usize,
    pub(crate) shuffle: bool,
}

/// The largest rate of the planned steps, of which at most 10,000 count. A schedule may start and end with a low rate, and
/// may rise within its first steps. `None` if unknown.
fn largest_rate(rate: &LearningRate, before: u64, planned: Option<usize>) -> Option<f64> {
    let steps = match (rate, planned) {
        (LearningRate::Constant(rate), _) => return Some(*rate),
        (_, Some(planned)) => (planned as u64).clamp(1, 10_000),
        // A check plans no steps. A schedule of the crate has a rate for each step; a user's may not.
        (LearningRate::Schedule(schedule), None) if schedule.config().is_some() => 10_000,
        (_, None) => 1,
    };
    let evenly = (0..=20).map(|part| part * (steps - 1) / 20);
    let early = (0..64).map(|power| 1u64 << power).take_while(|step| *step < steps);
    let largest = evenly.chain(early).map(|step| rate.at(before + step)).fold(0.0, f64::max);
    (planned.is_some() || steps > 1 || largest > 0.0).then_some(largest)
}

/// The sum of the rates of at most 10,000 planned steps divided by the largest, from steps at distances that grow by a quarter.
fn full_steps(rate: &LearningRate, before: u64, planned: usize, largest: f64) -> f64 {
    let planned = planned.min(10_000) as u64;
    if matches!(rate, LearningRate::Constant(_)) || largest <= 0.0 {
        return planned as f64;
    }
    let (mut sum, mut step) = (0.0, 0);
    while step < planned {
        let next = (step + 1 + step / 4).min(planned);
        sum += (next - step) as f64 * rate.at(before + (step + next - 1) / 2);
        step = next;
    }
    sum / largest
}

/// The settings of a run that the rules read.
pub(crate) fn plan<F: Scalar>(model: &Sequential<F>, size: RunSize) -> Result<Plan> {
    let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
    let RunSize { epochs, skipped_epochs, batch_size, batches, shuffle } = size;
    let rate = compiled.optimizer.learning_rate();
    let planned = epochs.map(|epochs| epochs.saturating_mul(batches));
    let learning_rate = largest_rate(rate, compiled.steps, planned);
    let full_steps = planned
        .zip(learning_rate)
        .map(|(planned, largest)| full_steps(rate, compiled.steps, planned, largest));
    let OptimizerTraits { name, step, momentum, .. } = compiled.optimizer.traits();
    let (family, is_built_in) =
        (compiled.loss.family(), compiled.loss.config().is_some_and(|config| config.is_built_in()));
    // Without a family or a link of its own, a user's loss does not say whether its outputs are probabilities.
    let says =
        |link: &Activation| is_built_in || family == LossFamily::CrossEntropy || *link != Activation::Linear;
    Ok(Plan {
        loss: compiled.loss.name().into(),
        task: compiled.loss.target().into(),
        family,
        is_built_in,
        link: compiled.loss.link().filter(says),
        optimizer: name.to_lowercase(),
        step_scale: step,
        learning_rate,
        options: compiled.optimizer.options().cloned().unwrap_or_default(),
        momentum,
        full_steps,
        epochs,
        skipped_epochs,
        before: compiled.steps,
        batch_size,
        batches,
        shuffle,
        accuracy: accuracy_name(&compiled.metrics).map(str::to_string),
        is_sum: compiled.loss.is_sum(),
        penalty: model.weight_penalty(),
    })
}

/// The most target values that are compared with a sample of numbers that looks like labels.
const CONFIRMED: usize = 1 << 20;

/// Compares all training targets with what a sample suggests, up to the first row of another class.
fn confirm<F: Scalar>(
    targets: &mut Targets,
    task: Task,
    data: &CheckedData<F>,
    train: usize,
    rows: &mut Rows<F>,
) {
    targets.suppose_one_class();
    let width = data.target * data.steps;
    // Only the rules about numbers ask whether all are labels.
    let labels = if task == Task::Numbers && targets.binary { CONFIRMED / width.max(1) } else { 0 };
    let at_a_time = (NUMBERS / width.max(1)).clamp(1, ROWS);
    let mut indices = Vec::new();
    for start in (0..train).step_by(at_a_time) {
        if targets.only_class.is_none() && (start >= labels || !targets.binary) {
            return;
        }
        indices.clear();
        indices.extend(start..train.min(start + at_a_time));
        data.gather_targets(&indices, rows);
        targets.confirm(Batch::new(&rows.y, data.target));
    }
    if let Some(count) = targets.only_class.and_then(|class| targets.classes.get_mut(class)) {
        *count = train * data.steps;
    }
}

/// What the diagnosis samples before a training.
pub(crate) struct Sampling<'s, 'd, F: Scalar> {
    pub(crate) model: &'s Sequential<F>,
    pub(crate) plan: Plan,
    pub(crate) budget: SamplingBudget,
    pub(crate) data: &'s CheckedData<'d, F>,
    /// The number of leading samples used for training.
    pub(crate) train: usize,
    pub(crate) held_out: Option<HeldOut<'s, 'd, F>>,
}

/// The held-out samples, from index `from` on.
#[derive(Clone, Copy)]
pub(crate) struct HeldOut<'s, 'd, F: Scalar> {
    pub(crate) data: &'s CheckedData<'d, F>,
    pub(crate) from: usize,
}

impl<F: Scalar> HeldOut<'_, '_, F> {
    fn count(&self) -> usize {
        self.data.count() - self.from
    }

    fn sample(&self, wanted: usize) -> Vec<usize> {
        let mut rows = sample(self.count(), wanted);
        rows.iter_mut().for_each(|row| *row += self.from);
        rows
    }
}

impl<F: Scalar> Sampling<'_, '_, F> {
    /// The width of the model's output.
    pub(crate) fn outputs(&self) -> usize {
        self.model.output_shape().and_then(|shape| shape.last().copied()).unwrap_or(1)
    }

    /// Creates empty statistics for the targets of `rows` samples.
    pub(crate) fn target_statistics(&self, rows: usize) -> Result<TargetStatistics<F>> {
        let compiled = self.model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let (loss, rows) = (compiled.loss.clone(), rows * self.data.steps);
        Ok(TargetStatistics::new(loss, self.plan.task, self.outputs(), rows, self.data.target))
    }

    /// Creates a monitor of the sampled data, reading through the buffers of `rows`.
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
        // Inputs are wider than targets, so more rows of targets can be sampled.
        let least = (budget.numbers / data.width().max(1)).clamp(8, 16);
        let few = wanted.min((NUMBERS / data.width().max(1)).max(least));
        data.gather(None, &sample(train, few), rows)?;
        facts.sample_inputs(Batch::new(&rows.x, data.width()));
        facts.search_copies(Batch::new(&rows.x, data.width()), Batch::new(&rows.y, data.target));
        // Samples of different lengths are padded only to the length of their batch.
        if data.lengths().is_none() && model.layers.iter().any(|layer| layer.traits().is_recurrent) {
            facts.search_padding(Batch::new(&rows.x, data.width()));
        }
        if self.plan.epochs.is_none() {
            facts.search_extremes(Batch::new(&rows.x, data.width()));
        }
        let held_out = self.held_out.filter(|held| !held.data.is_source() && !data.is_source());
        let mut others = Rows::default();
        if let Some(held) = held_out {
            held.data.gather(None, &held.sample(few), &mut others)?;
            facts.sample_validation(Batch::new(&others.x, data.width()));
        }
        if VaryingConstants::concern(&model.layers).is_some() {
            let others = held_out.map(|_| Batch::new(&others.x, data.width()));
            facts.varying_constants =
                VaryingConstants::of(&model.layers, Batch::new(&rows.x, data.width()), others);
        }
        if few < wanted && !data.is_source() {
            data.gather_targets(&sample(train, wanted), rows);
        }
        facts.sample_targets(task, outputs, Batch::new(&rows.y, data.target));
        if !data.is_source() {
            confirm(&mut facts.targets, task, data, train, rows);
        }
        if let Some(held) = held_out {
            let sampled = held.sample(wanted.max(VALIDATION_TARGETS / (data.target * data.steps).max(1)));
            held.data.gather_targets(&sampled, rows);
            let batch = Minibatch { data: held.data, indices: &sampled };
            let BatchTargets { y: targets, weights, .. } = batch.targets(rows);
            let mut statistics = self.target_statistics(targets.rows())?;
            statistics.add(targets, weights);
            // Which steps are padding is known only after a prediction; the loss leaves them out.
            let is_masked = matches!(mask::sources(&model.layers).last(), Some(MaskSource::Layer(_)));
            facts.validation = Some(ValidationFacts {
                is_split: held.from > 0,
                scale: statistics.scale().filter(|_| !is_masked),
                is_complete: sampled.len() == held.count() && weights.is_none() && data.steps == 1,
                ..ValidationFacts::of(task, outputs, targets)
            });
        }
        // Equal rows: a few wide samples are enough.
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
        facts.weights = data.weights.as_ref().map(|weights| WeightFacts::of(&weights[..train * data.steps]));
        let target_statistics = self.target_statistics(train)?;
        Ok(Monitor::new(&model.layers, self.plan, facts, target_statistics, budget.sampled))
    }
}
