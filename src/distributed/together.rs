//! Work before or between trainings that each rank does for itself, such as reading its data.

use super::{Communicator, RankSettings, Ranks};
use crate::error::{Error, RankFault, Result};
use crate::state::StateValue;

/// Does some work on each rank, such as reading its data, and ends in an error on all of them where it does on one: that
/// error on the rank itself, and on the others which rank has failed, and why. Without it the others would only hear that
/// the rank has ended. The work may take longer than the patience of the others: meanwhile they are told each second that
/// it is under way. Within it ranks must not send each other anything.
///
/// # Errors
/// What `work` returns; [`RankFault::Failed`] for the first other rank whose work has failed, or that cannot be reached.
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
        let made = own.insert(work());
        let mut bytes = Vec::new();
        made.as_ref().err().map(Error::to_string).put(&mut bytes);
        bytes
    });
    // What went wrong here is told here, whether the others could be told or not.
    let made = match own {
        Some(Ok(made)) => made,
        Some(Err(error)) => return Err(error),
        None => return Err(RankFault::Failed { rank: world.rank(), cause: "it did no work".into() }.into()),
    };
    for (rank, bytes) in all?.into_iter().enumerate() {
        let cause = <Option<String> as StateValue>::take(&mut &bytes[..]).flatten();
        if let Some(cause) = cause {
            return Err(RankFault::Failed { rank, cause }.into());
        }
    }
    Ok(made)
}
