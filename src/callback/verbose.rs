//! The verbosity of a training.

/// How much progress `fit` prints.
///
/// Each epoch prints one line, `Epoch 2/10 - 1s 3ms/step - loss: 0.2114 - accuracy: 0.9312`, wrapped if it is wider than
/// the terminal. If an epoch takes longer than 0.1 s, a terminal also shows a progress line: the epoch and the loss and,
/// as far as the width allows, the batch, a bar, the remaining time, the metrics and the pace. Concurrent runs are
/// numbered, and each has its own lines and bar.
///
/// Bars have no colour. There is no bar in a pipe, a file or a CI log (if `CI` is set), nor if `TERM` is `dumb`; output
/// there has no control characters.
///
/// # Example
/// ```
/// use cornu::callback::Verbose;
/// assert_eq!(Verbose::default(), Verbose::Auto);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Verbose {
    /// One line per epoch and, on a terminal, a bar.
    #[default]
    Auto,
    /// No output.
    Silent,
    /// One line per epoch.
    Lines,
}
