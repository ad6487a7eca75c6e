//! What a training on several ranks needs: its part of each batch, sums, and agreement on errors.

use std::ops::Range;
use std::sync::Mutex;

use super::{Communicator, Numbers, RankSettings, Reduction, Sum, from_bytes, to_bytes};
use crate::error::{Error, RankFault, Result};
use crate::scalar::Scalar;
use crate::state::StateValue;

/// The ranks of a training, seen from one of them.
#[derive(Debug)]
pub(crate) struct Ranks<'a> {
    world: &'a dyn Communicator,
    reduction: Reduction,
    bucket_bytes: usize,
    sync_every: usize,
    /// What went wrong in a call that has no result, until it is asked for.
    fault: Mutex<Option<Error>>,
    /// Where each rank has data of its own: how many rows of the batch under way are whose.
    shares: Option<Mutex<Vec<usize>>>,
}

impl<'a> Ranks<'a> {
    /// Of a training that is given these; None of one that is alone, unless it cuts its batches nevertheless.
    pub(crate) fn of(settings: RankSettings<'a>) -> Option<Self> {
        let RankSettings { world, reduction, bucket_bytes, sync_every, sharded } = settings;
        let world = world.filter(|world| world.size() > 1 || reduction == Reduction::Exact)?;
        let shares = sharded.then(Mutex::default);
        Some(Ranks { world, reduction, bucket_bytes, sync_every, fault: Mutex::new(None), shares })
    }

    /// How many numbers of this type are summed in one piece.
    pub(crate) fn bucket<F>(&self) -> usize {
        self.bucket_bytes.div_ceil(size_of::<F>())
    }

    /// Whether each rank has data of its own.
    pub(crate) fn is_sharded(&self) -> bool {
        self.shares.is_some()
    }

    /// Begins a batch of which each rank has so many rows.
    pub(crate) fn cut(&self, shares: Vec<usize>) {
        if let Some(Ok(mut known)) = self.shares.as_ref().map(Mutex::lock) {
            *known = shares;
        }
    }

    /// Which of the batch's rows are those of a rank with data of its own.
    fn share(&self, rank: usize) -> Option<Range<usize>> {
        let shares = self.shares.as_ref()?.lock().ok()?;
        let start = shares.iter().take(rank).sum();
        Some(start..start + shares.get(rank)?)
    }

    /// After how many steps the ranks meet, where each takes steps of its own between.
    pub(crate) fn meets_after(&self) -> Option<usize> {
        Some(self.sync_every).filter(|&steps| steps > 1)
    }

    /// Whether batches are cut into the same parts on any number of ranks.
    pub(crate) fn is_exact(&self) -> bool {
        self.reduction == Reduction::Exact
    }

    pub(crate) fn rank(&self) -> usize {
        self.world.rank()
    }

    pub(crate) fn size(&self) -> usize {
        self.world.size()
    }

    /// Whether this is rank 0, which decides.
    pub(crate) fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// This rank's parts of so many rows, one after another: as even as can be, the larger parts first, so that rank 0 has a
    /// row where any has. Of shards as [`Ranks::cut`] has it.
    pub(crate) fn parts(&self, rows: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let (parts, count) = self.parts_of(self.rank());
        let share = self.share(self.rank());
        parts.map(move |index| share.clone().unwrap_or_else(|| part(rows, index, count)))
    }

    /// How many of so many rows a rank has.
    pub(crate) fn held(&self, rows: usize, rank: usize) -> usize {
        let (parts, count) = self.parts_of(rank);
        let even = || parts.map(|index| part(rows, index, count).len()).sum();
        self.share(rank).map_or_else(even, |share| share.len())
    }

    /// Which of how many parts a rank has.
    fn parts_of(&self, rank: usize) -> (Range<usize>, usize) {
        match self.reduction {
            Reduction::Fast => (rank..rank + 1, self.size()),
            Reduction::Exact => (part(PARTS, rank, self.size()), PARTS),
        }
    }

    /// The sums over all parts of all ranks of `len` numbers each, of which these are this rank's.
    pub(crate) fn total<F: Scalar>(&self, mut own: Vec<Vec<F>>, len: usize) -> Result<Vec<F>> {
        if self.reduction == Reduction::Fast {
            let mut numbers = own.pop().unwrap_or_else(|| vec![F::zero(); len]);
            return self.sum(&mut numbers).map(|()| numbers);
        }
        let first = self.parts_of(self.rank()).0.start;
        let owner =
            |index| (0..self.size()).find(|&rank| self.parts_of(rank).0.contains(&index)).unwrap_or(0);
        let mut step = 1;
        while step < PARTS {
            for left in (0..PARTS).step_by(2 * step) {
                let right = left + step;
                let (to, from) = (owner(left), owner(right));
                let is_mine = from == self.rank();
                if is_mine && to != from {
                    self.world.send(to, &to_bytes(&own[right - first]))?;
                } else if to == self.rank() {
                    let others = match is_mine {
                        true => std::mem::take(&mut own[right - first]),
                        false => from_bytes(from, &self.world.receive(from)?, len)?.collect(),
                    };
                    own[left - first].iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
                }
            }
            step *= 2;
        }
        let mut bytes = own.first().filter(|_| self.is_first()).map_or_else(Vec::new, |sums| to_bytes(sums));
        self.broadcast(&mut bytes)?;
        Ok(from_bytes(0, &bytes, len)?.collect())
    }

    /// Sums over all ranks, for layers, which return no error: it is kept for [`Ranks::check`].
    pub(crate) fn sum_or_keep<F: Scalar>(&self, numbers: &mut [F]) {
        let Ok(mut fault) = self.fault.lock() else { return };
        if self.is_exact() {
            let expected = "Reduction::Fast for layers with statistics over the batch";
            *fault = Some(Error::argument("reduction", expected, "Reduction::Exact"));
        } else if fault.is_none() {
            *fault = self.sum(numbers).err();
        }
    }

    /// What went wrong in [`Ranks::sum_or_keep`] so far.
    pub(crate) fn check(&self) -> Result<()> {
        self.fault.lock().ok().and_then(|mut fault| fault.take()).map_or(Ok(()), Err)
    }

    /// Replaces the numbers by their sums over all ranks.
    pub(crate) fn sum<F: Scalar>(&self, numbers: &mut [F]) -> Result<()> {
        self.world.sum(F::to_numbers(numbers))
    }

    /// The same while the program goes on.
    pub(crate) fn start_sum<F: Scalar>(&self, numbers: Vec<F>) -> Result<Sum<'_>> {
        self.world.start_sum(F::to_owned_numbers(numbers))
    }

    /// Gives all ranks what rank 0 has.
    pub(crate) fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()> {
        self.world.broadcast(bytes)
    }

    /// The same for a value.
    pub(crate) fn tell<T: StateValue>(&self, value: T) -> Result<T> {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        self.broadcast(&mut bytes)?;
        read(0, &bytes)
    }

    /// Sends bytes to another rank.
    pub(super) fn send(&self, to: usize, bytes: &[u8]) -> Result<()> {
        self.world.send(to, bytes)
    }

    /// The next bytes from another rank.
    pub(super) fn receive(&self, from: usize) -> Result<Vec<u8>> {
        self.world.receive(from)
    }

    /// Brings the values of all ranks to rank 0, in order; none to the others.
    pub(crate) fn gather<T: StateValue>(&self, own: T) -> Result<Vec<T>> {
        let mut bytes = Vec::new();
        if !self.is_first() {
            own.put(&mut bytes);
            self.world.send(0, &bytes)?;
            return Ok(Vec::new());
        }
        let others = (1..self.size()).map(|rank| read(rank, &self.world.receive(rank)?));
        std::iter::once(Ok(own)).chain(others).collect()
    }

    /// Gives all ranks the values of all, in order.
    pub(crate) fn each<T: StateValue>(&self, own: T) -> Result<Vec<T>> {
        self.tell(self.gather(own)?)
    }

    /// The same as [`Ranks::gather`] for numbers, one after another; `counts` tells how many each rank has.
    pub(crate) fn gather_numbers<F: Scalar>(
        &self,
        own: &[F],
        counts: &dyn Fn(usize) -> usize,
    ) -> Result<Vec<F>> {
        if !self.is_first() {
            return self.world.send(0, &to_bytes(own)).map(|()| Vec::new());
        }
        let mut all = own.to_vec();
        for rank in 1..self.size() {
            all.extend(from_bytes::<F>(rank, &self.world.receive(rank)?, counts(rank))?);
        }
        Ok(all)
    }

    /// Ok where all ranks are; else a rank's own error, or which other rank has failed, and why.
    pub(crate) fn agree<T>(&self, own: Result<T>) -> Result<T> {
        let mut failed = [f64::from(u8::from(own.is_err()))];
        self.world.sum(Numbers::F64(&mut failed))?;
        self.agree_if(failed[0] > 0.0, own)
    }

    /// The same where it is known whether any rank has failed.
    pub(crate) fn agree_if<T>(&self, failed: bool, own: Result<T>) -> Result<T> {
        if !failed {
            return own;
        }
        let causes = self.gather(own.as_ref().err().map(Error::to_string))?;
        let first = causes.into_iter().enumerate().find_map(|(rank, cause)| Some((rank as u64, cause?)));
        let first = self.tell(first)?;
        own.and_then(|value| match first {
            Some((rank, cause)) => Err(RankFault::Failed { rank: rank as usize, cause }.into()),
            None => Ok(value),
        })
    }

    /// Ok where all ranks have the same in words, by name; else the first that differs from rank 0, and in what.
    pub(crate) fn alike(&self, own: Vec<(String, String)>) -> Result<()> {
        let all = self.gather(own)?;
        let differs = all.iter().enumerate().find_map(|(rank, other)| {
            let both = all[0].iter().zip(other);
            let ((what, expected), (_, found)) =
                both.into_iter().find(|(expected, found)| expected != found)?;
            Some((rank, (what.clone(), (expected.clone(), found.clone()))))
        });
        match self.tell(differs)? {
            Some((rank, (what, (expected, found)))) => {
                Err(RankFault::Differs { rank, what, expected, found }.into())
            }
            None => Ok(()),
        }
    }

    /// Ok where rank 0 is, the only one that can fail here; else why it has failed.
    pub(crate) fn agree_with_first<T>(&self, own: Result<T>) -> Result<T> {
        let cause = self.tell(own.as_ref().err().map(Error::to_string))?;
        own.and_then(|value| match cause {
            Some(cause) => Err(RankFault::Failed { rank: 0, cause }.into()),
            None => Ok(value),
        })
    }
}

/// How many parts a batch has on any number of ranks, where the sums are exact.
const PARTS: usize = 8;

/// The part of rank `rank` of `size` ranks.
pub(super) fn part(rows: usize, rank: usize, size: usize) -> Range<usize> {
    let (each, more) = (rows / size, rows % size);
    let start = rank * each + rank.min(more);
    start..start + each + usize::from(rank < more)
}

/// A value that rank `from` has sent.
fn read<T: StateValue>(from: usize, bytes: &[u8]) -> Result<T> {
    let mut rest = bytes;
    let broken =
        || Error::from(RankFault::Failed { rank: from, cause: format!("it sent what is no {}", T::WHAT) });
    T::take(&mut rest).filter(|_| rest.is_empty()).ok_or_else(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_every_row_once_and_in_order() {
        for (rows, size) in [(10, 4), (3, 8), (0, 2), (8, 8), (7, 1), (9, 2)] {
            let all: Vec<usize> = (0..size).flat_map(|rank| part(rows, rank, size)).collect();
            assert_eq!(all, (0..rows).collect::<Vec<_>>(), "{rows} rows on {size}");
            assert!(rows == 0 || !part(rows, 0, size).is_empty());
        }
    }
}
