//! Work that each rank does by itself before or between trainings, such as reading its data.

use super::{Communicator, RankSettings, Ranks};
use crate::error::{Error, RankFault, Result};
use crate::state::StateValue;

/// Runs work on each rank, such as reading its data, and returns an error on all ranks if it fails on one: the error itself
/// on that rank, and the rank and the cause on the others. Without `together`, the others would only see that the rank has
/// ended. The work may take longer than the patience of the others, because each rank sends a heartbeat every second. The
/// work itself must not communicate.
///
/// # Errors
/// The error of `work`; [`RankFault::Failed`] for the first other rank whose work failed, or that cannot be reached.
///
/// # Example
/// ```
/// use cornu::distributed::{Communicator, threads, together};
/// use cornu::prelude::*;
/// let ends = threads(3, |world| {
///     let read = || match world.rank() {
///         2 => std::fs::read("no-such-file.npy").map_err(Error::outside),
///         _ => Ok(vec![1, 2, 3]),
///     };
///     together(world, read).map_err(|error| error.to_string())
/// });
/// assert!(ends[0].as_ref().is_err_and(|error| error.starts_with("rank 2: No such file")));
/// assert_eq!(ends[0], ends[1]);
/// ```
pub fn together<T>(world: &impl Communicator, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let Some(ranks) = Ranks::of(RankSettings::over(Some(world))) else { return work() };
    let mut own = None;
    let all = ranks.work(|| {
        let result = own.insert(work());
        let mut bytes = Vec::new();
        result.as_ref().err().map(Error::to_string).put(&mut bytes);
        bytes
    });
    // This rank returns its own error, even if the others could not be reached.
    let result = match own {
        Some(Ok(result)) => result,
        Some(Err(error)) => return Err(error),
        None => return Err(RankFault::Failed { rank: world.rank(), cause: "it did no work".into() }.into()),
    };
    for (rank, bytes) in all?.into_iter().enumerate() {
        let cause = <Option<String> as StateValue>::take(&mut &bytes[..]).flatten();
        if let Some(cause) = cause {
            return Err(RankFault::Failed { rank, cause }.into());
        }
    }
    Ok(result)
}
