//! The words of a column with their counts, and the sum of its numbers.

use std::collections::HashMap;
use std::num::NonZeroU64;

use super::number::NumberFormat;

/// The statistics of a column.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    /// The words with their indices in order of appearance, and their counts.
    pub(super) words: HashMap<String, Word>,
    pub(super) counts: Vec<usize>,
    pub(super) sum: f64,
    pub(super) numbers: usize,
    pub(super) missing: bool,
}

/// A word's index in order of appearance, and its first position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub(super) place: usize,
    pub(super) first: (usize, Option<NonZeroU64>),
}

impl Seen {
    /// Returns the index of a word, adding it if it is new.
    pub(super) fn word(&mut self, word: &str, first: (usize, Option<NonZeroU64>)) -> usize {
        let place = match self.words.get(word) {
            Some(known) => known.place,
            None => {
                self.words.insert(word.into(), Word { place: self.counts.len(), first });
                self.counts.push(0);
                self.counts.len() - 1
            }
        };
        self.counts[place] += 1;
        place
    }

    /// Records a number; `sums` is false if the caller sums the numbers later.
    pub(super) fn number(&mut self, value: f64, sums: bool) {
        if !value.is_nan() {
            self.numbers += 1;
            if sums {
                self.sum += value;
            }
        }
    }

    /// Merges the statistics of later rows, which start after `rows` rows and `lines` lines. Returns the merged index
    /// of each of its words.
    #[cfg(feature = "csv")]
    pub(super) fn join(&mut self, other: Seen, rows: usize, lines: u64) -> Vec<usize> {
        self.sum += other.sum;
        self.numbers += other.numbers;
        self.missing |= other.missing;
        let mut words: Vec<(String, Word)> = other.words.into_iter().collect();
        words.sort_by_key(|(_, word)| word.place);
        let place = |(word, seen): (String, Word)| {
            let (row, line) = seen.first;
            let place = self.word(&word, (rows + row, line.and_then(|line| line.checked_add(lines))));
            self.counts[place] += other.counts[seen.place] - 1;
            place
        };
        words.into_iter().map(place).collect()
    }

    /// The sorted words: as numbers if these may be and all are numeric, otherwise as strings.
    pub(super) fn sorted(&self, numeric: bool, format: NumberFormat) -> Vec<String> {
        let mut words: Vec<String> = self.words.keys().cloned().collect();
        match numbers(&words, format).filter(|_| numeric) {
            Some(mut numbers) => {
                numbers.sort_by(f64::total_cmp);
                numbers.dedup();
                numbers.iter().map(|number| (number + 0.0).to_string()).collect()
            }
            None => {
                words.sort();
                words
            }
        }
    }
}

/// Parses the words as numbers, if all are finite numbers.
pub(super) fn numbers(words: &[String], format: NumberFormat) -> Option<Vec<f64>> {
    words.iter().map(|word| format.parse(word).filter(|number| number.is_finite())).collect()
}

pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

pub(super) fn most_frequent(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let runs = values.chunk_by(|a, b| a == b);
    let longest = runs.fold(&values[..0], |best, run| if run.len() > best.len() { run } else { best });
    longest.first().copied().unwrap_or(f64::NAN)
}
