//! Sums over ranks in the background.

use std::fmt;

use crate::error::Result;
use crate::scalar::OwnedNumbers;

/// A pending sum over all ranks, started by [`Communicator::start_sum`](super::Communicator::start_sum).
///
/// # Example
/// ```
/// use cornu::distributed::{Communicator, OwnedNumbers, threads};
/// let sums = threads(3, |world| -> cornu::Result<OwnedNumbers> {
///     let sum = world.start_sum(OwnedNumbers::F64(vec![world.rank() as f64]))?;
///     // Compute something else here.
///     sum.finish()
/// });
/// for sum in sums {
///     assert_eq!(sum?, OwnedNumbers::F64(vec![3.0]));
/// }
/// # Ok::<(), cornu::Error>(())
/// ```
#[must_use = "call `finish` to get the sum"]
pub struct Sum<'c>(Box<dyn FnOnce() -> Result<OwnedNumbers> + 'c>);

impl<'c> Sum<'c> {
    /// Creates a sum from the function that waits for its result.
    pub fn new(finish: impl FnOnce() -> Result<OwnedNumbers> + 'c) -> Self {
        Sum(Box::new(finish))
    }

    /// Waits for the sum and returns it.
    ///
    /// # Errors
    /// As [`Communicator::send`](super::Communicator::send).
    pub fn finish(self) -> Result<OwnedNumbers> {
        (self.0)()
    }
}

impl fmt::Debug for Sum<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Sum").finish_non_exhaustive()
    }
}
