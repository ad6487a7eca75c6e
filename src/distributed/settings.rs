//! Settings of a distributed training.

use super::{Communicator, Reduction};
use crate::error::{Error, Result};

/// The ranks of a training and how they communicate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RankSettings<'a> {
    pub(crate) world: Option<&'a dyn Communicator>,
    pub(crate) reduction: Reduction,
    /// The size of the buckets in which gradients are summed.
    pub(crate) bucket_bytes: usize,
    /// Whether each rank has its own data.
    pub(crate) sharded: bool,
    /// The number of steps between two synchronizations.
    pub(crate) sync_every: usize,
}

impl<'a> RankSettings<'a> {
    /// The default settings for these ranks.
    pub(crate) fn over(world: Option<&'a dyn Communicator>) -> Self {
        RankSettings {
            world,
            reduction: Reduction::Fast,
            bucket_bytes: 1 << 20,
            sync_every: 1,
            sharded: false,
        }
    }

    /// Returns an error for invalid settings.
    pub(crate) fn check(self) -> Result<()> {
        if self.bucket_bytes == 0 {
            return Err(Error::argument("bucket_bytes", "at least 1", 0));
        }
        let expected = match (self.sync_every, self.reduction) {
            (0, _) => "at least 1",
            (2.., Reduction::Exact) => "1 with Reduction::Exact",
            _ => return Ok(()),
        };
        Err(Error::argument("sync_every", expected, self.sync_every))
    }
}
