//! Shards: data of which each rank has a part of its own, and what each of them gives to a batch.

use std::ops::Range;

use super::Ranks;
use crate::error::Result;

/// How many rows each rank has, and in which order all of them come: of any number of first rows each shard has given its
/// share, as near as whole numbers come to it (Webster's method), so that all end together.
#[derive(Debug, Clone)]
pub(crate) struct Shards {
    counts: Vec<usize>,
    rank: usize,
    /// All rows.
    pub(crate) total: usize,
}

impl Shards {
    /// What all ranks have, of which this one has `own`.
    pub(crate) fn meet(ranks: &Ranks, own: usize) -> Result<Self> {
        Ok(Shards::of(ranks.each(own)?, ranks.rank()))
    }

    fn of(counts: Vec<usize>, rank: usize) -> Self {
        let total = counts.iter().sum();
        Shards { counts, rank, total }
    }

    /// How many rows each rank has, in words.
    pub(crate) fn words(&self) -> String {
        let counts: Vec<String> = self.counts.iter().map(ToString::to_string).collect();
        counts.join(", ")
    }

    /// Begins the batch of these rows of all, and gives those of this rank, counted from the first of its own.
    pub(crate) fn cut(&self, ranks: &Ranks, batch: Range<usize>) -> Range<usize> {
        let [before, after] = [batch.start, batch.end].map(|rows| self.first(rows));
        ranks.cut(after.iter().zip(&before).map(|(after, before)| after - before).collect());
        before[self.rank]..after[self.rank]
    }

    /// How many of the first `rows` of all are each shard's. Its row `j` of `n` comes at `(2j + 1) / 2n` of the way, where
    /// several do that of the first rank first.
    fn first(&self, rows: usize) -> Vec<usize> {
        let total = self.total.max(1) as u128;
        // All rows up to this point of the way, and then the nearest to it, until there are so many.
        let share = |&count: &usize| ((2 * rows as u128 * count as u128 + total) / (2 * total)) as usize;
        let mut taken: Vec<usize> =
            self.counts.iter().zip(self.counts.iter().map(share)).map(|(n, k)| k.min(*n)).collect();
        let mut sum: usize = taken.iter().sum();
        // Where row `row` of a shard lies, against row `other` of another.
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
    fn each_row_is_given_once_and_in_proportion() {
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
