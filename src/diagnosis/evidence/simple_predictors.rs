//! Simple predictors to compare a network with: ridge regression, the nearest rows, and single features.

pub(crate) mod categories;

use super::{OutputError, SimplePredictors, Task, WeightFacts, predicted_class};
use crate::data::class_of;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The most outputs of the linear model.
const MOST_OUTPUTS: usize = 32;
/// The most rows to compare.
pub(crate) const MOST_ROWS: usize = 512;
/// The fewest rows to score.
const FEWEST: usize = 24;
/// The number of nearest rows.
const NEIGHBOURS: usize = 5;
/// The penalties of the ridge regression, as shares of the mean diagonal of the Gram matrix; the one with the smallest error is
/// used.
const RIDGES: [f64; 3] = [1e-3, 1e-1, 10.0];

/// Rows with their targets and the predictions of a network for them.
#[derive(Clone, Copy)]
pub(crate) struct Predicted<'r, F> {
    pub(crate) x: Batch<'r, F>,
    pub(crate) y: Batch<'r, F>,
    pub(crate) predictions: Batch<'r, F>,
    /// The weights of the errors; 1 without them.
    pub(crate) weights: Option<&'r [F]>,
}

/// The most rows of this width that [`compare`] handles within `budget` nanoseconds.
pub(crate) fn affordable_rows(width: usize, budget: f64) -> usize {
    (2..=MOST_ROWS).take_while(|&rows| cost(rows / 2, width as f64) <= budget).last().unwrap_or(0)
}

/// The cost of a comparison that fits `half` of the rows, at about a nanosecond for each multiplication or comparison.
fn cost(half: usize, width: f64) -> f64 {
    let fitted = half as f64;
    let nearest = fitted * fitted * (width + 4.0);
    // A Gram matrix, and a Cholesky factor for each penalty, of the features or of the rows.
    let (size, other) = (width.min(fitted), width.max(fitted));
    nearest + 0.5 * size * size * (other + size)
}

/// Compares the network with simple predictors on the same training rows: every second row fits a ridge regression, serves as a
/// neighbour and chooses a feature, and the others are scored.
///
/// The network was trained on these rows, which favours it. `threshold` separates the classes of a single output.
pub(crate) fn compare<F: Scalar>(rows: Predicted<F>, task: Task, threshold: f64) -> Option<SimplePredictors> {
    let Predicted { x, y, predictions, weights } = rows;
    let every_second = |start: usize| (start..x.rows()).step_by(2).collect::<Vec<usize>>();
    let (fitted, scored) = (every_second(0), every_second(1));
    if scored.len() < FEWEST || (task == Task::Numbers && predictions.width() != y.width()) {
        return None;
    }
    let scaling = Scaling::of(x, &fitted);
    let standardized = |rows: &[usize]| rows.iter().map(|&row| scaling.apply(x.row(row))).collect();
    let answers = Answers::of(y, weights, task)?;
    let fitted = Fitted { x: standardized(&fitted), answers: answers.of_rows(&fitted) };
    let (asked, answers): (Vec<Vec<f64>>, _) = (standardized(&scored), answers.of_rows(&scored));
    let constant = answers.constant_error();
    let own = scored.iter().map(|&row| predictions.row(row).iter().map(|p| p.as_f64()).collect());
    let own: Vec<Vec<f64>> = own.collect();
    let outputs = answers.output_errors(&own);
    let own = answers.score(&own, threshold);
    let is_finite = own.errors.iter().all(|error| error.is_finite());
    if constant <= 0.0 || !is_finite || WeightFacts::of(&answers.weights).effective_rows < FEWEST as f64 {
        return None;
    }
    let score = |predictions: &Vec<Vec<f64>>| answers.score(predictions, 0.5);
    let linear = fitted.linear(&asked).iter().map(score).min_by(|a, b| a.sum().total_cmp(&b.sum()));
    let nearest = score(&fitted.nearest(&asked));
    let feature = fitted.best_feature(x, (0..x.rows()).step_by(2)).map(|feature| {
        let own = scored.iter().map(|&row| vec![x.row(row)[feature].as_f64()]);
        (feature, score(&own.collect()))
    });
    let all = || linear.iter().chain([&nearest]).chain(feature.iter().map(|(_, score)| score));
    let best = all().min_by(|a, b| a.sum().total_cmp(&b.sum()))?;
    let share = |score: &Score| score.sum() / constant;
    Some(SimplePredictors {
        rows: scored.len(),
        network: share(&own),
        linear: linear.as_ref().map(share),
        feature: feature.as_ref().map(|(feature, score)| (*feature, share(score))),
        nearest: Some(share(&nearest)),
        significance: t_statistic(&own.errors, &best.errors),
        correlation: all().map(|score| score.correlation).fold(0.0, f64::max),
        outputs,
    })
}

/// How well predictions fit the answers.
struct Score {
    errors: Vec<f64>,
    /// The correlation of all predicted numbers, or class indicators, with the right ones.
    correlation: f64,
}

impl Score {
    fn sum(&self) -> f64 {
        self.errors.iter().sum()
    }
}

/// The t statistic of the paired differences `a − b`.
fn t_statistic(a: &[f64], b: &[f64]) -> f64 {
    let count = a.len() as f64;
    let mean = a.iter().zip(b).map(|(a, b)| a - b).sum::<f64>() / count;
    let variance = a.iter().zip(b).map(|(a, b)| (a - b - mean).powi(2)).sum::<f64>() / (count - 1.0);
    mean / (variance / count).sqrt().max(f64::MIN_POSITIVE)
}

/// The targets: numbers, or one column for each class.
struct Answers {
    is_class: bool,
    width: usize,
    values: Vec<f64>,
    weights: Vec<f64>,
}

impl Answers {
    fn of<F: Scalar>(y: Batch<F>, weights: Option<&[F]>, task: Task) -> Option<Answers> {
        let is_class = task != Task::Numbers;
        let weights =
            weights.map_or(vec![1.0; y.rows()], |weights| weights.iter().map(|w| w.as_f64()).collect());
        if !is_class {
            let values = y.data().iter().map(|y| y.as_f64()).collect();
            return (y.width() <= MOST_OUTPUTS).then_some(Answers {
                is_class,
                width: y.width(),
                values,
                weights,
            });
        }
        // Rows of several labels, or of shares, have no single class.
        let single = |row: &[F]| match row {
            [label] => label.as_f64().fract() == 0.0,
            row => {
                row.iter().all(|t| *t == F::zero() || *t == F::one())
                    && row.iter().filter(|t| **t == F::one()).count() == 1
            }
        };
        if !y.iter().all(single) {
            return None;
        }
        let classes = y.iter().map(class_of).collect::<Option<Vec<usize>>>()?;
        let width = 1 + classes.iter().copied().max().filter(|most| *most < MOST_OUTPUTS)?;
        let one_hot = |class: usize| (0..width).map(move |other| f64::from(u8::from(other == class)));
        let values = classes.into_iter().flat_map(one_hot).collect();
        Some(Answers { is_class, width, values, weights })
    }

    fn of_rows(&self, rows: &[usize]) -> Answers {
        Answers {
            values: rows.iter().flat_map(|&row| self.row(row)).copied().collect(),
            weights: rows.iter().map(|&row| self.weights[row]).collect(),
            ..*self
        }
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width..][..self.width]
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width)
    }

    /// The weighted squared error of a prediction, or 1 for a wrong class.
    fn error(&self, row: usize, prediction: &[f64], threshold: f64) -> f64 {
        let own = self.row(row);
        let error = if self.is_class {
            let predicted = predicted_class(prediction, threshold).and_then(|class| own.get(class));
            f64::from(u8::from(predicted != Some(&1.0)))
        } else {
            own.iter().zip(prediction).map(|(y, p)| (y - p).powi(2)).sum()
        };
        self.weights[row] * error
    }

    fn score(&self, predictions: &[Vec<f64>], threshold: f64) -> Score {
        let errors = predictions.iter().enumerate().map(|(row, p)| self.error(row, p, threshold)).collect();
        let pairs = || self.rows().zip(predictions).flat_map(|(y, p)| y.iter().zip(p));
        Score { errors, correlation: correlation(pairs, self.width) }
    }

    /// The errors for each of several numbers.
    fn output_errors(&self, predictions: &[Vec<f64>]) -> Vec<OutputError> {
        let width = if self.is_class || self.width == 1 { 0 } else { self.width };
        let of_column = |column: usize| {
            let (mean, rows) = (self.mean(column), self.weights.len() as f64);
            let variance = self.rows().map(|y| (y[column] - mean).powi(2)).sum::<f64>() / rows;
            let pairs = self.rows().zip(predictions);
            let error = pairs.map(|(y, p)| (y[column] - p[column]).powi(2)).sum::<f64>() / rows;
            OutputError { deviation: variance.sqrt(), error: error / variance.max(f64::MIN_POSITIVE) }
        };
        (0..width).map(of_column).collect()
    }

    /// The sum of the errors of the best constant prediction.
    fn constant_error(&self) -> f64 {
        let weight: f64 = self.weights.iter().sum();
        let sum = |column: usize| self.rows().zip(&self.weights).map(|(y, w)| w * y[column]).sum::<f64>();
        if self.is_class {
            return weight - (0..self.width).map(sum).fold(0.0, f64::max);
        }
        let means: Vec<f64> = (0..self.width).map(|column| sum(column) / weight).collect();
        (0..self.weights.len()).map(|row| self.error(row, &means, 0.5)).sum()
    }

    fn mean(&self, column: usize) -> f64 {
        self.rows().map(|y| y[column]).sum::<f64>() / self.weights.len() as f64
    }
}

/// The correlation of pairs of numbers that come in rows of this width, about the mean of each column; 0 if one side is
/// constant.
fn correlation<'v, I: Iterator<Item = (&'v f64, &'v f64)>>(pairs: impl Fn() -> I, width: usize) -> f64 {
    let mut means = vec![(0.0, 0.0); width];
    let count = (pairs().count() / width) as f64;
    for (place, (a, b)) in pairs().enumerate() {
        let (mean_a, mean_b) = &mut means[place % width];
        (*mean_a, *mean_b) = (*mean_a + a / count, *mean_b + b / count);
    }
    let [mut ab, mut aa, mut bb] = [0.0; 3];
    for (place, (a, b)) in pairs().enumerate() {
        let (a, b) = (a - means[place % width].0, b - means[place % width].1);
        (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
    }
    let scale = (aa * bb).sqrt();
    if scale > 0.0 { ab / scale } else { 0.0 }
}

/// The standardized rows that the simple predictors know, and their answers.
struct Fitted {
    x: Vec<Vec<f64>>,
    answers: Answers,
}

impl Fitted {
    /// The feature that predicts a single target of numbers best, taken as it is.
    fn best_feature<F: Scalar>(
        &self,
        x: Batch<F>,
        rows: impl Iterator<Item = usize> + Clone,
    ) -> Option<usize> {
        let total = |feature: &usize| -> f64 {
            let own = rows.clone().map(|row| x.row(row)[*feature].as_f64());
            own.enumerate().map(|(place, p)| self.answers.error(place, &[p], 0.5)).sum()
        };
        let fits = !self.answers.is_class && self.answers.width == 1;
        (0..x.width()).filter(|_| fits).min_by(|a, b| total(a).total_cmp(&total(b)))
    }

    /// The mean of the nearest rows: |a − b|² = |a|² + |b|² − 2·a·b, where |a|² is the same for all neighbours and left out.
    fn nearest(&self, asked: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let squares: Vec<f64> = self.x.iter().map(|own| dot(own, own)).collect();
        let count = NEIGHBOURS.min(self.x.len());
        let of_row = |asked: &Vec<f64>| {
            let distance = |(place, own): (usize, &Vec<f64>)| (squares[place] - 2.0 * dot(own, asked), place);
            let mut distances: Vec<(f64, usize)> = self.x.iter().enumerate().map(distance).collect();
            distances.select_nth_unstable_by(count - 1, |a, b| a.0.total_cmp(&b.0));
            let sum = |column: usize| -> f64 {
                distances[..count].iter().map(|(_, place)| self.answers.row(*place)[column]).sum()
            };
            (0..self.answers.width).map(|column| sum(column) / count as f64).collect()
        };
        asked.iter().map(of_row).collect()
    }

    /// Ridge regressions, one for each penalty: w = (ZᵀZ + λ)⁻¹·Zᵀ·Y, or with fewer rows than features w = Zᵀ·(Z·Zᵀ + λ)⁻¹·Y.
    fn linear(&self, asked: &[Vec<f64>]) -> Vec<Vec<Vec<f64>>> {
        let (count, features) = (self.x.len(), self.x.first().map_or(0, Vec::len));
        // The mean square of a row.
        let scale = self.x.iter().map(|own| dot(own, own)).sum::<f64>() / count as f64;
        if scale <= 0.0 {
            return Vec::new();
        }
        let means: Vec<f64> = (0..self.answers.width).map(|column| self.answers.mean(column)).collect();
        let targets = means.iter().enumerate();
        let targets: Vec<Vec<f64>> =
            targets.map(|(column, mean)| self.answers.rows().map(|y| y[column] - mean).collect()).collect();
        let by_feature: Vec<Vec<f64>> =
            (0..features).map(|j| self.x.iter().map(|own| own[j]).collect()).collect();
        let has_many_rows = features < count;
        let vectors = if has_many_rows { &by_feature } else { &self.x };
        let gram: Vec<f64> = vectors.iter().flat_map(|a| vectors.iter().map(|b| dot(a, b))).collect();
        let of_ridge = |ridge: f64| {
            let (size, mut matrix) = (vectors.len(), gram.clone());
            (0..size).for_each(|i| matrix[i * size + i] += ridge * scale);
            cholesky(&mut matrix, size)?;
            let weights = |targets: &Vec<f64>| -> Vec<f64> {
                if has_many_rows {
                    let mut own: Vec<f64> = by_feature.iter().map(|feature| dot(feature, targets)).collect();
                    solve(&matrix, &mut own);
                    return own;
                }
                let mut own = targets.clone();
                solve(&matrix, &mut own);
                by_feature.iter().map(|feature| dot(feature, &own)).collect()
            };
            let weights: Vec<Vec<f64>> = targets.iter().map(weights).collect();
            let predict =
                |asked: &Vec<f64>| weights.iter().zip(&means).map(|(w, mean)| mean + dot(w, asked)).collect();
            Some(asked.iter().map(predict).collect())
        };
        RIDGES.into_iter().filter_map(of_ridge).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Standardizes features; constant ones become 0.
struct Scaling {
    means: Vec<f64>,
    factors: Vec<f64>,
}

impl Scaling {
    fn of<F: Scalar>(x: Batch<F>, rows: &[usize]) -> Scaling {
        let count = rows.len() as f64;
        let (mut means, mut squares) = (vec![0.0; x.width()], vec![0.0; x.width()]);
        for &row in rows {
            means.iter_mut().zip(x.row(row)).for_each(|(mean, x)| *mean += x.as_f64() / count);
        }
        for &row in rows {
            let all = squares.iter_mut().zip(&means).zip(x.row(row));
            all.for_each(|((square, mean), x)| *square += (x.as_f64() - mean).powi(2) / count);
        }
        let factor = |square: f64| if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 };
        Scaling { means, factors: squares.into_iter().map(factor).collect() }
    }

    fn apply<F: Scalar>(&self, row: &[F]) -> Vec<f64> {
        let scaled = row.iter().zip(&self.means).zip(&self.factors);
        scaled.map(|((x, mean), factor)| (x.as_f64() - mean) * factor).collect()
    }
}

/// Replaces the lower triangle of a symmetric matrix by its Cholesky factor. `None` if it is not positive definite.
fn cholesky(matrix: &mut [f64], count: usize) -> Option<()> {
    for i in 0..count {
        for j in 0..=i {
            let (a, b) = (&matrix[i * count..][..j], &matrix[j * count..][..j]);
            let rest = matrix[i * count + j] - a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            matrix[i * count + j] = match i == j {
                true => Some(rest.sqrt()).filter(|root| *root > 0.0 && root.is_finite())?,
                false => rest / matrix[j * count + j],
            };
        }
    }
    Some(())
}

/// Solves L·Lᵀ·x = b in place.
fn solve(factor: &[f64], b: &mut [f64]) {
    let count = b.len();
    for i in 0..count {
        let sum: f64 = factor[i * count..][..i].iter().zip(&*b).map(|(l, x)| l * x).sum();
        b[i] = (b[i] - sum) / factor[i * count + i];
    }
    for i in (0..count).rev() {
        b[i] /= factor[i * count + i];
        let own = b[i];
        b[..i].iter_mut().zip(&factor[i * count..]).for_each(|(x, l)| *x -= l * own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn numbers(count: usize, seed: u64) -> Vec<f64> {
        let mut rng = Rng::new(seed);
        (0..count).map(|_| rng.normal()).collect()
    }

    #[test]
    fn the_budget_bounds_the_rows() {
        // 5 · 5 · (100 + 4) + 0.5 · 5 · 5 · (100 + 5) = 3912.5.
        assert_eq!((affordable_rows(100, 3912.5), affordable_rows(100, 3912.0)), (11, 9));
        assert_eq!((affordable_rows(100, 0.0), affordable_rows(1, f64::INFINITY)), (0, MOST_ROWS));
    }

    #[test]
    fn a_linear_model_recovers_a_plane() {
        let x = numbers(600, 1);
        let y: Vec<f64> = x.chunks(3).map(|x| 5.0 + 2.0 * x[0] - x[2]).collect();
        let flat = vec![5.0; 200];
        let rows = Predicted {
            x: Batch::new(&x, 3),
            y: Batch::new(&y, 1),
            predictions: Batch::new(&flat, 1),
            weights: None,
        };
        let found = compare(rows, Task::Numbers, 0.5).unwrap();
        assert!(found.linear < Some(1e-4), "{found:?}");
        assert!((found.network - 1.0).abs() < 0.1 && found.significance > 5.0, "{found:?}");
        let perfect = Predicted { predictions: rows.y, ..rows };
        let found = compare(perfect, Task::Numbers, 0.5).unwrap();
        assert!(found.network == 0.0 && found.significance < 0.0, "{found:?}");
    }

    /// With fewer rows than features the other form of the regression is used.
    #[test]
    fn a_linear_model_of_many_features_fits_what_few_rows_show() {
        let x = numbers(120 * 200, 5);
        let y: Vec<f64> = x.chunks(200).map(|x| x.iter().sum::<f64>()).collect();
        let flat = vec![0.0; 120];
        let wide = Predicted {
            x: Batch::new(&x, 200),
            y: Batch::new(&y, 1),
            predictions: Batch::new(&flat, 1),
            weights: None,
        };
        let found = compare(wide, Task::Numbers, 0.5).unwrap();
        // 60 rows in 200 dimensions explain about 60/200 of the variance.
        assert!(found.linear > Some(0.5) && found.linear < Some(0.9), "{found:?}");
        let narrow: Vec<f64> = x.chunks(200).flat_map(|x| [x.iter().sum::<f64>(), x[0]]).collect();
        let narrow = Predicted { x: Batch::new(&narrow, 2), ..wide };
        assert!(compare(narrow, Task::Numbers, 0.5).unwrap().linear < Some(1e-4));
    }

    #[test]
    fn classes_are_separated_and_noise_is_not() {
        let x = numbers(1000, 2);
        let y: Vec<f64> = x.chunks(5).map(|x| f64::from(u8::from(x[0] + x[1] > 0.0))).collect();
        let half = vec![0.4; 200];
        let rows = Predicted {
            x: Batch::new(&x, 5),
            y: Batch::new(&y, 1),
            predictions: Batch::new(&half, 1),
            weights: None,
        };
        let found = compare(rows, Task::Binary, 0.5).unwrap();
        assert!(found.linear < Some(0.3) && found.feature.is_none(), "{found:?}");
        let noise: Vec<f64> = numbers(200, 3).iter().map(|x| f64::from(u8::from(*x > 0.0))).collect();
        let found = compare(Predicted { y: Batch::new(&noise, 1), ..rows }, Task::Binary, 0.5).unwrap();
        assert!(found.linear > Some(0.7) && found.significance < 3.0, "{found:?}");
        assert!(found.nearest > Some(0.7), "{found:?}");
        let ring: Vec<f64> = x.chunks(5).map(|x| f64::from(u8::from(x[0].hypot(x[1]) > 1.2))).collect();
        let plane: Vec<f64> = x.chunks(5).flat_map(|x| [x[0], x[1]]).collect();
        let found = Predicted { x: Batch::new(&plane, 2), y: Batch::new(&ring, 1), ..rows };
        let found = compare(found, Task::Binary, 0.5).unwrap();
        assert!(found.nearest < Some(0.4) && found.linear > Some(0.7), "{found:?}");
    }

    #[test]
    fn the_last_value_of_a_walk_predicts_the_next() {
        let steps = numbers(300, 4);
        let mut at = 0.0;
        let walk: Vec<f64> = steps
            .iter()
            .map(|step| {
                at += step;
                at
            })
            .collect();
        let x: Vec<f64> = (0..280).flat_map(|i| walk[i..i + 4].to_vec()).collect();
        let y: Vec<f64> = (0..280).map(|i| walk[i + 4]).collect();
        let flat = vec![0.0; 280];
        let rows = Predicted {
            x: Batch::new(&x, 4),
            y: Batch::new(&y, 1),
            predictions: Batch::new(&flat, 1),
            weights: None,
        };
        let found = compare(rows, Task::Numbers, 0.5).unwrap();
        assert_eq!(found.feature.unwrap().0, 3);
        assert!(found.feature.unwrap().1 < 0.3 && found.significance > 3.0, "{found:?}");
    }
}
