//! Padding: one step that is repeated at an end of most sequences.

use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The fewest sequences.
const FEWEST_ROWS: usize = 8;
/// The largest share of the other steps that may equal the padding. A value that a signal also takes elsewhere is a value of it.
const ELSEWHERE: f64 = 0.02;

/// A step that most sequences repeat at one end, and that hardly occurs elsewhere.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     let padding = e.data.padding_behind.as_ref().expect("padding");
///     assert_eq!((padding.value, padding.steps, padding.share), (Some(0.0), 5.0, 0.625));
///     assert_eq!(e.data.padding_in_front, None);
///     Vec::new()
/// };
/// let x = ndarray::Array2::from_shape_fn((64, 8), |(i, t)| if t < 3 { (1 + (i + t) % 7) as f32 } else { 0.0 });
/// let y = x.column(0).to_owned();
/// let mut model = Sequential::new().seed(1).add(Embedding::new(8, 4)).add(Lstm::new(4)).add(Dense::new(1));
/// model.compile(Adam::new(0.01), MeanSquaredError::new(), ())?;
/// model.fit(&x, &y, &Fit::new().rule(rule).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct SequencePadding {
    /// The value of all numbers of the step, in the shortest decimal form of the numbers of the model: −0.1 for −0.1 in `f32`.
    /// `None` if they differ.
    pub value: Option<f64>,
    /// The median number of padded steps over the sequences.
    pub steps: f64,
    /// The share of all steps that are padded.
    pub share: f64,
    /// The number of sampled sequences.
    pub rows: usize,
    /// The number of them with padding.
    pub padded_rows: usize,
}

/// The end of the sequences that is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SequenceEnd {
    First,
    Last,
}

impl SequencePadding {
    /// Searches sequences of steps of `width` numbers for padding at one end.
    pub(crate) fn of<F: Scalar>(x: Batch<F>, width: usize, end: SequenceEnd) -> Option<SequencePadding> {
        let (rows, steps) = (x.rows(), x.width() / width.max(1));
        if rows < FEWEST_ROWS || steps < 2 {
            return None;
        }
        // The steps of a row from the searched end on.
        let step = |row: usize, place: usize| {
            let place = match end {
                SequenceEnd::First => place,
                SequenceEnd::Last => steps - 1 - place,
            };
            &x.row(row)[place * width..][..width]
        };
        let padding = step(majority(rows, |row| step(row, 0)), 0);
        let run = |row: usize| (0..steps).take_while(|&place| step(row, place) == padding).count();
        let mut runs: Vec<usize> = (0..rows).map(run).collect();
        let padded_rows = runs.iter().filter(|run| **run > 0).count();
        if 2 * padded_rows <= rows {
            return None;
        }
        let (mut elsewhere, mut others) = (0, 0);
        for (row, run) in runs.iter().enumerate() {
            elsewhere += (*run..steps).filter(|&place| step(row, place) == padding).count();
            others += steps - run;
        }
        if elsewhere as f64 > ELSEWHERE * others as f64 || others == 0 {
            return None;
        }
        let share = 1.0 - others as f64 / (rows * steps) as f64;
        runs.sort_unstable();
        let middle = (runs[(rows - 1) / 2] + runs[rows / 2]) as f64 / 2.0;
        let value = padding.first().filter(|first| padding.iter().all(|x| x == *first));
        Some(SequencePadding { value: value.map(|x| shortest(*x)), steps: middle, share, rows, padded_rows })
    }
}

/// The value of the shortest decimal number that rounds to `x`: 0.1 for 0.1 in `f32`, rather than 0.10000000149.
pub(super) fn shortest<F: Scalar>(x: F) -> f64 {
    x.to_string().parse().unwrap_or(x.as_f64())
}

/// The row whose step more than half of the rows share, if there is one (Boyer and Moore 1991).
fn majority<'x, F: Scalar>(rows: usize, step: impl Fn(usize) -> &'x [F]) -> usize {
    let (mut candidate, mut votes) = (0, 0usize);
    for row in 0..rows {
        match (votes, step(row) == step(candidate)) {
            (0, _) => (candidate, votes) = (row, 1),
            (_, true) => votes += 1,
            (_, false) => votes -= 1,
        }
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: usize = 10;

    /// Of 20 rows, row `i` has `lengths(i)` steps that differ from 0, then `padding`.
    fn rows(lengths: impl Fn(usize) -> usize, padding: [f64; 2]) -> Vec<f64> {
        let places = (0..20).flat_map(|i| (0..STEPS).map(move |t| (i, t)));
        let step = |i: usize, t: usize| [(1 + (i * 7 + t * 3) % 11) as f64, (i + t) as f64 + 0.5];
        places.flat_map(|(i, t)| if t < lengths(i) { step(i, t) } else { padding }).collect()
    }

    fn found(x: &[f64], end: SequenceEnd) -> Option<(Option<f64>, f64, f64, usize)> {
        let padding = SequencePadding::of(Batch::new(x, 2 * STEPS), 2, end)?;
        Some((padding.value, padding.steps, padding.share, padding.padded_rows))
    }

    #[test]
    fn padding_is_found_at_its_end() {
        let x = rows(|i| 2 + i % 5, [0.0; 2]);
        assert_eq!(found(&x, SequenceEnd::Last), Some((Some(0.0), 6.0, 0.6, 20)));
        assert_eq!(found(&x, SequenceEnd::First), None);
        // In front: the same rows in reverse.
        let reversed: Vec<f64> = x.chunks(2 * STEPS).flat_map(|row| row.iter().rev()).copied().collect();
        assert_eq!(found(&reversed, SequenceEnd::First), Some((Some(0.0), 6.0, 0.6, 20)));
        // After a standardization, the numbers of a padded step differ.
        let scaled = rows(|i| 2 + i % 5, [-1.5, -0.25]);
        assert_eq!(found(&scaled, SequenceEnd::Last), Some((None, 6.0, 0.6, 20)));
    }

    #[test]
    fn most_rows_have_padding() {
        let padded = |count: usize| rows(move |i| if i < count { 5 } else { STEPS }, [0.0; 2]);
        assert_eq!(found(&padded(11), SequenceEnd::Last).map(|padding| padding.3), Some(11));
        assert_eq!(found(&padded(10), SequenceEnd::Last), None);
        assert_eq!(found(&padded(20)[..7 * 2 * STEPS], SequenceEnd::Last), None, "seven rows");
    }

    #[test]
    fn a_value_that_occurs_elsewhere_is_no_padding() {
        let mut x = rows(|i| 2 + i % 5, [0.0; 2]);
        assert!(found(&x, SequenceEnd::Last).is_some());
        // 80 steps are not padded: one of them is 0, then two.
        x[..2].fill(0.0);
        assert!(found(&x, SequenceEnd::Last).is_some());
        x[2 * STEPS..][..2].fill(0.0);
        assert_eq!(found(&x, SequenceEnd::Last), None);
    }

    #[test]
    fn equal_rows_of_one_value_have_no_padding() {
        assert_eq!(found(&[3.0; 20 * 2 * STEPS], SequenceEnd::Last), None);
    }
}
