//! The seed of a model and its origin.

/// The seed of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seed {
    /// The seed that the user has set.
    Fixed(u64),
    /// A seed from the operating system or a file, which a resumed or distributed training may replace.
    Drawn(u64),
}

impl Seed {
    pub(crate) fn value(self) -> u64 {
        match self {
            Seed::Fixed(seed) | Seed::Drawn(seed) => seed,
        }
    }
}
