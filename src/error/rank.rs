//! Errors of a training on several ranks.

/// The reason why a training on several ranks cannot start or go on.
///
/// # Example
/// ```
/// use cornu::error::RankFault;
/// let fault = RankFault::Failed { rank: 2, cause: "part-2.npy: no such file".into() };
/// assert_eq!(fault.to_string(), "rank 2: part-2.npy: no such file");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RankFault {
    /// Another rank failed.
    #[error("rank {rank}: {cause}")]
    Failed {
        /// The rank, from 0.
        rank: usize,
        /// Its error in words, or that it did not respond.
        cause: String,
    },
    /// The ranks differ.
    #[error("rank {rank} differs from rank 0 in {what}: expected {expected}, found {found}")]
    Differs {
        /// The first rank that differs.
        rank: usize,
        /// The property that differs: the version of this crate, the model, the seed, the data ...
        what: String,
        /// The value of rank 0.
        expected: String,
        /// The value of the other rank.
        found: String,
    },
}
