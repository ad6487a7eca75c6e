//! Shards: each rank has its own rows, and each batch takes rows from all of them.

use std::ops::Range;

use super::Ranks;
use crate::error::Result;

/// The number of rows of each rank, and their global order. Every prefix of that order contains rows of each shard in
/// proportion to its size, rounded by Webster's method, so that all shards end together.
#[derive(Debug, Clone)]
pub(crate) struct Shards {
    counts: Vec<usize>,
    rank: usize,
    /// The number of rows of all ranks.
    pub(crate) total: usize,
}

impl Shards {
    /// Exchanges the numbers of rows of all ranks; `own` is that of this rank.
    pub(crate) fn meet(ranks: &Ranks, own: usize) -> Result<Self> {
        Ok(Shards::of(ranks.each(own)?, ranks.rank()))
    }

    fn of(counts: Vec<usize>, rank: usize) -> Self {
        let total = counts.iter().sum();
        Shards { counts, rank, total }
    }

    /// The number of rows of each rank, as text.
    pub(crate) fn words(&self) -> String {
        let counts: Vec<String> = self.counts.iter().map(ToString::to_string).collect();
        counts.join(", ")
    }

    /// Starts the batch of these global rows, and returns the local rows of this rank.
    pub(crate) fn cut(&self, ranks: &Ranks, batch: Range<usize>) -> Range<usize> {
        let [before, after] = [batch.start, batch.end].map(|rows| self.first(rows));
        ranks.cut(after.iter().zip(&before).map(|(after, before)| after - before).collect());
        before[self.rank]..after[self.rank]
    }

    /// The number of rows of each shard among the first `rows` global rows. Row `j` of `n` of a shard has the position
    /// `(2j + 1) / 2n`; on a tie the lower rank comes first.
    fn first(&self, rows: usize) -> Vec<usize> {
        let total = self.total.max(1) as u128;
        // Take all rows up to this position, then add or remove the nearest until the number is right.
        let share = |&count: &usize| ((2 * rows as u128 * count as u128 + total) / (2 * total)) as usize;
        let mut taken: Vec<usize> =
            self.counts.iter().zip(self.counts.iter().map(share)).map(|(n, k)| k.min(*n)).collect();
        let mut sum: usize = taken.iter().sum();
        // Compares the positions of two rows of two shards.
        let place = |(rank, row): (usize, usize), (other, row_of_other): (usize, usize)| {
            let left = (2 * row as u128 + 1) * self.counts[other] as u128;
            let right = (2 * row_of_other as u128 + 1) * self.counts[rank] as u128;
            left.cmp(&right).then(rank.cmp(&other))
        };
        while sum < rows {
            let next = (0..taken.len()).filter(|&rank| taken[rank] < self.counts[rank]);
            let Some(rank) = next.min_by(|&a, &b| place((a, taken[a]), (b, taken[b]))) else { break };
            (taken[rank], sum) = (taken[rank] + 1, sum + 1);
        }
        while sum > rows {
            let last = (0..taken.len()).filter(|&rank| taken[rank] > 0);
            let Some(rank) = last.max_by(|&a, &b| place((a, taken[a] - 1), (b, taken[b] - 1))) else { break };
            (taken[rank], sum) = (taken[rank] - 1, sum - 1);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_used_once_and_in_proportion() {
        for counts in [
            vec![10, 10],
            vec![7, 0, 3],
            vec![1, 1, 1, 1, 1],
            vec![1000, 1, 37, 0, 0, 512],
            vec![0, 5],
            vec![3],
        ] {
            let shards = Shards::of(counts.clone(), 0);
            let mut before = vec![0; counts.len()];
            for rows in 0..=shards.total {
                let now = shards.first(rows);
                assert_eq!(now.iter().sum::<usize>(), rows, "{counts:?}");
                for ((now, before), count) in now.iter().zip(&before).zip(&counts) {
                    assert!(now >= before, "{counts:?} at {rows}: a row is taken back");
                    let share = rows as f64 * *count as f64 / shards.total as f64;
                    assert!(
                        (*now as f64 - share).abs() <= 1.5,
                        "{counts:?} at {rows}: {now} and not {share}"
                    );
                }
                before = now;
            }
            assert_eq!(before, counts);
        }
    }
}
