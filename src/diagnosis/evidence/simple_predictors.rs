//! Simple predictors to compare a network with: ridge regression, the nearest rows, and single features.

use super::{SimplePredictors, Task, predicted_class};
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
}

/// The most rows of this width that [`compare`] handles with at most `budget` multiplications.
pub(crate) fn affordable_rows(width: usize, budget: f64) -> usize {
    // Products of rows: n · n/2. A Cholesky factor for each penalty: 3 · (n/2)³/6, about 0.06·n³.
    let cost = |rows: usize| rows as f64 * rows as f64 * (0.5 * width as f64 + 0.06 * rows as f64);
    (1..MOST_ROWS).take_while(|rows| cost(rows + 1) <= budget).last().map_or(0, |rows| rows + 1)
}

/// Compares the network with simple predictors on the same training rows: every second row fits a ridge regression, serves as a
/// neighbour and chooses a feature, and the others are scored.
///
/// The network was trained on these rows, which favours it. `threshold` separates the classes of a single output.
pub(crate) fn compare<F: Scalar>(rows: Predicted<F>, task: Task, threshold: f64) -> Option<SimplePredictors> {
    let (x, y, predictions) = (rows.x, rows.y, rows.predictions);
    let answers = Answers::of(y, task)?;
    let every_second = |start: usize| (start..x.rows()).step_by(2).collect::<Vec<usize>>();
    let (fitted, scored) = (every_second(0), every_second(1));
    if scored.len() < FEWEST || (task == Task::Numbers && predictions.width() != y.width()) {
        return None;
    }
    let constant = answers.constant_error(&scored);
    let own: Vec<f64> = scored
        .iter()
        .map(|&row| {
            let p: Vec<f64> = predictions.row(row).iter().map(|p| p.as_f64()).collect();
            answers.error(row, &p, threshold)
        })
        .collect();
    let share = |errors: &[f64]| errors.iter().sum::<f64>() / constant;
    if constant <= 0.0 || own.iter().any(|error| !error.is_finite()) {
        return None;
    }
    let scaling = Scaling::of(x, &fitted);
    let known: Vec<Vec<f64>> = fitted.iter().map(|&row| scaling.apply(x.row(row))).collect();
    let dots = |own: &[f64]| -> Vec<f64> {
        known.iter().map(|other| own.iter().zip(other).map(|(a, b)| a * b).sum()).collect()
    };
    let products = Products {
        gram: known.iter().map(|own| dots(own)).collect(),
        across: scored.iter().map(|&row| dots(&scaling.apply(x.row(row)))).collect(),
    };
    let linear = linear_errors(&products, &answers, &fitted, &scored);
    let nearest = nearest_errors(&products, &answers, &fitted, &scored);
    let feature = best_feature(x, &answers, &fitted, &scored).filter(|_| task == Task::Numbers);
    let all = [linear.as_ref(), Some(&nearest), feature.as_ref().map(|(_, errors)| errors)];
    let best = all.into_iter().flatten().min_by(|a, b| share(a).total_cmp(&share(b)))?;
    Some(SimplePredictors {
        rows: scored.len(),
        network: share(&own),
        linear: linear.as_ref().map(|errors| share(errors)),
        feature: feature.as_ref().map(|(feature, errors)| (*feature, share(errors))),
        nearest: Some(share(&nearest)),
        significance: t_statistic(&own, best),
    })
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
}

impl Answers {
    fn of<F: Scalar>(y: Batch<F>, task: Task) -> Option<Answers> {
        let is_class = task != Task::Numbers;
        if !is_class {
            let values = y.data().iter().map(|y| y.as_f64()).collect();
            return (y.width() <= MOST_OUTPUTS).then_some(Answers { is_class, width: y.width(), values });
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
        Some(Answers { is_class, width, values: classes.into_iter().flat_map(one_hot).collect() })
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width..][..self.width]
    }

    /// The squared error of a prediction, or 1 for a wrong class.
    fn error(&self, row: usize, prediction: &[f64], threshold: f64) -> f64 {
        let own = self.row(row);
        if !self.is_class {
            return own.iter().zip(prediction).map(|(y, p)| (y - p).powi(2)).sum();
        }
        let predicted = predicted_class(prediction, threshold);
        f64::from(u8::from(predicted.and_then(|class| own.get(class)) != Some(&1.0)))
    }

    /// The sum of the errors of the best constant prediction.
    fn constant_error(&self, rows: &[usize]) -> f64 {
        let count = rows.len() as f64;
        let sum = |column: usize| rows.iter().map(|&row| self.row(row)[column]).sum::<f64>();
        if self.is_class {
            return count - (0..self.width).map(sum).fold(0.0, f64::max);
        }
        let means: Vec<f64> = (0..self.width).map(|column| sum(column) / count).collect();
        rows.iter().map(|&row| self.error(row, &means, 0.5)).sum()
    }
}

/// The errors of the feature that predicts a single target best in the fitted rows, taken as it is.
fn best_feature<F: Scalar>(
    x: Batch<F>,
    answers: &Answers,
    fitted: &[usize],
    scored: &[usize],
) -> Option<(usize, Vec<f64>)> {
    let error = |feature: usize, row: usize| answers.error(row, &[x.row(row)[feature].as_f64()], 0.5);
    let total = |feature: &usize| fitted.iter().map(|&row| error(*feature, row)).sum::<f64>();
    let features = (0..x.width()).filter(|_| answers.width == 1);
    let best = features.min_by(|a, b| total(a).total_cmp(&total(b)))?;
    Some((best, scored.iter().map(|&row| error(best, row)).collect()))
}

/// Dot products of standardized rows: fitted × fitted, and scored × fitted.
struct Products {
    gram: Vec<Vec<f64>>,
    across: Vec<Vec<f64>>,
}

/// The errors of the mean of the nearest rows: |a − b|² = |a|² + |b|² − 2·a·b, where |a|² is the same for all
/// neighbours and left out.
fn nearest_errors(products: &Products, answers: &Answers, fitted: &[usize], scored: &[usize]) -> Vec<f64> {
    let of_row = |(&row, dots): (&usize, &Vec<f64>)| {
        let distance = |place: &usize| products.gram[*place][*place] - 2.0 * dots[*place];
        let mut places: Vec<usize> = (0..fitted.len()).collect();
        let count = NEIGHBOURS.min(places.len());
        places.select_nth_unstable_by(count - 1, |a, b| distance(a).total_cmp(&distance(b)));
        let mean = |column: usize| {
            let sum: f64 = places[..count].iter().map(|&place| answers.row(fitted[place])[column]).sum();
            sum / count as f64
        };
        answers.error(row, &(0..answers.width).map(mean).collect::<Vec<_>>(), 0.5)
    };
    scored.iter().zip(&products.across).map(of_row).collect()
}

/// The errors of a ridge regression of standardized features on the fitted rows, in its dual form: α = (Z·Zᵀ + λ)⁻¹·Y.
fn linear_errors(
    products: &Products,
    answers: &Answers,
    fitted: &[usize],
    scored: &[usize],
) -> Option<Vec<f64>> {
    let (count, width) = (fitted.len(), answers.width);
    let Products { gram, across } = products;
    let scale = (0..count).map(|i| gram[i][i]).sum::<f64>() / count as f64;
    let mean = |column: usize| fitted.iter().map(|&row| answers.row(row)[column]).sum::<f64>() / count as f64;
    let means: Vec<f64> = (0..width).map(mean).collect();
    if scale <= 0.0 {
        return None;
    }
    let of_ridge = |ridge: f64| {
        let mut matrix = gram.concat();
        (0..count).for_each(|i| matrix[i * count + i] += ridge * scale);
        cholesky(&mut matrix, count)?;
        let solve = |column: usize| {
            let mut own: Vec<f64> =
                fitted.iter().map(|&row| answers.row(row)[column] - means[column]).collect();
            solve(&matrix, &mut own);
            own
        };
        let alphas: Vec<Vec<f64>> = (0..width).map(solve).collect();
        let errors = scored.iter().zip(across).map(|(&row, dots)| {
            let sum = |alpha: &Vec<f64>| alpha.iter().zip(dots).map(|(a, d)| a * d).sum::<f64>();
            let p: Vec<f64> = alphas.iter().zip(&means).map(|(alpha, mean)| mean + sum(alpha)).collect();
            answers.error(row, &p, 0.5)
        });
        Some(errors.collect::<Vec<f64>>())
    };
    let total = |errors: &Vec<f64>| errors.iter().sum::<f64>();
    RIDGES.into_iter().filter_map(of_ridge).min_by(|a, b| total(a).total_cmp(&total(b)))
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
        // 10 · 10 · (0.5 · 100 + 0.06 · 10) = 5060.
        assert_eq!((affordable_rows(100, 5060.0), affordable_rows(100, 5059.0)), (10, 9));
        assert_eq!((affordable_rows(100, 0.0), affordable_rows(1, f64::INFINITY)), (0, MOST_ROWS));
    }

    #[test]
    fn a_linear_model_recovers_a_plane() {
        let x = numbers(600, 1);
        let y: Vec<f64> = x.chunks(3).map(|x| 5.0 + 2.0 * x[0] - x[2]).collect();
        let flat = vec![5.0; 200];
        let rows =
            Predicted { x: Batch::new(&x, 3), y: Batch::new(&y, 1), predictions: Batch::new(&flat, 1) };
        let found = compare(rows, Task::Numbers, 0.5).unwrap();
        assert!(found.linear < Some(1e-4), "{found:?}");
        assert!((found.network - 1.0).abs() < 0.1 && found.significance > 5.0, "{found:?}");
        let perfect = Predicted { predictions: rows.y, ..rows };
        let found = compare(perfect, Task::Numbers, 0.5).unwrap();
        assert!(found.network == 0.0 && found.significance < 0.0, "{found:?}");
    }

    #[test]
    fn classes_are_separated_and_noise_is_not() {
        let x = numbers(1000, 2);
        let y: Vec<f64> = x.chunks(5).map(|x| f64::from(u8::from(x[0] + x[1] > 0.0))).collect();
        let half = vec![0.4; 200];
        let rows =
            Predicted { x: Batch::new(&x, 5), y: Batch::new(&y, 1), predictions: Batch::new(&half, 1) };
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
        let rows =
            Predicted { x: Batch::new(&x, 4), y: Batch::new(&y, 1), predictions: Batch::new(&flat, 1) };
        let found = compare(rows, Task::Numbers, 0.5).unwrap();
        assert_eq!(found.feature.unwrap().0, 3);
        assert!(found.feature.unwrap().1 < 0.3 && found.significance > 3.0, "{found:?}");
    }
}
