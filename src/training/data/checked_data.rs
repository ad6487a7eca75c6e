//! Training data after all checks: samples, targets and weights that fit the model and its loss.

use super::Names;
use super::training_data::{Rows, TrainingData};
use crate::error::{Error, ExpectedShape, ExpectedTarget, Result, Shape};
use crate::kernel;
use crate::layer::NamedLayer;
use crate::loss::{Loss, Target};
use crate::model::{InputShape, Sequential};
use crate::samples::check_indices;
use crate::scalar::Scalar;

/// Samples with their targets, and the weight of each row.
#[derive(Clone)]
pub(crate) struct CheckedData<'a, F: Scalar> {
    source: TrainingData<'a, F>,
    pub(super) names: Names,
    width: usize,
    /// The length of each sample, if samples differ in it.
    lengths: Option<Vec<usize>>,
    /// Whether outputs and targets differ in the number of steps, too.
    opens_steps: bool,
    /// The number of valid indices, if the model reads indices.
    indices: Option<usize>,
    /// The kind of targets that the loss reads, and the number of classes in the output.
    labels: (Target, usize),
    /// Rows of the loss per sample: 1, or the number of steps if the output is `(steps, classes)`.
    pub(crate) steps: usize,
    /// The width of one row of targets.
    pub(crate) target: usize,
    /// One weight per row, unless all are 1.
    pub(crate) weights: Option<Vec<F>>,
}

/// The input and output shapes of a model.
#[derive(Clone, Copy)]
pub(crate) struct ModelShapes<'m> {
    pub(crate) input: &'m [usize],
    pub(crate) output: &'m [usize],
    /// The input shape, if any of its axes is open.
    open: Option<&'m InputShape>,
    /// Which axes of the output depend on open axes.
    open_outputs: &'m [bool],
    indices: Option<usize>,
}

impl<'m> ModelShapes<'m> {
    pub(crate) fn of<F: Scalar>(model: &'m Sequential<F>) -> Result<Self> {
        match (model.input_shape(), model.output_shape()) {
            (Some(input), Some(output)) => {
                let open_outputs = model.layers.last().map_or(&[][..], NamedLayer::open_outputs);
                let (open, indices) = (model.open.as_ref(), model.indices());
                Ok(ModelShapes { input, output, open, open_outputs, indices })
            }
            _ => Err(Error::NotBuilt),
        }
    }
}

impl<'a, F: Scalar> CheckedData<'a, F> {
    /// Checks all data before a training or an evaluation.
    pub(crate) fn new(
        names: Names,
        source: TrainingData<'a, F>,
        ends: ModelShapes,
        loss: &dyn Loss<F>,
    ) -> Result<Self> {
        source.check_not_empty(names)?;
        CheckedData::of_shard(names, source, ends, loss)
    }

    /// As `new`, for one of several shards, which may have no samples.
    pub(crate) fn of_shard(
        names: Names,
        source: TrainingData<'a, F>,
        shapes: ModelShapes,
        loss: &dyn Loss<F>,
    ) -> Result<Self> {
        let ModelShapes { input, output, open, open_outputs, indices } = shapes;
        if !source.fits_input(input) {
            let expected = open.map_or_else(|| ExpectedShape::exactly(input), InputShape::expected);
            return Err(Error::SampleShape {
                argument: names.x.into(),
                expected,
                found: source.input_shape(),
            });
        }
        let lengths = source.lengths();
        if let Some(lengths) = &lengths {
            check_lengths(names, lengths, shapes)?;
        }
        let (x, found) = source.counts();
        if x != found {
            return Err(Error::Length { x, argument: names.y.into(), found });
        }
        let (steps, target) = fit_target(names, &source.target_shape(), output, loss)?;
        let classes = match loss.target() {
            // `F` holds all whole numbers up to 2/ε.
            Target::Labels => (2.0 / F::epsilon().as_f64()).min(2f64.powi(31)) as usize,
            _ => output.last().copied().unwrap_or(1),
        };
        let labels = (loss.target(), classes);
        let width = input.iter().product();
        let opens_steps = lengths.is_some() && open_outputs.contains(&true);
        let data = CheckedData {
            source,
            names,
            width,
            lengths,
            opens_steps,
            indices,
            labels,
            steps,
            target,
            weights: None,
        };
        if let TrainingData::Arrays { .. } = data.source {
            data.source.check_finite(names)?;
            if indices.is_some() {
                data.source.each_sample(width, |index, sample| data.check_indices(index, sample))?;
            }
            match data.source.targets() {
                _ if data.labels.0 == Target::Numbers => {}
                Some(all) => data.check_targets(0, all)?,
                None => data.each_target(|row, values| data.check_targets(row, values))?,
            }
        }
        Ok(data)
    }

    /// The error for shards that are empty on all ranks.
    pub(crate) fn empty_error(&self) -> Error {
        Error::Empty { argument: self.names.x.into(), shape: vec![0, self.width] }
    }

    /// The shape of one target, as passed by the caller.
    pub(crate) fn target_shape(&self) -> Vec<usize> {
        self.source.target_shape()
    }

    /// Gathers the samples, targets and weights of these indices into a batch. `epoch`, the model's epoch count, is set
    /// for training batches. Samples of different lengths are padded to the largest length of the data.
    pub(crate) fn gather(&self, epoch: Option<u64>, indices: &[usize], into: &mut Rows<F>) -> Result<()> {
        (into.shape, into.width, into.steps) = (None, self.width, self.steps);
        self.fill(epoch, indices, into)
    }

    /// As [`CheckedData::gather`]; pads samples of different lengths to the largest length among them.
    pub(crate) fn gather_batch(
        &self,
        epoch: Option<u64>,
        indices: &[usize],
        into: &mut Rows<F>,
    ) -> Result<()> {
        let Some(lengths) = &self.lengths else { return self.gather(epoch, indices, into) };
        let mut shape = self.source.input_shape();
        let longest = shape[0];
        shape[0] = indices.iter().map(|&index| lengths[index]).max().unwrap_or(longest);
        into.steps = if self.opens_steps { self.steps / longest * shape[0] } else { self.steps };
        into.width = shape.iter().product();
        into.shape = Some(shape);
        self.fill(epoch, indices, into)
    }

    /// Reads the samples of these indices in the size that `into` states.
    fn fill(&self, epoch: Option<u64>, indices: &[usize], into: &mut Rows<F>) -> Result<()> {
        let Rows { ref mut x, ref mut y, width, steps, .. } = *into;
        x.resize(indices.len() * width, F::zero());
        y.resize(indices.len() * steps * self.target, F::zero());
        self.source.read(self.names, epoch, indices, x, y)?;
        if let TrainingData::Batches(_) = self.source {
            for (&index, sample) in indices.iter().zip(x.chunks_exact(width)) {
                self.check_indices(index, sample)?;
            }
            for (&index, targets) in indices.iter().zip(y.chunks_exact(steps * self.target)) {
                self.check_targets(index * self.steps, targets)?;
            }
        }
        self.gather_weights(indices, &mut into.weights);
        Ok(())
    }

    /// The length of each sample, if samples differ in it.
    pub(crate) fn lengths(&self) -> Option<&[usize]> {
        self.lengths.as_deref()
    }

    /// The shape of one sample; the largest, if samples differ in length.
    pub(crate) fn input_shape(&self) -> Vec<usize> {
        self.source.input_shape()
    }

    /// Refuses weights of single steps if samples differ in length.
    pub(super) fn check_step_weights(&self, argument: &'static str) -> Result<()> {
        match self.opens_steps {
            true => {
                Err(Error::argument(argument, "none for steps of samples of different lengths", "weights"))
            }
            false => Ok(()),
        }
    }

    /// Whether the samples come from a source, batch by batch.
    pub(crate) fn is_source(&self) -> bool {
        matches!(self.source, TrainingData::Batches(_))
    }

    /// Gathers the targets and weights of these indices of arrays.
    pub(crate) fn gather_targets(&self, indices: &[usize], into: &mut Rows<F>) {
        into.y.resize(indices.len() * self.steps * self.target, F::zero());
        self.source.read_targets(indices, &mut into.y);
        self.gather_weights(indices, &mut into.weights);
    }

    fn gather_weights(&self, indices: &[usize], weights: &mut Vec<F>) {
        if let Some(all) = &self.weights {
            weights.resize(indices.len() * self.steps, F::zero());
            kernel::gather(all, self.steps, indices, weights);
        }
    }

    /// The width of one sample of `x`.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The number of samples.
    pub(crate) fn count(&self) -> usize {
        self.source.counts().0
    }

    /// Refuses a sample with invalid indices, if the model reads indices.
    fn check_indices(&self, index: usize, sample: &[F]) -> Result<()> {
        match self.indices {
            Some(count) => check_indices(self.names.x, sample, sample.len(), index, count),
            None => Ok(()),
        }
    }

    /// Refuses rows of targets, starting at row `row`, that are not valid classes or probabilities for the loss.
    fn check_targets(&self, row: usize, values: &[F]) -> Result<()> {
        let (target, classes) = self.labels;
        let (zero, one, end) = (F::zero(), F::one(), F::of(classes as f64));
        let fits = |t: F| match target {
            Target::Numbers => true,
            Target::Probabilities | Target::Distribution => (t >= zero) & (t <= one),
            Target::Labels => (t >= zero) & (t < end) & (t == t.trunc()),
            Target::Classes { ignored } => {
                ((t >= zero) & (t < end) & (t == t.trunc()))
                    || ignored.is_some_and(|class| t == F::of(class as f64))
            }
        };
        if kernel::simd!(|| values.iter().fold(true, |all, &t| all & fits(t))) {
            return Ok(());
        }
        let place = values.iter().position(|&t| !fits(t)).unwrap_or(0);
        let row = (row + place / self.target) / self.steps;
        let (argument, found) = (self.names.y.to_string(), values[place].as_f64());
        match target {
            Target::Probabilities | Target::Distribution => Err(Error::Probability { argument, row, found }),
            _ => Err(Error::Label { argument, row, found, classes }),
        }
    }

    /// Calls `f` with each row of targets.
    pub(crate) fn each_target(&self, mut f: impl FnMut(usize, &[F]) -> Result<()>) -> Result<()> {
        self.source.each_target(self.names, |index, sample| {
            let targets = sample.chunks_exact(self.target).enumerate();
            targets.into_iter().try_for_each(|(step, target)| f(index * self.steps + step, target))
        })
    }
}

/// Refuses samples of different lengths if the model has no open axis for them, or if the steps of its outputs do not follow them.
fn check_lengths(names: Names, lengths: &[usize], shapes: ModelShapes) -> Result<()> {
    let ModelShapes { input, output, open, open_outputs, .. } = shapes;
    let longest = input.first().copied().unwrap_or(0);
    if open.and_then(|open| open.axes().first()) != Some(&None) {
        let (shortest, expected) =
            (lengths.iter().min().copied().unwrap_or(0), ExpectedShape::exactly(input));
        let found = [&[shortest], input.get(1..).unwrap_or_default()].concat();
        return Err(Error::SampleShape { argument: names.x.into(), expected, found });
    }
    if let Some((index, &length)) =
        lengths.iter().enumerate().find(|(_, length)| **length == 0 || **length > longest)
    {
        let expected = format!("a length from 1 to {longest}, that of `input_shape`");
        return Err(Error::argument("length", expected, format!("{length} for sample {index}")));
    }
    match open_outputs {
        [true, others @ ..] if output[0] == longest && !others.is_empty() && !others.contains(&true) => {
            Ok(())
        }
        others if !others.contains(&true) => Ok(()),
        _ => {
            let expected = "outputs of one shape, or `(steps, ...)` with the steps of the samples, which differ in length";
            Err(Error::argument("output", expected, Shape(output)))
        }
    }
}

/// The number of loss rows per sample, and the width of the targets.
fn fit_target<F: Scalar>(
    names: Names,
    target: &[usize],
    output: &[usize],
    loss: &dyn Loss<F>,
) -> Result<(usize, usize)> {
    let (&width, outer) = output.split_last().unwrap_or((&1, &[]));
    let steps = outer.iter().product();
    let one_a_row =
        target == outer || target == [outer, &[1]].concat() || (outer.is_empty() && target == [1]);
    let sparse = matches!(loss.target(), Target::Classes { .. } | Target::Labels);
    if sparse && one_a_row {
        return Ok((steps, 1));
    }
    if !sparse && (target == output || (width == 1 && one_a_row)) {
        return Ok((steps, width));
    }
    let expected = match (sparse, one_a_row) {
        (true, _) => ExpectedTarget::ClassIndices([outer, &[1]].concat()),
        (false, true) if loss.target() != Target::Numbers => ExpectedTarget::OneHot(output.to_vec()),
        (false, _) => ExpectedTarget::Output(output.to_vec()),
    };
    Err(Error::TargetShape {
        argument: names.y,
        loss: loss.name().into(),
        output: output.to_vec(),
        expected,
        found: target.to_vec(),
    })
}
