//! Local SGD: each rank takes steps on its own parts of the batches, and the ranks average their models at intervals.

use super::partial_scores::{BatchSize, PartialScores};
use crate::diagnosis::Monitor;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::layer::NamedLayer;
use crate::model::Sequential;
use crate::param::Param;
use crate::scalar::Scalar;
use crate::training::step::{BatchPasses, BatchStep, Minibatch, StepMonitor, StepPosition};
use crate::training::update;

/// The state of a rank between two synchronizations.
pub(crate) struct LocalSgd<F> {
    /// Steps since the last synchronization.
    steps: usize,
    /// The error of this rank since then, after which it takes no further steps.
    failed: Option<Error>,
    /// The parameters that no optimizer updates, as of the last synchronization.
    before: Vec<F>,
    /// All values to average, concatenated.
    flat: Vec<F>,
}

/// A minibatch of one rank, whose scores are kept until the ranks synchronize.
struct LocalBatch<'r, F>(&'r mut PartialScores<F>);

impl<F: Scalar> BatchPasses<F> for LocalBatch<'_, F> {
    fn forward(&mut self, batch_step: &mut BatchStep<F>, monitor: Option<&mut Monitor<F>>) -> Result<f64> {
        batch_step.forward(monitor, |scores, loss, y_pred, targets, penalty| {
            self.0.add_local(scores, loss, y_pred, targets, penalty)
        })
    }
}

impl<F: Scalar> LocalSgd<F> {
    pub(crate) fn new() -> Self {
        LocalSgd { steps: 0, failed: None, before: Vec::new(), flat: Vec::new() }
    }

    /// Takes a step on this rank's part of the minibatch. Returns whether the ranks synchronized after it, as they do
    /// after the last batch of an epoch.
    pub(crate) fn step(
        &mut self,
        batch_step: BatchStep<F>,
        step: StepPosition,
        partial: &mut PartialScores<F>,
        monitor: Option<StepMonitor<F>>,
        ranks: &Ranks,
    ) -> Result<bool> {
        let BatchStep { trainer, model, batch, scores } = batch_step;
        if self.steps == 0 {
            self.before.clear();
            each_fixed(&mut model.layers, &mut |param| self.before.extend_from_slice(param.value()));
        }
        let size = BatchSize::new(batch.indices.len(), batch.data);
        partial.start_local(size, ranks);
        let part = ranks.parts(batch.indices.len()).next().unwrap_or(0..0);
        match &self.failed {
            None if part.is_empty() => update::skip(model),
            None => {
                trainer.first_row = part.start;
                let batch = Minibatch { indices: &batch.indices[part], ..batch };
                let mut own = BatchStep { trainer, model, batch, scores };
                self.failed = own.step(step, &mut LocalBatch(partial), monitor).err();
            }
            Some(_) => {}
        }
        self.steps += 1;
        let is_last = step.batch == step.batches;
        if !is_last && ranks.meets_after().is_some_and(|steps| self.steps < steps) {
            return Ok(false);
        }
        self.steps = 0;
        let failed = partial.meet(scores, size.is_weighted, self.failed.is_some(), ranks)?;
        self.average(model, ranks)?;
        if failed { self.agree(ranks) } else { Ok(true) }
    }

    /// Collects everything that training changes; of what no optimizer updates, the changes since the last synchronization, so
    /// that values that are equal on all ranks, such as those of `Normalization`, keep every bit. Returns the number of the others.
    fn collect(&mut self, model: &mut Sequential<F>) -> usize {
        self.flat.clear();
        each_array(&mut model.layers, &mut |array| self.flat.extend_from_slice(array));
        let trained = self.flat.len();
        each_fixed(&mut model.layers, &mut |param| self.flat.extend_from_slice(param.value()));
        self.flat[trained..].iter_mut().zip(&self.before).for_each(|(now, before)| *now -= *before);
        trained
    }

    /// Replaces everything that training changes by its mean over the ranks.
    fn average(&mut self, model: &mut Sequential<F>, ranks: &Ranks) -> Result<()> {
        let trained = self.collect(model);
        ranks.sum(&mut self.flat)?;
        let share = F::of(ranks.size() as f64);
        // A sum of finite numbers may overflow, and that of their shares does not. All ranks see the same sum.
        let overflows = self.flat.iter().any(|sum| !sum.is_finite());
        if overflows {
            self.collect(model);
        }
        self.flat.iter_mut().for_each(|value| *value /= share);
        if overflows {
            ranks.sum(&mut self.flat)?;
        }
        self.flat[trained..].iter_mut().zip(&self.before).for_each(|(change, before)| *change += *before);
        let mut rest = &self.flat[..];
        let mut take = |array: &mut [F]| {
            let (own, others) = rest.split_at(array.len());
            array.copy_from_slice(own);
            rest = others;
        };
        each_array(&mut model.layers, &mut take);
        each_fixed(&mut model.layers, &mut |param| take(&mut param.value));
        Ok(())
    }

    /// Fails on all ranks if one of them failed.
    fn agree(&mut self, ranks: &Ranks) -> Result<bool> {
        let own = self.failed.take();
        let mut divergence = own.as_ref().and_then(Error::divergence);
        if let Some(divergence) = &mut divergence {
            divergence.place += &format!(" on rank {}", ranks.rank());
        }
        let fails_otherwise = own.is_some() && divergence.is_none();
        let states = ranks.gather((fails_otherwise, divergence))?;
        let others = states.iter().any(|(fails, _)| *fails);
        // The earliest divergence counts; among equals, that of the lowest rank.
        let divergences = states.into_iter().filter_map(|(_, divergence)| divergence);
        let first =
            divergences.min_by_key(|divergence| (divergence.epoch, divergence.batch)).filter(|_| !others);
        match ranks.broadcast(first)? {
            Some(first) => Err(first.into()),
            None => {
                let own = own.filter(|_| fails_otherwise);
                ranks.agree_if(true, own.map_or(Ok(true), Err))
            }
        }
    }
}

/// Calls `f` with all arrays that an optimizer updates.
fn each_array<F: Scalar>(layers: &mut [NamedLayer<F>], f: &mut dyn FnMut(&mut [F])) {
    update::each_trained(layers, &mut |param| {
        param.is_moderate = false;
        param.arrays_mut().for_each(|array| f(array));
    });
}

/// Calls `f` with the parameters of trainable layers that no optimizer updates, such as moving averages.
fn each_fixed<F: Scalar>(layers: &mut [NamedLayer<F>], f: &mut dyn FnMut(&mut Param<F>)) {
    for layer in layers {
        layer.walk_mut(&mut |trained, param| {
            if trained && !param.is_trainable() {
                f(param);
            }
        });
    }
}
