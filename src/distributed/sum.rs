//! Sums over ranks that go on while the program computes.

use std::fmt;

use crate::error::Result;
use crate::scalar::OwnedNumbers;

/// A sum over all ranks that was begun by [`Communicator::start_sum`](super::Communicator::start_sum).
///
/// # Example
/// ```
/// use cornu::distributed::{Communicator, OwnedNumbers, threads};
/// let sums = threads(3, |world| -> cornu::Result<OwnedNumbers> {
///     let sum = world.start_sum(OwnedNumbers::F64(vec![world.rank() as f64]))?;
///     // Here the program computes something else.
///     sum.finish()
/// });
/// for sum in sums {
///     assert_eq!(sum?, OwnedNumbers::F64(vec![3.0]));
/// }
/// # Ok::<(), cornu::Error>(())
/// ```
#[must_use = "the sum is there once it is finished"]
pub struct Sum<'c>(Box<dyn FnOnce() -> Result<OwnedNumbers> + 'c>);

impl<'c> Sum<'c> {
    /// A sum that this waits for and gives.
    pub fn new(finish: impl FnOnce() -> Result<OwnedNumbers> + 'c) -> Self {
        Sum(Box::new(finish))
    }

    /// Waits until the sum is there.
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
