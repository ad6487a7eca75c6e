//! Whether the values of the inputs act as categories: a model that knows each value by itself, against models in which close
//! values are alike.
//!
//! Both are kernel ridge regressions, ŷ = k·(K + λ)⁻¹·y. The kernel of categories counts the pairs of equal values of two rows,
//! the kernel of numbers the pairs within the same interval, for intervals of several sizes.

use std::ops::Range;

use super::{Answers, Fitted, MOST_ROWS, Predicted, Scaling, Score};
use super::{cholesky, cost, dot, solve, t_statistic};
use crate::diagnosis::evidence::{CategoryPredictor, Task, WeightFacts};
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The fewest distinct values: more than the hours of a day. A layer of a few units learns any function of fewer numbers.
const FEWEST_LEVELS: usize = 25;
/// The fewest columns that together have values of one set.
const FEWEST_PLACES: usize = 4;
/// The most single columns.
const MOST_COLUMNS: usize = 8;
/// The fewest rows to score.
const FEWEST: usize = 48;
/// The penalties, as shares of the mean diagonal of the kernel; the one with the smallest error is used.
const RIDGES: [f64; 3] = [0.03, 0.3, 3.0];
/// The most intervals into which a single column is divided, and into which the values of all columns are.
const INTERVALS: (f64, f64) = (64.0, 16.0);
/// The fewest values in an interval, on average, of the finest division.
const VALUES_PER_INTERVAL: f64 = 3.0;

/// The nanoseconds that it takes to find the distinct values, for each number of a pair of rows.
const SORTING: f64 = 200.0;

/// The number of rows of this width whose values can be sorted within `budget` nanoseconds, half of them to be scored. `None` if they are
/// too few.
pub(crate) fn affordable_rows(width: usize, budget: f64, most: usize) -> Option<usize> {
    let half = (budget / (SORTING * width as f64)) as usize;
    Some(2 * half.min(most).min(MOST_ROWS / 2)).filter(|rows| *rows >= 2 * FEWEST)
}

/// The multiplications for one set of `width` values, of a row each, if half of the rows are fitted: the kernel of the values, those of
/// the intervals, a Cholesky factor for each of them and each penalty, and the predictions.
fn kernel_cost(half: usize, width: usize, outputs: usize) -> f64 {
    let fitted = half as f64;
    fitted * fitted * (2.0 * width as f64 + 120.0 + fitted + 20.0 * outputs as f64)
}

/// Compares the network with a model of categories, and this with models of numbers, on the same rows: every second row is fitted, and
/// the others are scored. `rows.predictions` are those for the scored rows. `None` if no values may be indices, or the budget allows too
/// few rows.
pub(crate) fn compare<F: Scalar>(
    rows: Predicted<F>,
    task: Task,
    threshold: f64,
    budget: f64,
) -> Option<CategoryPredictor> {
    let Predicted { x, y, predictions, weights } = rows;
    let all = Answers::of(y, weights, task)?;
    let sets = Codes::candidates(x);
    let widths = || sets.iter().map(|set| set.width);
    let total = |half: usize| {
        widths().map(|width| kernel_cost(half, width, all.width)).sum::<f64>() + cost(half, x.width() as f64)
    };
    let most = predictions.rows();
    let half =
        (FEWEST..=most).take_while(|&half| total(half) <= budget).last().filter(|_| !sets.is_empty())?;
    // Evenly distributed pairs of a fitted and a scored row.
    let pairs: Vec<usize> = (0..half).map(|i| i * most / half).collect();
    let [fitted, scored] = [0, 1].map(|one| pairs.iter().map(|pair| 2 * pair + one).collect::<Vec<_>>());
    let scaling = Scaling::of(x, &fitted);
    let standardized = |rows: &[usize]| rows.iter().map(|&row| scaling.apply(x.row(row))).collect();
    // Squared errors also of class indicators, which tell models apart in fewer rows than wrong classes do.
    let squared = |rows: &[usize]| Answers { is_class: false, ..all.of_rows(rows) };
    let known = Fitted { x: standardized(&fitted), answers: squared(&fitted) };
    let (asked, answers): (Vec<Vec<f64>>, _) = (standardized(&scored), squared(&scored));
    let constant = answers.constant_error();
    if constant <= 0.0 || WeightFacts::of(&answers.weights).effective_rows < FEWEST as f64 {
        return None;
    }
    let best = |predictions: Vec<Vec<Vec<f64>>>| -> Option<(Score, Vec<Vec<f64>>)> {
        let scores = predictions.into_iter().map(|own| (answers.score(&own, 0.5), own));
        scores.min_by(|a, b| a.0.sum().total_cmp(&b.0.sum()))
    };
    let mut simple = known.linear(&asked);
    simple.push(known.nearest(&asked));
    let (simple, _) = best(simple)?;
    let rows: Vec<usize> = fitted.iter().chain(&scored).copied().collect();
    // A column is read next to the others.
    let linear = sets.iter().any(|set| set.feature.is_some()).then(|| Kernel::linear(&known.x, &asked));
    let compared = sets.iter().filter_map(|set| {
        let others = set.feature.and(linear.as_ref());
        let (categories, own) = best(set.by_value(&rows, half).plus(others).predict(&known.answers))?;
        let (intervals, _) = best(set.by_interval(&rows, half).plus(others).predict(&known.answers))?;
        Some((set, categories, own, intervals))
    });
    let (set, categories, own, intervals) = compared.min_by(|a, b| a.1.sum().total_cmp(&b.1.sum()))?;
    let numbers = if intervals.sum() < simple.sum() { &intervals } else { &simple };
    // Few large errors say less about the rest in distances than in their squares.
    let distances = |score: &Score| score.errors.iter().map(|error| error.sqrt()).collect::<Vec<f64>>();
    // The network is compared by the errors of its task.
    let answers = all.of_rows(&scored);
    let of_network = pairs.iter().map(|&pair| predictions.row(pair).iter().map(|p| p.as_f64()).collect());
    let network = answers.score(&of_network.collect::<Vec<Vec<f64>>>(), threshold);
    let wrong = answers.score(&own, 0.5);
    let (share, own_constant) = (|score: &Score| score.sum() / constant, answers.constant_error());
    let is_finite = network.errors.iter().all(|error| error.is_finite()) && own_constant > 0.0;
    is_finite.then(|| CategoryPredictor {
        rows: scored.len(),
        feature: set.feature,
        levels: set.levels,
        range: (set.range.start, set.range.end),
        categories: share(&categories),
        numbers: share(numbers),
        significance: t_statistic(&distances(numbers), &distances(&categories)),
        error: wrong.sum() / own_constant,
        network: network.sum() / own_constant,
        lead: t_statistic(&network.errors, &wrong.errors),
    })
}

/// Values of a common set, each as its rank in the set.
struct Codes {
    /// The column; `None` for all columns.
    feature: Option<usize>,
    width: usize,
    levels: usize,
    /// The smallest and the largest value.
    range: Range<f64>,
    ranks: Vec<u32>,
}

impl Codes {
    /// The sets of values that may be indices: that of all columns if most have the same range, as the steps of a text do, and otherwise
    /// those of single columns.
    fn candidates<F: Scalar>(x: Batch<F>) -> Vec<Codes> {
        let spread = |column: usize| {
            let values = x.iter().map(|row| row[column].as_f64());
            let (low, high) =
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
            high - low
        };
        let spreads: Vec<f64> = (0..x.width()).map(spread).collect();
        let widest = spreads.iter().copied().fold(0.0, f64::max);
        let wide = spreads.iter().filter(|spread| **spread > 0.5 * widest).count();
        let is_text = x.width() >= FEWEST_PLACES && 10 * wide >= 9 * x.width();
        let together = is_text.then(|| Codes::of(x, None)).flatten();
        match together {
            Some(all) => vec![all],
            None => {
                (0..x.width()).filter_map(|column| Codes::of(x, Some(column))).take(MOST_COLUMNS).collect()
            }
        }
    }

    /// The ranks of these values. `None` if they are few, or most occur once: a category that is not repeated has no effect that a sample
    /// shows.
    fn of<F: Scalar>(x: Batch<F>, feature: Option<usize>) -> Option<Codes> {
        let columns = feature.map_or(0..x.width(), |column| column..column + 1);
        let (width, read) = (columns.len(), || x.iter().flat_map(|row| &row[columns.clone()]));
        let mut values: Vec<f64> = read().map(|x| x.as_f64()).collect();
        let count = values.len();
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        if values.len() < FEWEST_LEVELS || 2 * values.len() > count {
            return None;
        }
        let rank = |x: &F| values.partition_point(|value| *value < x.as_f64()) as u32;
        Some(Codes {
            feature,
            width,
            levels: values.len(),
            range: values[0]..values[values.len() - 1],
            ranks: read().map(rank).collect(),
        })
    }

    fn row(&self, row: usize) -> &[u32] {
        &self.ranks[row * self.width..][..self.width]
    }

    /// The kernel of categories: the pairs of equal values of two rows. The first `fitted` rows are known.
    fn by_value(&self, rows: &[usize], fitted: usize) -> Kernel {
        self.agreement(rows, fitted, self.levels, |rank| rank as usize)
    }

    /// The kernel of numbers: the pairs within the same interval, over divisions of which each has a quarter of the intervals of the one
    /// before, and each also shifted by half an interval. The intervals have equally many values.
    fn by_interval(&self, rows: &[usize], fitted: usize) -> Kernel {
        let mut counts = vec![0.0; self.levels];
        rows[..fitted].iter().flat_map(|&row| self.row(row)).for_each(|&rank| counts[rank as usize] += 1.0);
        let total: f64 = counts.iter().sum();
        let mut before = 0.0;
        let places: Vec<f64> = counts
            .iter()
            .map(|count| {
                before += count;
                (before - 0.5 * count) / total
            })
            .collect();
        let most = if self.feature.is_some() { INTERVALS.0 } else { INTERVALS.1 };
        let mut kernel = Kernel::zero(rows.len(), fitted);
        let mut intervals = most.min(self.levels as f64 / VALUES_PER_INTERVAL);
        while intervals >= 2.0 {
            for shift in [0.0, 0.5] {
                let interval = |rank: u32| (intervals * places[rank as usize] + shift) as usize;
                let own = self.agreement(rows, fitted, intervals as usize + 2, interval);
                kernel = kernel.plus(Some(&own));
            }
            intervals /= 4.0;
        }
        kernel
    }

    /// Σ over the groups of the product of how often two rows have a value of the group.
    fn agreement(
        &self,
        rows: &[usize],
        fitted: usize,
        groups: usize,
        group: impl Fn(u32) -> usize,
    ) -> Kernel {
        // The rows that have values of each group, with their number.
        let mut members: Vec<Vec<(usize, f64)>> = vec![Vec::new(); groups];
        for (place, &row) in rows.iter().enumerate() {
            for &rank in self.row(row) {
                let own = &mut members[group(rank)];
                match own.last_mut() {
                    Some((last, count)) if *last == place => *count += 1.0,
                    _ => own.push((place, 1.0)),
                }
            }
        }
        let mut kernel = Kernel::zero(rows.len(), fitted);
        for own in members {
            let known = &own[..own.partition_point(|(place, _)| *place < fitted)];
            for (row, count) in &own {
                let line = &mut kernel.values[row * fitted..][..fitted];
                known.iter().for_each(|(place, other)| line[*place] += count * other);
            }
        }
        kernel.normalized()
    }
}

/// The similarities of rows: one line for each row, and one column for each of the first `fitted` rows.
struct Kernel {
    fitted: usize,
    values: Vec<f64>,
}

impl Kernel {
    fn zero(rows: usize, fitted: usize) -> Kernel {
        Kernel { fitted, values: vec![0.0; rows * fitted] }
    }

    /// The inner products of standardized rows.
    fn linear(known: &[Vec<f64>], asked: &[Vec<f64>]) -> Kernel {
        let rows = known.iter().chain(asked);
        let values = rows.flat_map(|a| known.iter().map(|b| dot(a, b))).collect();
        Kernel { fitted: known.len(), values }.normalized()
    }

    /// Scales the mean of the diagonal to 1.
    fn normalized(mut self) -> Kernel {
        let diagonal = self.values.iter().step_by(self.fitted + 1).take(self.fitted);
        let mean = diagonal.sum::<f64>() / self.fitted as f64;
        if mean > 0.0 {
            self.values.iter_mut().for_each(|value| *value /= mean);
        }
        self
    }

    fn plus(mut self, other: Option<&Kernel>) -> Kernel {
        let other = other.into_iter().flat_map(|other| &other.values);
        self.values.iter_mut().zip(other).for_each(|(value, other)| *value += other);
        self
    }

    /// The predictions of a ridge regression for the rows that are not fitted, for each penalty.
    fn predict(&self, answers: &Answers) -> Vec<Vec<Vec<f64>>> {
        let (known, asked) = self.values.split_at(self.fitted * self.fitted);
        let diagonal = known.iter().step_by(self.fitted + 1).sum::<f64>() / self.fitted as f64;
        let columns = 0..answers.width;
        let means: Vec<f64> = columns.clone().map(|column| answers.mean(column)).collect();
        let of_ridge = |ridge: f64| {
            let mut matrix = known.to_vec();
            matrix.iter_mut().step_by(self.fitted + 1).for_each(|value| *value += ridge * diagonal);
            cholesky(&mut matrix, self.fitted)?;
            let weights = columns.clone().map(|column| {
                let mut own: Vec<f64> = answers.rows().map(|y| y[column] - means[column]).collect();
                solve(&matrix, &mut own);
                own
            });
            let weights: Vec<Vec<f64>> = weights.collect();
            let predict =
                |line: &[f64]| weights.iter().zip(&means).map(|(w, mean)| mean + dot(w, line)).collect();
            Some(asked.chunks_exact(self.fitted).map(predict).collect())
        };
        RIDGES.into_iter().filter_map(of_ridge).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Rows of `width` indices below 100, and targets: the sum of what `effect` gives for each.
    fn rows(width: usize, effect: impl Fn(usize) -> f64) -> (Vec<f64>, Vec<f64>) {
        let mut rng = Rng::new(1);
        let x: Vec<f64> = (0..400 * width).map(|_| (100.0 * rng.uniform()).floor()).collect();
        let y = x.chunks(width).map(|row| row.iter().map(|x| effect(*x as usize)).sum()).collect();
        (x, y)
    }

    #[track_caller]
    fn compared(width: usize, effect: impl Fn(usize) -> f64, budget: f64) -> Option<CategoryPredictor> {
        let (x, y) = rows(width, effect);
        let flat = [0.0; 200];
        let (x, y) = (Batch::new(&x, width), Batch::new(&y, 1));
        let rows = Predicted { x, y, predictions: Batch::new(&flat, 1), weights: None };
        compare(rows, Task::Numbers, 0.5, budget)
    }

    #[test]
    fn values_in_no_order_are_categories() {
        // The remainders of neighbours differ.
        let unordered = |x: usize| (x * 37 % 100) as f64;
        for width in [1, 6] {
            let found = compared(width, unordered, 1e9).unwrap();
            assert!(found.are_categories() && found.beats_network(), "{width}: {found:?}");
            assert_eq!(found.feature, (width == 1).then_some(0));
            for ordered in [|x: usize| x as f64, |x: usize| (x as f64 / 20.0).sin()] {
                let found = compared(width, ordered, 1e9).unwrap();
                assert!(!found.are_categories(), "{width}: {found:?}");
            }
        }
    }

    #[test]
    fn the_budget_bounds_the_rows() {
        let costs = |half: usize| kernel_cost(half, 6, 1) + cost(half, 6.0);
        let found = compared(6, |x| (x * 37 % 100) as f64, costs(60)).unwrap();
        assert_eq!(found.rows, 60);
        assert_eq!(compared(6, |x| x as f64, costs(FEWEST) - 1.0), None);
        assert_eq!(affordable_rows(10, 1e5, 1000), Some(100));
        assert_eq!(affordable_rows(10, 1e5, 47), None);
    }

    #[test]
    fn few_values_and_values_that_occur_once_are_no_indices() {
        let found = |values: &[f64]| Codes::of(Batch::new(values, 1), None).map(|codes| codes.levels);
        let repeated = |levels: usize| (0..100).map(|i| (i % levels) as f64).collect::<Vec<f64>>();
        assert_eq!(found(&repeated(25)), Some(25));
        assert_eq!(found(&repeated(24)), None);
        assert_eq!(found(&repeated(51)), None);
    }
}
