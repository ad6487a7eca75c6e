//! The ranks of a training: the split of each batch, sums, and agreement on errors.

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
    /// The error of a call without a result, kept for [`Ranks::check`].
    fault: Mutex<Option<Error>>,
    /// With shards, the number of rows of each rank in the current batch.
    shares: Option<Mutex<Vec<usize>>>,
}

impl<'a> Ranks<'a> {
    /// The ranks of these settings; `None` for a single rank, unless its batches are split for `Reduction::Exact`.
    pub(crate) fn of(settings: RankSettings<'a>) -> Option<Self> {
        let RankSettings { world, reduction, bucket_bytes, sync_every, sharded } = settings;
        let world = world.filter(|world| world.size() > 1 || reduction == Reduction::Exact)?;
        let shares = sharded.then(Mutex::default);
        Some(Ranks { world, reduction, bucket_bytes, sync_every, fault: Mutex::new(None), shares })
    }

    /// The number of elements of this type in a bucket.
    pub(crate) fn bucket<F>(&self) -> usize {
        self.bucket_bytes.div_ceil(size_of::<F>())
    }

    /// Whether each rank has its own data.
    pub(crate) fn is_sharded(&self) -> bool {
        self.shares.is_some()
    }

    /// Starts a batch with this number of rows on each rank.
    pub(crate) fn cut(&self, shares: Vec<usize>) {
        if let Some(Ok(mut known)) = self.shares.as_ref().map(Mutex::lock) {
            *known = shares;
        }
    }

    /// The rows of a rank in the current batch, if each rank has its own data.
    fn share(&self, rank: usize) -> Option<Range<usize>> {
        let shares = self.shares.as_ref()?.lock().ok()?;
        let start = shares.iter().take(rank).sum();
        Some(start..start + shares.get(rank)?)
    }

    /// The number of local steps between two synchronizations, for local SGD.
    pub(crate) fn meets_after(&self) -> Option<usize> {
        Some(self.sync_every).filter(|&steps| steps > 1)
    }

    /// Whether batches are split into the same parts on any number of ranks.
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

    /// This rank's parts of a batch with `rows` rows. Parts are as equal as possible, the larger ones first, so rank 0 has a
    /// row if any rank has one. With shards, [`Ranks::cut`] defines the parts.
    pub(crate) fn parts(&self, rows: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let (parts, count) = self.parts_of(self.rank());
        let share = self.share(self.rank());
        parts.map(move |index| share.clone().unwrap_or_else(|| part(rows, index, count)))
    }

    /// The number of rows of a rank in a batch with `rows` rows.
    pub(crate) fn held(&self, rows: usize, rank: usize) -> usize {
        let (parts, count) = self.parts_of(rank);
        let even = || parts.map(|index| part(rows, index, count).len()).sum();
        self.share(rank).map_or_else(even, |share| share.len())
    }

    /// The indices of the parts of a rank, and the total number of parts.
    fn parts_of(&self, rank: usize) -> (Range<usize>, usize) {
        match self.reduction {
            Reduction::Fast => (rank..rank + 1, self.size()),
            Reduction::Exact => (part(PARTS, rank, self.size()), PARTS),
        }
    }

    /// Sums `len` numbers over all parts of all ranks; `own` contains those of this rank.
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
        self.broadcast_bytes(&mut bytes)?;
        Ok(from_bytes(0, &bytes, len)?.collect())
    }

    /// Sums over all ranks for layers, which cannot return an error. [`Ranks::check`] returns it later.
    pub(crate) fn sum_or_keep<F: Scalar>(&self, numbers: &mut [F]) {
        let Ok(mut fault) = self.fault.lock() else { return };
        if self.is_exact() {
            let expected = "Reduction::Fast for layers with statistics over the batch";
            *fault = Some(Error::argument("reduction", expected, "Reduction::Exact"));
        } else if fault.is_none() {
            *fault = self.sum(numbers).err();
        }
    }

    /// Returns the first error of [`Ranks::sum_or_keep`].
    pub(crate) fn check(&self) -> Result<()> {
        self.fault.lock().ok().and_then(|mut fault| fault.take()).map_or(Ok(()), Err)
    }

    /// Replaces the numbers by their sums over all ranks.
    pub(crate) fn sum<F: Scalar>(&self, numbers: &mut [F]) -> Result<()> {
        self.world.sum(F::to_numbers(numbers))
    }

    /// Starts the same sum in the background.
    pub(crate) fn start_sum<F: Scalar>(&self, numbers: Vec<F>) -> Result<Sum<'_>> {
        self.world.start_sum(F::to_owned_numbers(numbers))
    }

    /// Replaces the bytes on all ranks by those of rank 0.
    pub(crate) fn broadcast_bytes(&self, bytes: &mut Vec<u8>) -> Result<()> {
        self.world.broadcast(bytes)
    }

    /// Returns the value of rank 0 on all ranks.
    pub(crate) fn broadcast<T: StateValue>(&self, value: T) -> Result<T> {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        self.broadcast_bytes(&mut bytes)?;
        read(0, &bytes)
    }

    /// Sends bytes to another rank.
    pub(super) fn send(&self, to: usize, bytes: &[u8]) -> Result<()> {
        self.world.send(to, bytes)
    }

    /// Waits for the next message of another rank.
    pub(super) fn receive(&self, from: usize) -> Result<Vec<u8>> {
        self.world.receive(from)
    }

    /// Returns the values of all ranks in order on rank 0, and an empty vector on the others.
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

    /// Returns the values of all ranks in order, on all ranks.
    pub(crate) fn each<T: StateValue>(&self, own: T) -> Result<Vec<T>> {
        self.broadcast(self.gather(own)?)
    }

    /// Concatenates the numbers of all ranks on rank 0; `counts` returns the length on each rank.
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

    /// Returns `Ok` if no rank failed; otherwise the own error, or that of the first rank that failed.
    pub(crate) fn agree<T>(&self, own: Result<T>) -> Result<T> {
        let mut failed = [f64::from(u8::from(own.is_err()))];
        self.world.sum(Numbers::F64(&mut failed))?;
        self.agree_if(failed[0] > 0.0, own)
    }

    /// The same, if it is known whether any rank failed.
    pub(crate) fn agree_if<T>(&self, failed: bool, own: Result<T>) -> Result<T> {
        if !failed {
            return own;
        }
        let causes = self.gather(own.as_ref().err().map(Error::to_string))?;
        let mut causes = causes.into_iter().enumerate();
        let first = causes.find_map(|(rank, cause)| Some(RankFault::Failed { rank, cause: cause? }));
        let first = self.broadcast(first)?;
        own.and_then(|value| first.map_or(Ok(value), |fault| Err(fault.into())))
    }

    /// Returns `Ok` if all ranks have the same named texts; otherwise the first difference from rank 0.
    pub(crate) fn alike(&self, own: Vec<(String, String)>) -> Result<()> {
        let all = self.gather(own)?;
        let difference = all.iter().enumerate().find_map(|(rank, other)| {
            let mut pairs = all[0].iter().zip(other);
            let ((what, expected), (_, found)) = pairs.find(|(expected, found)| expected != found)?;
            let (what, expected, found) = (what.clone(), expected.clone(), found.clone());
            Some(RankFault::Differs { rank, what, expected, found })
        });
        self.broadcast(difference)?.map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Returns `Ok` if rank 0 did not fail, the only rank that can fail here; otherwise its error.
    pub(crate) fn agree_with_first<T>(&self, own: Result<T>) -> Result<T> {
        let cause = self.broadcast(own.as_ref().err().map(Error::to_string))?;
        own.and_then(|value| match cause {
            Some(cause) => Err(RankFault::Failed { rank: 0, cause }.into()),
            None => Ok(value),
        })
    }
}

/// The number of parts of a batch for `Reduction::Exact`, on any number of ranks.
const PARTS: usize = 8;

/// The rows of rank `rank` out of `size` ranks.
pub(super) fn part(rows: usize, rank: usize, size: usize) -> Range<usize> {
    let (each, more) = (rows / size, rows % size);
    let start = rank * each + rank.min(more);
    start..start + each + usize::from(rank < more)
}

/// Decodes a value sent by rank `from`.
fn read<T: StateValue>(from: usize, bytes: &[u8]) -> Result<T> {
    let mut rest = bytes;
    let broken = || {
        Error::from(RankFault::Failed { rank: from, cause: format!("expected a message with {}", T::WHAT) })
    };
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
