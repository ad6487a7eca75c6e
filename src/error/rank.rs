//! What can be wrong with one of several ranks.

/// Why a training on several ranks cannot begin or go on, and because of which of them.
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
    /// Another rank has failed.
    #[error("rank {rank}: {cause}")]
    Failed {
        /// The rank, from 0.
        rank: usize,
        /// Its error in words, or that nothing was heard of it.
        cause: String,
    },
    /// The ranks are not alike.
    #[error("rank {rank} differs from rank 0 in {what}: expected {expected}, found {found}")]
    Differs {
        /// The first rank that differs.
        rank: usize,
        /// In what: the version of this crate, the model, the seed, the data ...
        what: String,
        /// What rank 0 has.
        expected: String,
        /// What the other rank has.
        found: String,
    },
}
