//! Errors of single ranks in a distributed training.

/// Why distributed training cannot start or continue, and which rank is at fault.
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
        /// The error of that rank as text.
        cause: String,
    },
    /// The ranks differ.
    #[error("rank {rank} differs from rank 0 in {what}: expected {expected}, found {found}")]
    Differs {
        /// The first rank that differs.
        rank: usize,
        /// The difference: the version of cornu, the model, the seed, the data ...
        what: String,
        /// The value on rank 0.
        expected: String,
        /// The value on the other rank.
        found: String,
    },
}
