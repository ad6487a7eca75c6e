//! What the best constant answer costs: the loss of a network that ignores its input.

use super::Task;
use crate::loss::Loss;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// `B` for these rows of targets: the entropy of the (weighted) classes for cross-entropies; for a loss of numbers the
/// smaller of what the targets' mean and their median cost. None where it is not finite.
pub(super) fn chance<F: Scalar>(
    loss: &dyn Loss<F>,
    task: Task,
    outputs: usize,
    targets: Batch<F>,
    weights: Option<&[F]>,
) -> Option<f64> {
    let rows = targets.rows();
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row].as_f64());
    let entropy = |shares: &[f64]| -shares.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>();
    let total: f64 = (0..rows).map(weight).sum();
    let cost = match task {
        Task::Classes => {
            let mut shares = vec![0.0; outputs];
            for (row, target) in targets.iter().enumerate() {
                match target {
                    [class] => {
                        if let Some(share) = class.to_usize().and_then(|class| shares.get_mut(class)) {
                            *share += weight(row) / total;
                        }
                    }
                    target => {
                        let each = shares.iter_mut().zip(target);
                        each.for_each(|(share, t)| *share += t.as_f64() * weight(row) / total);
                    }
                }
            }
            entropy(&shares) * total / rows as f64
        }
        Task::Binary => {
            let mut ones = vec![0.0; targets.width()];
            for (row, target) in targets.iter().enumerate() {
                ones.iter_mut().zip(target).for_each(|(share, t)| *share += t.as_f64() * weight(row) / total);
            }
            let each = ones.iter().map(|p| entropy(&[*p, 1.0 - p])).sum::<f64>();
            each / ones.len() as f64 * total / rows as f64
        }
        Task::Numbers => {
            let width = targets.width();
            let column = |j: usize| targets.iter().map(move |row| row[j]);
            let mean = (0..width).map(|j| column(j).sum::<F>() / F::of(rows as f64)).collect();
            let median = |j: usize| {
                let mut all: Vec<F> = column(j).collect();
                all.sort_by(|a, b| a.as_f64().total_cmp(&b.as_f64()));
                all[rows / 2]
            };
            let medians: Vec<F> = (0..width).map(median).collect();
            let cost = |constant: Vec<F>| {
                let answers = constant.repeat(rows);
                let mut values = vec![F::zero(); rows];
                let kept = loss.values(Batch::new(&answers, width), targets, &mut values).max(1);
                values.iter().enumerate().map(|(row, v)| v.as_f64() * weight(row)).sum::<f64>() / kept as f64
            };
            cost(mean).min(cost(medians))
        }
    };
    cost.is_finite().then_some(cost)
}
