//! Training on several ranks: communication between ranks, and the split of each batch.
//!
//! A rank is one of several processes or threads that train one model together, each on its part of every batch.
//! `mpi::launch` (feature `mpi`) runs ranks as processes under MPI. [`threads`] runs them as threads of one process, needs
//! nothing installed, and computes the same numbers.
//!
//! # Example
//! ```
//! use cornu::distributed::threads;
//! use cornu::prelude::*;
//! let x = ndarray::array![[0.0], [1.0], [2.0], [3.0]];
//! let y = ndarray::array![1.0, 3.0, 5.0, 7.0];
//! let losses = threads(2, |world| -> Result<Option<f64>> {
//!     let mut model = Sequential::new().seed(1).add(Dense::new(1));
//!     model.compile(Sgd::new(0.05).momentum(0.9), MeanSquaredError::new(), ())?;
//!     let fit = Fit::new().epochs(200).verbose(Verbose::Silent).distributed(world);
//!     Ok(model.fit(&x, &y, &fit)?.last("loss"))
//! });
//! for loss in losses {
//!     assert!(loss? < Some(1e-3));
//! }
//! # Ok::<(), Error>(())
//! ```

#[cfg(feature = "mpi")]
pub mod mpi;
mod ranks;
mod scatter;
mod settings;
mod shards;
mod sum;
mod threads;
mod together;
mod work;

pub use crate::scalar::{Numbers, OwnedNumbers};
pub(crate) use ranks::Ranks;
pub use scatter::scatter;
pub(crate) use settings::RankSettings;
pub(crate) use shards::Shards;
pub use sum::Sum;
pub use threads::{ThreadRank, threads};
pub use together::together;

use std::fmt::Debug;

use crate::error::{RankFault, Result};
use crate::scalar::Scalar;

/// One of several ranks and its connection to the others. Messages between two ranks arrive in the order in which they
/// were sent.
///
/// All ranks call [`sum`](Communicator::sum) and [`broadcast`](Communicator::broadcast) in the same order. The default
/// implementations use `send` and `receive` in ⌈log₂ size⌉ rounds. Their order of additions depends only on the size.
///
/// # Example
/// ```
/// use cornu::distributed::{Communicator, Numbers, threads};
/// let sums = threads(3, |world| -> cornu::Result<f64> {
///     let mut numbers = [world.rank() as f64];
///     world.sum(Numbers::F64(&mut numbers))?;
///     Ok(numbers[0])
/// });
/// for sum in sums {
///     assert_eq!(sum?, 3.0);
/// }
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Communicator: Debug + Sync {
    /// Returns the number of this rank, from 0.
    fn rank(&self) -> usize;

    /// Returns the number of ranks.
    fn size(&self) -> usize;

    /// Sends bytes to another rank. May return before they arrive.
    ///
    /// # Errors
    /// [`RankFault`] if the other rank cannot be reached, or an error of the network through [`Error::outside`](crate::Error::outside).
    fn send(&self, to: usize, bytes: &[u8]) -> Result<()>;

    /// Waits for the next message of another rank.
    ///
    /// # Errors
    /// As [`Communicator::send`].
    fn receive(&self, from: usize) -> Result<Vec<u8>>;

    /// Replaces the numbers, of equal length on all ranks, by their sums over all ranks. All ranks get the same bits.
    ///
    /// # Errors
    /// As [`Communicator::send`].
    fn sum(&self, numbers: Numbers) -> Result<()> {
        match numbers {
            Numbers::F32(numbers) => sum_by_messages(self, numbers),
            Numbers::F64(numbers) => sum_by_messages(self, numbers),
        }
    }

    /// Starts the same sum and may return before it is complete. Any number of sums may be pending. All ranks start them in
    /// the same order, and may call other methods before they finish them. The default implementation calls
    /// [`sum`](Communicator::sum).
    ///
    /// # Errors
    /// As [`Communicator::send`].
    fn start_sum(&self, mut numbers: OwnedNumbers) -> Result<Sum<'_>> {
        self.sum(numbers.as_numbers())?;
        Ok(Sum::new(|| Ok(numbers)))
    }

    /// Replaces the bytes on all ranks by those of rank 0.
    ///
    /// # Errors
    /// As [`Communicator::send`].
    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let (rank, size) = (self.rank(), self.size());
        let mut step = size.next_power_of_two() / 2;
        while step > 0 {
            if rank.is_multiple_of(2 * step) && rank + step < size {
                self.send(rank + step, bytes)?;
            } else if rank % (2 * step) == step {
                *bytes = self.receive(rank - step)?;
            }
            step /= 2;
        }
        Ok(())
    }
}

/// A communicator that is chosen at run time.
impl<C: Communicator + ?Sized> Communicator for Box<C> {
    fn rank(&self) -> usize {
        (**self).rank()
    }

    fn size(&self) -> usize {
        (**self).size()
    }

    fn send(&self, to: usize, bytes: &[u8]) -> Result<()> {
        (**self).send(to, bytes)
    }

    fn receive(&self, from: usize) -> Result<Vec<u8>> {
        (**self).receive(from)
    }

    fn sum(&self, numbers: Numbers) -> Result<()> {
        (**self).sum(numbers)
    }

    fn start_sum(&self, numbers: OwnedNumbers) -> Result<Sum<'_>> {
        (**self).start_sum(numbers)
    }

    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()> {
        (**self).broadcast(bytes)
    }
}

/// How the gradients of a batch are summed over the ranks.
///
/// # Example
/// ```
/// use cornu::distributed::Reduction;
/// use cornu::prelude::*;
/// let fit = Fit::<f32>::new().reduction(Reduction::Exact);
/// # let _ = fit;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Reduction {
    /// Each rank computes one part of each batch, and the parts are summed in the fastest order. The bits are reproducible on
    /// the same number of ranks.
    #[default]
    Fast,
    /// Each batch is split into 8 parts for any number of ranks, and the parts are summed in a fixed tree. The bits are the
    /// same on any number of ranks; beyond 8 ranks, the others are idle. A rank with several parts computes the forward
    /// pass twice. Layers with statistics over the batch, such as `BatchNormalization`, return an error.
    Exact,
}

/// Sums up a tree to rank 0, `(0 + 1) + (2 + 3)`, and broadcasts the result.
fn sum_by_messages<F: Scalar, C: Communicator + ?Sized>(ranks: &C, numbers: &mut [F]) -> Result<()> {
    let (rank, size) = (ranks.rank(), ranks.size());
    let mut step = 1;
    while step < size {
        if rank % (2 * step) == step {
            ranks.send(rank - step, &to_bytes(numbers))?;
            break;
        }
        if rank + step < size {
            let from = rank + step;
            let bytes = ranks.receive(from)?;
            let others = from_bytes::<F>(from, &bytes, numbers.len())?;
            numbers.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        }
        step *= 2;
    }
    let mut bytes = if rank == 0 { to_bytes(numbers) } else { Vec::new() };
    ranks.broadcast(&mut bytes)?;
    let sums = from_bytes::<F>(0, &bytes, numbers.len())?;
    numbers.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum);
    Ok(())
}

fn to_bytes<F: Scalar>(numbers: &[F]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_of_val(numbers));
    numbers.iter().for_each(|number| number.put(&mut bytes));
    bytes
}

/// Decodes `count` numbers sent by rank `from`.
fn from_bytes<F: Scalar>(from: usize, bytes: &[u8], count: usize) -> Result<impl Iterator<Item = F>> {
    if bytes.len() != count * size_of::<F>() {
        let cause = format!("expected {} bytes, found {}", count * size_of::<F>(), bytes.len());
        return Err(RankFault::Failed { rank: from, cause }.into());
    }
    Ok(bytes.chunks_exact(size_of::<F>()).filter_map(|mut bytes| F::take(&mut bytes)))
}
