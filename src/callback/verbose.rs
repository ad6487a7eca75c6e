//! How much a training prints.

/// How much `fit` tells while it runs.
///
/// Each epoch leaves one line, `Epoch 2/10 - 1s 3ms/step - loss: 0.2114 - accuracy: 0.9312`; on a terminal it goes on below
/// where it is wider than that. While an epoch runs for longer than 0.1 s, a terminal shows below that line how far it is:
/// the epoch and the loss, and, as the columns allow, the batch, a bar, the time that is left, the metrics and the pace. Of
/// several trainings at once each has a number, its lines and its own bar.
///
/// Bars have no colour. There is none in a pipe, a file or the log of a CI (where `CI` is set), nor where `TERM` is `dumb`;
/// what is written there has no control characters.
///
/// # Example
/// ```
/// # use cornu::prelude::*;
/// let quiet = Fit::<f32>::new().verbose(Verbose::Silent);
/// # let _ = quiet;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Verbose {
    /// A bar on a terminal, and one line an epoch.
    #[default]
    Auto,
    /// Nothing.
    Silent,
    /// One line an epoch.
    Lines,
}
