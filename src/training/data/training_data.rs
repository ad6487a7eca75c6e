//! Data as passed by the caller: two arrays, or a source of batches.

use super::Names;
use crate::data::{BatchSource, check_source};
use crate::error::Result;
use crate::kernel;
use crate::samples::{Samples, check_all_finite, check_finite, check_not_empty, fits_input};
use crate::scalar::Scalar;

/// The origin of samples and targets.
#[derive(Clone, Copy)]
pub(crate) enum TrainingData<'a, F: Scalar> {
    Arrays { x: &'a dyn Samples<F>, y: &'a dyn Samples<F> },
    Batches(&'a dyn BatchSource<F>),
}

/// Buffers for gathered samples, with their targets and weights.
#[derive(Default)]
pub(crate) struct Rows<F> {
    /// The shape of one sample, if it differs from batch to batch.
    pub(crate) shape: Option<Vec<usize>>,
    /// The number of values of one sample.
    pub(crate) width: usize,
    /// The number of rows of the loss per sample.
    pub(crate) steps: usize,
    pub(crate) x: Vec<F>,
    pub(crate) y: Vec<F>,
    pub(crate) weights: Vec<F>,
}

impl<F> Rows<F> {
    pub(crate) fn clear(&mut self) {
        self.x.clear();
        self.y.clear();
        self.weights.clear();
    }
}

/// The number of samples read at a time from a source when only targets are needed.
const READ_AT_A_TIME: usize = 64;

impl<F: Scalar> TrainingData<'_, F> {
    pub(crate) fn check_not_empty(&self, names: Names) -> Result<()> {
        match self {
            TrainingData::Arrays { x, y } => {
                check_not_empty(names.x, *x)?;
                check_not_empty(names.y, *y)
            }
            TrainingData::Batches(source) => check_source(*source),
        }
    }

    /// The numbers of samples and of targets.
    pub(crate) fn counts(&self) -> (usize, usize) {
        match self {
            TrainingData::Arrays { x, y } => (x.count(), y.count()),
            TrainingData::Batches(source) => (source.count(), source.count()),
        }
    }

    pub(crate) fn input_shape(&self) -> Vec<usize> {
        match self {
            TrainingData::Arrays { x, .. } => x.sample_shape(),
            TrainingData::Batches(source) => source.input_shape(),
        }
    }

    /// The length of each sample, if samples differ in it.
    pub(crate) fn lengths(&self) -> Option<Vec<usize>> {
        let TrainingData::Batches(source) = self else { return None };
        if source.count() == 0 {
            return None;
        }
        (0..source.count()).map(|index| source.length(index)).collect()
    }

    /// Whether each sample has the shape of an input.
    pub(crate) fn fits_input(&self, input: &[usize]) -> bool {
        match self {
            TrainingData::Arrays { x, .. } => fits_input(*x, input),
            TrainingData::Batches(source) => {
                let found = source.input_shape();
                found == input || (input.is_empty() && found == [1])
            }
        }
    }

    pub(crate) fn target_shape(&self) -> Vec<usize> {
        match self {
            TrainingData::Arrays { y, .. } => y.sample_shape(),
            TrainingData::Batches(source) => source.target_shape(),
        }
    }

    /// Refuses NaN and infinities in arrays; batches are checked when they are read.
    pub(crate) fn check_finite(&self, names: Names) -> Result<()> {
        match self {
            TrainingData::Arrays { x, y } => {
                check_finite(names.x, *x)?;
                check_finite(names.y, *y)?;
                Ok(())
            }
            TrainingData::Batches(_) => Ok(()),
        }
    }

    /// Reads the samples of these indices and their targets. `epoch` is set for training batches.
    pub(crate) fn read(
        &self,
        names: Names,
        epoch: Option<u64>,
        indices: &[usize],
        x: &mut [F],
        y: &mut [F],
    ) -> Result<()> {
        match self {
            _ if indices.is_empty() => Ok(()),
            TrainingData::Arrays { x: from_x, y: from_y } => {
                rows(*from_x, indices, x);
                rows(*from_y, indices, y);
                Ok(())
            }
            TrainingData::Batches(source) => {
                match epoch {
                    Some(epoch) => source.fill_epoch(epoch, indices, x, y)?,
                    None => source.fill(indices, x, y)?,
                }
                for (argument, values) in [(names.x, &*x), (names.y, &*y)] {
                    let width = values.len() / indices.len().max(1);
                    if !kernel::all_finite(values) {
                        for (&index, row) in indices.iter().zip(values.chunks_exact(width)) {
                            check_all_finite(argument, row, width, index)?;
                        }
                    }
                }
                Ok(())
            }
        }
    }

    /// Reads the targets of these indices of an array.
    pub(crate) fn read_targets(&self, indices: &[usize], y: &mut [F]) {
        if let TrainingData::Arrays { y: from, .. } = self {
            rows(*from, indices, y);
        }
    }

    /// All targets as a slice, if they are contiguous in memory.
    pub(crate) fn targets(&self) -> Option<&[F]> {
        match self {
            TrainingData::Arrays { y, .. } => y.as_slice(),
            TrainingData::Batches(_) => None,
        }
    }

    /// Calls `f` with the index and the values of each sample of an array.
    pub(crate) fn each_sample(
        &self,
        width: usize,
        mut f: impl FnMut(usize, &[F]) -> Result<()>,
    ) -> Result<()> {
        let TrainingData::Arrays { x, .. } = self else { return Ok(()) };
        let mut sample = vec![F::zero(); width];
        (0..x.count()).try_for_each(|index| {
            x.read(index, &mut sample);
            f(index, &sample)
        })
    }

    /// Calls `f` with the index and the target of each sample.
    pub(crate) fn each_target(
        &self,
        names: Names,
        mut f: impl FnMut(usize, &[F]) -> Result<()>,
    ) -> Result<()> {
        let target = self.target_shape().iter().product();
        match self {
            TrainingData::Arrays { y, .. } => {
                if let Some(all) = y.as_slice() {
                    return all.chunks_exact(target).enumerate().try_for_each(|(index, y)| f(index, y));
                }
                let mut sample = vec![F::zero(); target];
                (0..y.count()).try_for_each(|index| {
                    y.read(index, &mut sample);
                    f(index, &sample)
                })
            }
            TrainingData::Batches(source) => {
                let width: usize = source.input_shape().iter().product();
                let (mut x, mut y) =
                    (vec![F::zero(); READ_AT_A_TIME * width], vec![F::zero(); READ_AT_A_TIME * target]);
                for start in (0..source.count()).step_by(READ_AT_A_TIME) {
                    let indices: Vec<usize> = (start..source.count().min(start + READ_AT_A_TIME)).collect();
                    let (x, y) = (&mut x[..indices.len() * width], &mut y[..indices.len() * target]);
                    self.read(names, None, &indices, x, y)?;
                    indices.iter().zip(y.chunks_exact(target)).try_for_each(|(&index, y)| f(index, y))?;
                }
                Ok(())
            }
        }
    }
}

/// Gathers the samples of these indices.
fn rows<F: Scalar>(samples: &dyn Samples<F>, indices: &[usize], to: &mut [F]) {
    let width = to.len() / indices.len().max(1);
    match samples.as_slice() {
        Some(all) => kernel::gather(all, width, indices, to),
        None => to.chunks_exact_mut(width).zip(indices).for_each(|(row, &index)| samples.read(index, row)),
    }
}
