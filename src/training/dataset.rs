//! Data that was checked at the door: samples, targets and weights that fit the model and its loss.

use super::given::{Given, Rows};
use crate::error::{Error, Result};
use crate::kernel;
use crate::loss::{Loss, Target};
use crate::model::Sequential;
use crate::samples::check_indices;
use crate::scalar::Scalar;

/// Samples with their targets, and how much each row counts.
#[derive(Clone)]
pub(super) struct Dataset<'a, F: Scalar> {
    given: Given<'a, F>,
    names: Names,
    width: usize,
    /// How many indices the model reads, where it reads indices.
    indices: Option<usize>,
    /// What the loss reads as targets, and how many classes the output has.
    labels: (Target, usize),
    /// Rows of the loss in one sample: 1, or the steps of an output of `(steps, classes)`.
    pub(super) steps: usize,
    /// The width of one row of targets.
    pub(super) target: usize,
    /// The largest absolute value of `x`, where it is known.
    pub(super) largest: Option<F>,
    /// One weight for each row, where not all are 1.
    pub(super) weights: Option<Vec<F>>,
}

/// What goes into a model and comes out of it.
#[derive(Clone, Copy)]
pub(super) struct Ends<'m> {
    pub(super) input: &'m [usize],
    pub(super) output: &'m [usize],
    indices: Option<usize>,
}

impl<'m> Ends<'m> {
    pub(super) fn of<F: Scalar>(model: &'m Sequential<F>) -> Result<Self> {
        match (model.input_shape(), model.output_shape()) {
            (Some(input), Some(output)) => Ok(Ends { input, output, indices: model.indices() }),
            _ => Err(Error::NotBuilt),
        }
    }
}

/// What is called what in errors.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) x: &'static str,
    pub(super) y: &'static str,
    pub(super) weight: &'static str,
}

pub(super) const TRAINING: Names = Names { x: "x", y: "y", weight: "sample_weight" };
pub(super) const VALIDATION: Names =
    Names { x: "validation x", y: "validation y", weight: "validation_weight" };

impl<'a, F: Scalar> Dataset<'a, F> {
    /// Checks everything that could not be trained on.
    pub(super) fn new(names: Names, given: Given<'a, F>, ends: Ends, loss: &dyn Loss<F>) -> Result<Self> {
        given.check_not_empty(names)?;
        Dataset::of_shard(names, given, ends, loss)
    }

    /// The same for one of several shards, which may have no sample.
    pub(super) fn of_shard(
        names: Names,
        given: Given<'a, F>,
        Ends { input, output, indices }: Ends,
        loss: &dyn Loss<F>,
    ) -> Result<Self> {
        if given.input_shape() != input {
            let (argument, expected) = (names.x.into(), input.to_vec());
            return Err(Error::SampleShape { argument, expected, found: given.input_shape() });
        }
        let (x, found) = given.counts();
        if x != found {
            return Err(Error::Length { x, argument: names.y.into(), found });
        }
        let (steps, target) = fit_target(names, &given.target_shape(), output, loss)?;
        let labels = (loss.target(), output.last().copied().unwrap_or(1));
        let width = input.iter().product();
        let mut data =
            Dataset { given, names, width, indices, labels, steps, target, largest: None, weights: None };
        if let Given::Arrays { .. } = data.given {
            data.largest = data.given.check_finite(names)?;
            if indices.is_some() {
                data.given.each_sample(width, |index, sample| data.check_indices(index, sample))?;
            }
            match data.given.targets() {
                _ if data.labels.0 == Target::Numbers => {}
                Some(all) => data.check_targets(0, all)?,
                None => data.each_target(|row, values| data.check_targets(row, values))?,
            }
        }
        Ok(data)
    }

    /// The shape of one target, as it was given.
    pub(super) fn target_shape(&self) -> Vec<usize> {
        self.given.target_shape()
    }

    /// Copies the samples, targets and weights of these indices together into a batch; one to be trained on in an epoch of
    /// the model's life, where that is given.
    pub(super) fn gather(&self, epoch: Option<u64>, indices: &[usize], into: &mut Rows<F>) -> Result<()> {
        let Rows { x, y, .. } = into;
        x.resize(indices.len() * self.width, F::zero());
        y.resize(indices.len() * self.steps * self.target, F::zero());
        self.given.read(self.names, epoch, indices, x, y)?;
        if let Given::Batches(_) = self.given {
            for (&index, sample) in indices.iter().zip(x.chunks_exact(self.width)) {
                self.check_indices(index, sample)?;
            }
            for (&index, targets) in indices.iter().zip(y.chunks_exact(self.steps * self.target)) {
                self.check_targets(index * self.steps, targets)?;
            }
        }
        self.gather_weights(indices, &mut into.weights);
        Ok(())
    }

    /// Whether the samples come from a source, batch by batch.
    pub(super) fn is_source(&self) -> bool {
        matches!(self.given, Given::Batches(_))
    }

    /// Copies the targets and weights of these indices of arrays together.
    pub(super) fn gather_targets(&self, indices: &[usize], into: &mut Rows<F>) {
        into.y.resize(indices.len() * self.steps * self.target, F::zero());
        self.given.read_targets(indices, &mut into.y);
        self.gather_weights(indices, &mut into.weights);
    }

    fn gather_weights(&self, indices: &[usize], weights: &mut Vec<F>) {
        if let Some(all) = &self.weights {
            weights.resize(indices.len() * self.steps, F::zero());
            kernel::gather(all, self.steps, indices, weights);
        }
    }

    /// How many numbers one sample of `x` has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// How many samples.
    pub(super) fn count(&self) -> usize {
        self.given.counts().0
    }

    /// Refuses a sample of numbers that are no indices, where the model reads indices.
    fn check_indices(&self, index: usize, sample: &[F]) -> Result<()> {
        match self.indices {
            Some(count) => check_indices(self.names.x, sample, self.width, index, count),
            None => Ok(()),
        }
    }

    /// Refuses rows of targets, the first of them row `row`, that are no class or no probability, where the loss needs such.
    fn check_targets(&self, row: usize, values: &[F]) -> Result<()> {
        let (target, classes) = self.labels;
        let (zero, one, end) = (F::zero(), F::one(), F::of(classes as f64));
        let fits = |t: F| match target {
            Target::Numbers => true,
            Target::Probabilities | Target::Distribution => (t >= zero) & (t <= one),
            Target::Classes { ignored } => {
                ((t >= zero) & (t < end) & (t == t.trunc()))
                    || ignored.is_some_and(|class| t == F::of(class as f64))
            }
        };
        if kernel::wide(|| values.iter().fold(true, |all, &t| all & fits(t))) {
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
    pub(super) fn each_target(&self, mut f: impl FnMut(usize, &[F]) -> Result<()>) -> Result<()> {
        self.given.each_target(self.names, |index, sample| {
            let targets = sample.chunks_exact(self.target).enumerate();
            targets.into_iter().try_for_each(|(step, target)| f(index * self.steps + step, target))
        })
    }
}

/// How many rows of the loss a sample has, and how wide the targets are.
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
    let sparse = matches!(loss.target(), Target::Classes { .. });
    if sparse && one_a_row {
        return Ok((steps, 1));
    }
    if !sparse && (target == output || (width == 1 && one_a_row)) {
        return Ok((steps, width));
    }
    let shape = |shape: &[usize]| crate::error::Shape(shape).to_string();
    let expected = match (sparse, one_a_row) {
        (true, _) => format!("{}, one class index a row", shape(&[outer, &[1]].concat())),
        (false, true) if loss.target() != Target::Numbers => {
            format!(
                "{}; for class indices use SparseCategoricalCrossentropy, or to_categorical",
                shape(output)
            )
        }
        (false, _) => shape(output),
    };
    Err(Error::TargetShape {
        argument: names.y.into(),
        loss: loss.name().into(),
        output: output.to_vec(),
        expected,
        found: target.to_vec(),
    })
}
