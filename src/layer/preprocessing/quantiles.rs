//! The quantiles of many values by a summary of them, with Keras's numbers.
//!
//! Values, weights and their sums are `f32`, and interpolations `f64`, as in Keras's NumPy code.

use crate::samples::Samples;

/// Some of the values in ascending order, each with the number of values for which it stands.
struct Summary {
    values: Vec<f32>,
    weights: Vec<f32>,
}

/// Returns the boundaries between `num_bins` bins of about equally many values.
pub(super) fn boundaries(x: &impl Samples<f64>, num_bins: usize, epsilon: f64) -> Vec<f64> {
    let mut row = vec![0.0; x.sample_shape().iter().product()];
    let mut values: Vec<f32> = Vec::new();
    for index in 0..x.count() {
        x.read(index, &mut row);
        values.extend(row.iter().map(|&value| value as f32));
    }
    let summary = compressed(summary(values, epsilon), epsilon);
    let mut values = compressed(summary, 1.0 / num_bins as f64).values;
    values.pop();
    values.into_iter().map(f64::from).collect()
}

/// Takes about `1/epsilon` of the values at equal distances.
fn summary(mut values: Vec<f32>, epsilon: f64) -> Summary {
    values.sort_unstable_by(f32::total_cmp);
    let step = (values.len() as f64 / (1.0 / epsilon)).max(1.0);
    let values: Vec<f32> = values.into_iter().skip((step - 1.0) as usize).step_by(step as usize).collect();
    Summary { weights: vec![step as f32; values.len()], values }
}

/// Interpolates a summary at the multiples of `epsilon`.
fn compressed(summary: Summary, epsilon: f64) -> Summary {
    if (summary.values.len() as f64) * epsilon < 1.0 {
        return summary;
    }
    let sums: Vec<f32> = summary
        .weights
        .iter()
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect();
    let last = sums.last().copied().unwrap_or(1.0);
    let shares: Vec<f64> = sums.iter().map(|sum| f64::from(sum / last)).collect();
    let wanted = (0..(1.0 / epsilon).ceil() as usize).map(|i| epsilon + i as f64 * epsilon);
    let (mut values, mut weights, mut before) = (Vec::new(), Vec::new(), 0.0);
    for share in wanted {
        values.push(interpolated(share, &shares, &summary.values) as f32);
        let sum = interpolated(share, &shares, &sums);
        weights.push((sum - before) as f32);
        before = sum;
    }
    Summary { values, weights }
}

/// Linear interpolation of `y` at `x`, and its first or last value outside.
fn interpolated(x: f64, xs: &[f64], y: &[f32]) -> f64 {
    let after = xs.partition_point(|&other| other <= x);
    let value = |place: usize| f64::from(y[place]);
    match after {
        0 => value(0),
        after if after == xs.len() || xs[after - 1] == x => value(after - 1),
        after => {
            let slope = (value(after) - value(after - 1)) / (xs[after] - xs[after - 1]);
            slope * (x - xs[after - 1]) + value(after - 1)
        }
    }
}
