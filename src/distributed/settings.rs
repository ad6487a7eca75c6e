//! What is set about ranks.

use super::{Communicator, Reduction};
use crate::error::{Error, Result};

/// How a training goes on over ranks, and over which.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RankSettings<'a> {
    pub(crate) world: Option<&'a dyn Communicator>,
    pub(crate) reduction: Reduction,
    /// Gradients are summed in pieces of so many bytes.
    pub(crate) bucket_bytes: usize,
    /// Whether each rank has data of its own.
    pub(crate) sharded: bool,
    /// Ranks meet after every so many steps.
    pub(crate) sync_every: usize,
}

impl<'a> RankSettings<'a> {
    /// Over the ranks of this world, with defaults.
    pub(crate) fn over(world: Option<&'a dyn Communicator>) -> Self {
        RankSettings {
            world,
            reduction: Reduction::Fast,
            bucket_bytes: 1 << 20,
            sync_every: 1,
            sharded: false,
        }
    }

    /// Refuses settings that no ranks can follow.
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
