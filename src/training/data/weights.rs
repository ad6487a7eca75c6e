//! How much each row of a dataset counts: by its sample weight, and by its class.

use super::{CheckedData, Names};
use crate::data::{ClassWeight, check_weights, class_of};
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::loss::{Loss, Target};
use crate::samples::Samples;
use crate::scalar::Scalar;

impl<F: Scalar> CheckedData<'_, F> {
    /// Weights each row by its sample weight: one a sample, or one a row.
    pub(crate) fn weigh_samples(&mut self, names: Names, weight: &dyn Samples<F>) -> Result<()> {
        if weight.count() != self.count() {
            return Err(Error::Length {
                x: self.count(),
                argument: names.weight.into(),
                found: weight.count(),
            });
        }
        let found: usize = weight.sample_shape().iter().product();
        if found != 1 && found != self.steps {
            let (argument, expected) = (names.weight.into(), vec![self.steps]);
            return Err(Error::SampleShape { argument, expected, found: weight.sample_shape() });
        }
        let mut all = vec![F::zero(); self.count() * self.steps];
        for (index, rows) in all.chunks_exact_mut(self.steps).enumerate() {
            weight.read(index, &mut rows[..found]);
            if found == 1 {
                rows.fill(rows[0]);
            }
        }
        check_weights("sample", all.iter().step_by(self.steps / found).map(|w| w.as_f64()))?;
        self.weights = Some(all);
        Ok(())
    }

    /// Multiplies the weight of each of the first `train` samples' rows by that of its class. Where ranks have data of their
    /// own, classes are counted on all of them.
    pub(crate) fn weigh_classes(
        &mut self,
        weight: &ClassWeight,
        loss: &dyn Loss<F>,
        classes: usize,
        train: usize,
        ranks: Option<&Ranks>,
    ) -> Result<()> {
        if *weight == ClassWeight::None {
            return Ok(());
        }
        let ignored = match loss.target() {
            Target::Classes { ignored } => ignored,
            _ => None,
        };
        let mut labels: Vec<Option<usize>> = Vec::with_capacity(self.count() * self.steps);
        let read = self.each_target(|row, target| {
            let is_ignored =
                ignored.is_some_and(|class| target[0] == F::of(class as f64)) && target.len() == 1;
            let whole = target.len() > 1 || (target[0] >= F::zero() && target[0].fract() == F::zero());
            if !whole && !is_ignored {
                let (argument, found) = ("y, weighted by class".into(), target[0].as_f64());
                return Err(Error::Label { argument, row: row / self.steps, found, classes });
            }
            labels.push(if is_ignored { None } else { class_of(target) });
            Ok(())
        });
        match ranks {
            Some(ranks) => ranks.agree(read)?,
            None => read?,
        }
        let trained = &labels[..train * self.steps];
        let mut most = trained.iter().flatten().max().map_or(0, |most| most + 1);
        if let Some(ranks) = ranks {
            most = ranks.each(most)?.into_iter().max().unwrap_or(0);
        }
        let classes = if classes == 1 { most.max(2) } else { classes };
        let mut counts = vec![0.0; classes];
        trained.iter().flatten().for_each(|&class| counts[class] += 1.0);
        if let Some(ranks) = ranks {
            ranks.sum(&mut counts)?;
        }
        let counts: Vec<usize> = counts.iter().map(|&count| count as usize).collect();
        let by_class = weight.weights(&counts)?;
        let rows = labels.len();
        let weights = self.weights.get_or_insert_with(|| vec![F::one(); rows]);
        for (weight, class) in weights.iter_mut().zip(trained) {
            *weight *= class.map_or(F::one(), |class| F::of(by_class[class]));
        }
        Ok(())
    }
}
