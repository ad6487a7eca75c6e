//! Duplicate rows: within the training data, and between training and validation data.

use super::Task;
use crate::data::class_of;
use crate::hash::hash_values;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// Counts of duplicate rows in a sample.
///
/// # Example
/// ```
/// let mut repeats = cornu::diagnosis::Repeats::default();
/// (repeats.rows, repeats.repeated) = (200, 50);
/// assert_eq!(repeats.repeated as f64 / repeats.rows as f64, 0.25);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Repeats {
    /// The number of compared training rows.
    pub rows: usize,
    /// The number that equal an earlier row.
    pub repeated: usize,
    /// The number that equal a row of another class.
    pub contradicted: usize,
    /// The highest accuracy possible on these rows: each group of equal rows predicted as its most frequent class.
    pub reachable: f64,
    /// Whether equal rows must be copies: some feature hardly ever repeats a value among different rows.
    pub copies: bool,
    /// The number of compared validation rows, and of those that equal a training row.
    pub validation: (usize, usize),
}

/// A hash of a row from at most 64 of its numbers.
fn key<F: Scalar>(row: &[F]) -> u64 {
    let stride = row.len().div_ceil(64) | 1;
    hash_values(row.len() as u64, row.iter().step_by(stride))
}

/// The sorted hashes of rows with their indices.
fn keys<F: Scalar>(x: Batch<F>) -> Vec<(u64, usize)> {
    let mut keys: Vec<(u64, usize)> = x.iter().enumerate().map(|(place, row)| (key(row), place)).collect();
    keys.sort_unstable();
    keys
}

impl Repeats {
    /// Compares the training rows, whose targets are `y`, with each other and with the validation rows.
    pub(crate) fn of<F: Scalar>(x: Batch<F>, y: Batch<F>, task: Task, validation: Option<Batch<F>>) -> Self {
        let keys = keys(x);
        let classes = task == Task::Classes || y.width() == 1 && task == Task::Binary;
        let mut repeats = Repeats { rows: x.rows(), ..Repeats::default() };
        let (mut right, mut firsts) = (0, Vec::new());
        let mut counts: Vec<(Option<usize>, usize)> = Vec::new();
        for group in keys.chunk_by(|a, b| a.0 == b.0) {
            let first = group[0].1;
            firsts.push(first);
            counts.clear();
            let equal = |&&(_, place): &&(u64, usize)| x.row(place) == x.row(first);
            for &(_, place) in group.iter().filter(equal) {
                let class = class_of(y.row(place));
                match counts.iter_mut().find(|(known, _)| *known == class) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((class, 1)),
                }
            }
            let all: usize = counts.iter().map(|(_, count)| count).sum();
            repeats.repeated += all - 1;
            repeats.contradicted += if classes && counts.len() > 1 { all } else { 0 };
            right += counts.iter().map(|(_, count)| *count).max().unwrap_or(0) + group.len() - all;
        }
        repeats.reachable = right as f64 / x.rows().max(1) as f64;
        if let Some(validation) = validation {
            let known = |row: &&[F]| {
                let found = keys.binary_search_by_key(&key(row), |(key, _)| *key);
                found.is_ok_and(|place| x.row(keys[place].1) == *row)
            };
            repeats.validation = (validation.rows(), validation.iter().filter(known).count());
        }
        if repeats.repeated + repeats.validation.1 > 0 {
            repeats.copies = has_own_values(x, &firsts);
        }
        repeats
    }
}

/// Whether some feature has at least nine distinct values in ten different rows, so it is measured and not a count or choice.
fn has_own_values<F: Scalar>(x: Batch<F>, rows: &[usize]) -> bool {
    let rows = &rows[..rows.len().min(256)];
    let stride = x.width().div_ceil(64) | 1;
    let own = |column: usize| {
        let mut values: Vec<f64> = rows.iter().map(|&row| x.row(row)[column].as_f64()).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        10 * values.len() >= 9 * rows.len()
    };
    rows.len() >= 10 && (0..x.width()).step_by(stride).any(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_and_contradicting_rows_are_counted() {
        // Rows 0, 2 and 3 are equal; 3 has another class. Row 4 equals row 1 but for a sign of zero.
        let x = [1.0, 2.0, 0.0, 4.0, 1.0, 2.0, 1.0, 2.0, -0.0, 4.0, 9.0, 9.0];
        let y = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0];
        let validation = [9.0, 9.0, 9.0, 8.0];
        let (x, y) = (Batch::new(&x, 2), Batch::new(&y, 1));
        let found = Repeats::of(x, y, Task::Classes, Some(Batch::new(&validation, 2)));
        assert_eq!((found.rows, found.repeated, found.contradicted), (6, 3, 3));
        assert_eq!((found.reachable, found.validation), (5.0 / 6.0, (2, 1)));
        // Numbers are not classes, so different ones do not contradict each other.
        assert_eq!(Repeats::of(x, y, Task::Numbers, None).contradicted, 0);
    }

    #[test]
    fn rows_of_few_values_may_be_equal_by_chance() {
        let coded: Vec<f64> = (0..200).map(|i| f64::from(i % 3)).collect();
        let measured: Vec<f64> = (0..200).map(|i| f64::from(i % 100).sqrt()).collect();
        let y = vec![0.0; 200];
        let of = |x: &[f64]| Repeats::of(Batch::new(x, 1), Batch::new(&y, 1), Task::Classes, None);
        assert!(!of(&coded).copies && of(&measured).copies);
        assert_eq!(of(&measured).repeated, 100);
    }
}
