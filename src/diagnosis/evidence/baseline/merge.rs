//! Target statistics of several ranks, added up.

use super::TargetStatistics;
use crate::scalar::Scalar;

impl<F: Scalar> TargetStatistics<F> {
    /// Empty statistics with the same settings.
    pub(crate) fn empty(&self) -> Self {
        TargetStatistics {
            loss: self.loss.clone(),
            evaluated: self.evaluated.clone(),
            rows: 0,
            weight: 0.0,
            weighted: false,
            total_entropy: 0.0,
            seen: 0,
            sums: vec![0.0; self.sums.len()],
            counts: vec![0.0; self.counts.len()],
            sample: Vec::with_capacity(self.sample.capacity()),
            sample_weights: Vec::with_capacity(self.sample_weights.capacity()),
            ..*self
        }
    }

    /// Adds the statistics of other targets.
    pub(crate) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.weight += other.weight;
        self.total_entropy += other.total_entropy;
        self.seen += other.seen;
        self.weighted |= other.weighted;
        let add = |sums: &mut [f64], others: &[f64]| sums.iter_mut().zip(others).for_each(|(a, b)| *a += b);
        add(&mut self.sums, &other.sums);
        add(&mut self.counts, &other.counts);
        self.sample.extend(other.sample);
        self.sample_weights.extend(other.sample_weights);
    }
}
