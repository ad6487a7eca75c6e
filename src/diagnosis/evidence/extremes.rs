//! Extreme values of a feature in a few rows: codes for missing values, and outliers.

use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The fewest rows.
pub(crate) const FEWEST_ROWS: usize = 48;
/// The most rows that are compared: a code in one of a hundred rows then occurs about five times.
const MOST_ROWS: usize = 512;
/// The fewest distinct values of a measurement. Counts and choices have fewer, and their rare values are extreme.
const DISTINCT: usize = 10;
/// The distance of a code from the mean of the other values, in their deviations. A normal deviation is beyond 10 once in 10²³
/// times.
const FAR: f64 = 10.0;
/// The largest share of rows with a code.
const MOST: f64 = 0.3;
/// The distance of the largest value from the mean, in deviations, from which outliers are looked for: those of a share p of the rows
/// have at least about 1/√p, and one in forty of them makes a feature very uneven.
const UNUSUAL: f64 = 6.0;
/// The range of the middle half of the values, in deviations, below which outliers determine the deviation: that of normal
/// numbers is 1.35, and that of the exponentials of normal numbers of deviation 2 is 0.07.
const SQUEEZED: f64 = 0.01;

/// Extreme values of a feature in a few rows.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     if e.ended {
///         let extremes = e.data.extremes.as_ref().expect("a code");
///         assert_eq!((extremes.feature, extremes.value, extremes.is_code), (1, -999.0, true));
///     }
///     Vec::new()
/// };
/// let mut rng = Rng::new(1);
/// let mut x = ndarray::Array2::from_shape_fn((320, 2), |_| rng.normal() as f32);
/// let y = x.column(1).to_owned();
/// x.column_mut(1).iter_mut().step_by(20).for_each(|x| *x = -999.0);
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Adam::new(0.01), MeanSquaredError::new(), ())?;
/// model.fit(&x, &y, &Fit::new().epochs(60).rule(rule).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ExtremeValues {
    /// The index of the feature.
    pub feature: usize,
    /// The code, or the value farthest from the mean.
    pub value: f64,
    /// The number of rows with the code, or with outliers.
    pub count: usize,
    /// The number of compared rows.
    pub rows: usize,
    /// The mean and the standard deviation of the other rows.
    pub others: (f64, f64),
    /// Whether the rows have exactly the same value.
    pub is_code: bool,
    /// The number of features with extreme values.
    pub features: usize,
}

impl ExtremeValues {
    /// Searches the features of these rows for extreme values, and returns the farthest.
    pub(crate) fn of<F: Scalar>(x: Batch<F>) -> Option<ExtremeValues> {
        if x.rows() < FEWEST_ROWS {
            return None;
        }
        let stride = x.rows().div_ceil(MOST_ROWS);
        let column = |feature: usize| x.iter().step_by(stride).map(|row| row[feature].as_f64()).collect();
        let found = (0..x.width()).filter_map(|feature| {
            let values: Vec<f64> = column(feature);
            Some(ExtremeValues { feature, ..code(&values).or_else(|| outliers(&values))? })
        });
        let all: Vec<ExtremeValues> = found.collect();
        let features = all.len();
        let farthest = all.into_iter().max_by(|a, b| a.distance().total_cmp(&b.distance()))?;
        Some(ExtremeValues { features, ..farthest })
    }

    /// The distance of the value from the mean of the others, in their deviations.
    pub(in crate::diagnosis) fn distance(&self) -> f64 {
        (self.value - self.others.0).abs() / self.others.1
    }
}

/// The mean and the standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt())
}

/// Whether there are as many distinct values as those of a measurement.
fn is_measured(values: &[f64]) -> bool {
    let mut known: Vec<f64> = Vec::with_capacity(DISTINCT);
    for value in values {
        if !known.contains(value) {
            known.push(*value);
        }
        if known.len() >= DISTINCT {
            return true;
        }
    }
    false
}

/// A smallest or largest value that several rows share, far from all others.
fn code(values: &[f64]) -> Option<ExtremeValues> {
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    [low, high].into_iter().find_map(|value| {
        let count = values.iter().filter(|x| **x == value).count();
        if count < 2 || count as f64 > MOST * values.len() as f64 {
            return None;
        }
        let others: Vec<f64> = values.iter().copied().filter(|x| *x != value).collect();
        let moments = moments(&others);
        let found = ExtremeValues {
            value,
            count,
            rows: values.len(),
            others: moments,
            is_code: true,
            ..Default::default()
        };
        let apart = others.iter().all(|x| (value - x).abs() > 0.5 * (value - moments.0).abs());
        (moments.1 > 0.0 && found.distance() > FAR && apart && is_measured(&others)).then_some(found)
    })
}

/// Values so far out that the middle half of the others is almost a point beside them.
fn outliers(values: &[f64]) -> Option<ExtremeValues> {
    let (mean, deviation) = moments(values);
    let farthest = values.iter().copied().max_by(|a, b| (a - mean).abs().total_cmp(&(b - mean).abs()))?;
    if (farthest - mean).abs() <= UNUSUAL * deviation {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (low, high) = (sorted[sorted.len() / 4], sorted[3 * sorted.len() / 4]);
    let middle = high - low;
    if middle <= 0.0 || middle >= SQUEEZED * deviation {
        return None;
    }
    let is_usual = |x: &f64| *x >= low - FAR * middle && *x <= high + FAR * middle;
    let others: Vec<f64> = values.iter().copied().filter(is_usual).collect();
    let found = ExtremeValues {
        value: farthest,
        count: values.len() - others.len(),
        rows: values.len(),
        others: moments(&others),
        ..Default::default()
    };
    is_measured(&others).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn of(values: &[f64]) -> Option<(f64, usize, bool)> {
        ExtremeValues::of(Batch::new(values, 1)).map(|found| (found.value, found.count, found.is_code))
    }

    fn normal(count: usize, change: impl Fn(usize, f64) -> f64) -> Vec<f64> {
        let mut rng = Rng::new(1);
        (0..count).map(|i| change(i, rng.normal())).collect()
    }

    #[test]
    fn codes_stand_far_from_measurements() {
        let coded = |code: f64| normal(400, |i, x| if i % 40 == 0 { code } else { 50.0 + 3.0 * x });
        assert_eq!(of(&coded(-999.0)), Some((-999.0, 10, true)));
        assert_eq!(of(&coded(999.0)), Some((999.0, 10, true)));
        // Within ten deviations of 50 lies what a measurement may be.
        assert_eq!(of(&coded(30.0)), None);
        assert_eq!(of(&normal(400, |_, x| x)), None);
        assert_eq!(of(&coded(-999.0)[..40]), None);
    }

    #[test]
    fn rare_values_of_counts_are_no_codes() {
        assert_eq!(of(&normal(400, |i, _| if i % 80 == 0 { 1.0 } else { 0.0 })), None);
        assert_eq!(of(&normal(400, |i, _| if i % 100 == 0 { 50.0 } else { (i % 3) as f64 })), None);
        // Half of the rows is no exception.
        assert_eq!(of(&normal(400, |i, x| if i % 2 == 0 { -999.0 } else { x })), None);
    }

    #[test]
    fn outliers_squeeze_the_other_values() {
        let far = normal(500, |i, x| if i % 100 == 0 { 1e4 * x } else { x });
        let found = of(&far).expect("outliers");
        assert!(found.0.abs() > 5e3 && (3..=5).contains(&found.1) && !found.2, "{found:?}");
        assert_eq!(of(&normal(500, |_, x| (2.0 * x).exp())), None);
    }

    #[test]
    fn the_farthest_feature_is_named() {
        let mut rng = Rng::new(2);
        let x: Vec<f64> = (0..200)
            .flat_map(|i| {
                let code = |code: f64, x: f64| if i % 20 == 0 { code } else { x };
                [rng.normal(), code(99.0, rng.normal()), code(-9999.0, rng.normal())]
            })
            .collect();
        let found = ExtremeValues::of(Batch::new(&x, 3)).expect("codes");
        assert_eq!((found.feature, found.value, found.features), (2, -9999.0, 2));
    }
}
