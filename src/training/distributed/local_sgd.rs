//! Steps of each rank on its own parts of the batches, and the means of all weights where the ranks meet: local SGD.

use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::param::Param;
use crate::scalar::Scalar;
use crate::training::data::{CheckedData, RunningScores};
use crate::training::diagnosis::Diagnosis;
use crate::training::step::{At, Trainer};
use crate::training::update;

/// What a rank has to tell when it meets the others.
pub(crate) struct Apart<F> {
    /// Steps since it last did.
    steps: usize,
    /// What went wrong since: it takes no further step.
    failed: Option<Error>,
    /// The numbers that no optimizer changes, as they were then.
    before: Vec<F>,
    /// All that become means, one behind another.
    flat: Vec<F>,
}

impl<F: Scalar> Apart<F> {
    pub(crate) fn new() -> Self {
        Apart { steps: 0, failed: None, before: Vec::new(), flat: Vec::new() }
    }

    /// A step on this rank's part of the samples `indices`. Tells whether the ranks met after it, as they do after the `last`
    /// of an epoch.
    pub(crate) fn step(
        &mut self,
        model: &mut Sequential<F>,
        trainer: &mut Trainer<F>,
        (data, indices, measure): (&CheckedData<F>, &[usize], &mut RunningScores<F>),
        (at, last): (At, bool),
        diagnosis: Option<&mut Diagnosis<F>>,
        ranks: &Ranks,
    ) -> Result<bool> {
        if self.steps == 0 {
            self.before.clear();
            each_fixed(model, &mut |param| self.before.extend_from_slice(param.value()));
        }
        measure.part_from(indices.len(), data.steps, ranks);
        let part = ranks.parts(indices.len()).next().unwrap_or(0..0);
        match &self.failed {
            None if part.is_empty() => update::sit_out(model),
            None => {
                trainer.first_row = part.start;
                let at = At { ranks: None, ..at };
                self.failed = trainer.step(model, data, &indices[part], measure, at, diagnosis).err();
            }
            Some(_) => {}
        }
        self.steps += 1;
        if !last && ranks.meets_after().is_some_and(|steps| self.steps < steps) {
            return Ok(false);
        }
        self.steps = 0;
        let failed = measure.meet(data.weights.is_some(), self.failed.is_some(), ranks)?;
        self.average(model, ranks)?;
        if failed { self.agree(ranks) } else { Ok(true) }
    }

    /// Replaces all numbers that change in a training by their means over the ranks.
    fn average(&mut self, model: &mut Sequential<F>, ranks: &Ranks) -> Result<()> {
        self.flat.clear();
        each_array(model, &mut |array| self.flat.extend_from_slice(array));
        let trained = self.flat.len();
        // Of numbers that are the same everywhere, such as those of `Normalization`, every bit stays.
        each_fixed(model, &mut |param| self.flat.extend_from_slice(param.value()));
        self.flat[trained..].iter_mut().zip(&self.before).for_each(|(now, before)| *now -= *before);
        ranks.sum(&mut self.flat)?;
        let share = F::of(ranks.size() as f64);
        self.flat.iter_mut().for_each(|sum| *sum /= share);
        self.flat[trained..].iter_mut().zip(&self.before).for_each(|(change, before)| *change += *before);
        let mut rest = &self.flat[..];
        let mut take = |array: &mut [F]| {
            let (own, others) = rest.split_at(array.len());
            array.copy_from_slice(own);
            rest = others;
        };
        each_array(model, &mut take);
        each_fixed(model, &mut |param| take(&mut param.value));
        Ok(())
    }

    /// Where any rank has failed, all end in the same error.
    fn agree(&mut self, ranks: &Ranks) -> Result<bool> {
        let own = self.failed.take();
        let mut divergence = own.as_ref().and_then(Error::divergence);
        if let Some((_, (_, (_, place)))) = &mut divergence {
            *place += &format!(" on rank {}", ranks.rank());
        }
        let fails_otherwise = own.is_some() && divergence.is_none();
        let told = ranks.gather((fails_otherwise, divergence))?;
        let others = told.iter().any(|(fails, _)| *fails);
        // The first in time, of these the lowest rank.
        let divergences = told.into_iter().filter_map(|(_, divergence)| divergence);
        let first = divergences.min_by_key(|(at, _)| *at).filter(|_| !others);
        match ranks.tell(first)? {
            Some(first) => Err(Error::diverged(first)),
            None => {
                let own = own.filter(|_| fails_otherwise);
                ranks.agree_if(true, own.map_or(Ok(true), Err))
            }
        }
    }
}

/// Calls `f` with all that an optimizer changes.
fn each_array<F: Scalar>(model: &mut Sequential<F>, f: &mut dyn FnMut(&mut [F])) {
    update::each_trained(model, &mut |param| {
        f(&mut param.value);
        param.slots.iter_mut().for_each(|slot| f(slot));
        f(&mut param.accumulated);
        f(&mut param.average);
    });
}

/// Calls `f` with the parameters of trained layers that no optimizer changes, such as moving averages.
fn each_fixed<F: Scalar>(model: &mut Sequential<F>, f: &mut dyn FnMut(&mut Param<F>)) {
    for layer in &mut model.layers {
        layer.walk_mut(&mut |trained, param| {
            if trained && !param.is_trainable() {
                f(param);
            }
        });
    }
}
