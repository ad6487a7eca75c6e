//! The weight of each row: its sample weight times its class weight.

use super::CheckedData;
use crate::data::{ClassWeight, check_weights, class_of, is_whole};
use crate::error::{Error, ExpectedShape, Result};
use crate::loss::{Loss, Target};
use crate::samples::Samples;
use crate::scalar::Scalar;

impl<F: Scalar> CheckedData<'_, F> {
    /// Applies sample weights, if there are any: one per sample, or one per row.
    pub(crate) fn weighted(mut self, weight: Option<&dyn Samples<F>>) -> Result<Self> {
        let (Some(weight), names) = (weight, self.names) else { return Ok(self) };
        self.check_step_weights(names.weight)?;
        if weight.count() != self.count() {
            return Err(Error::Length {
                x: self.count(),
                argument: names.weight.into(),
                found: weight.count(),
            });
        }
        let found: usize = weight.sample_shape().iter().product();
        if found != 1 && found != self.steps {
            let (argument, expected) = (names.weight.into(), ExpectedShape::exactly(&[self.steps]));
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
        Ok(self)
    }

    /// Multiplies the weight of each row of the first `train` samples by its class weight.
    ///
    /// `over_ranks` maps the class counts of these data to those of the data of all ranks.
    pub(crate) fn weigh_classes(
        &mut self,
        weight: &ClassWeight,
        loss: &dyn Loss<F>,
        classes: usize,
        train: usize,
        over_ranks: impl FnOnce(Result<Vec<f64>>) -> Result<Vec<f64>>,
    ) -> Result<()> {
        if *weight == ClassWeight::None {
            return Ok(());
        }
        self.check_step_weights("class_weight")?;
        // As in Keras, an ignored row has the weight of its class, which metrics see. Balanced weights do not count it.
        let with_ignored = matches!(weight, ClassWeight::PerClass(_));
        let (labels, counts) = match self.labels(loss, classes, with_ignored) {
            Ok(labels) => {
                let counts = self.class_counts(&labels, train);
                (labels, Ok(counts))
            }
            Err(error) => (Vec::new(), Err(error)),
        };
        let mut counts = over_ranks(counts)?;
        counts.resize(if classes == 1 { counts.len().max(2) } else { classes }, 0.0);
        let counts: Vec<usize> = counts.iter().map(|&count| count as usize).collect();
        let by_class = weight.weights(&counts)?;
        let weights = self.weights.get_or_insert_with(|| vec![F::one(); labels.len()]);
        for (weight, class) in weights.iter_mut().zip(&labels[..train * self.steps]) {
            let class = class.and_then(|class| by_class.get(class));
            *weight *= class.map_or(F::one(), |weight| F::of(*weight));
        }
        Ok(())
    }

    /// The class of each row. `None` if the row has no class, or if the loss ignores the row and `with_ignored` is
    /// false. A soft label of one column is rounded, as in Keras.
    fn labels(&self, loss: &dyn Loss<F>, classes: usize, with_ignored: bool) -> Result<Vec<Option<usize>>> {
        let (is_sparse, ignored) = match loss.target() {
            Target::Classes { ignored } => (true, ignored),
            _ => (false, None),
        };
        let mut labels = Vec::with_capacity(self.count() * self.steps);
        self.each_target(|row, target| {
            let is_ignored =
                ignored.is_some_and(|class| target[0] == F::of(class as f64)) && target.len() == 1;
            let class = class_of(target).filter(|_| target.len() > 1 || !is_sparse || is_whole(target[0]));
            if class.is_none() && !is_ignored {
                let (argument, found) = ("y, weighted by class".into(), target[0].as_f64());
                // A single column has the classes 0 and 1, or more if it counts.
                let classes = classes.max(2);
                return Err(Error::Label { argument, row: row / self.steps, found, classes });
            }
            labels.push(class.filter(|_| with_ignored || !is_ignored));
            Ok(())
        })?;
        Ok(labels)
    }

    /// The number of rows of each class in the first `train` samples.
    fn class_counts(&self, labels: &[Option<usize>], train: usize) -> Vec<f64> {
        let mut counts = Vec::new();
        for &class in labels[..train * self.steps].iter().flatten() {
            counts.resize(counts.len().max(class + 1), 0.0);
            counts[class] += 1.0;
        }
        counts
    }
}
