//! How a run went: its first batch, and each epoch.

/// The first batch, seen before the first step.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct First {
    /// Its loss, penalties and all.
    pub loss: f64,
    /// Rows of outputs.
    pub rows: usize,
    /// The expected root mean square of the sums of the first layer with weights, `√(inputs · mean w² · mean x²)`, from
    /// its weights and what went into it; 1 is usual.
    pub sums: Option<f64>,
    /// The layer that it is about.
    pub layer: usize,
    /// Root mean square and standard deviation of what went into that layer.
    pub inputs: (f64, f64),
    /// The least and the largest output.
    pub output: (f64, f64),
}

/// One epoch.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// The mean loss, penalties and all.
    pub loss: f64,
    /// The mean loss of the last quarter of its batches: where the epoch has arrived.
    pub late: f64,
    /// What regularizers added to it at its last look.
    pub penalty: f64,
    /// The loss on the validation data.
    pub val_loss: Option<f64>,
    /// The accuracy, where it is measured.
    pub accuracy: Option<f64>,
    /// The accuracy on the validation data.
    pub val_accuracy: Option<f64>,
    /// The rows that were looked at.
    pub rows: usize,
    /// The share of rows that are wrong with the true class's probability at the clip, 1e-7.
    pub clipped: f64,
    /// How often each class was answered, in the rows looked at; more than one output only.
    pub answers: Vec<usize>,
    /// The mean over outputs of their standard deviation over rows, at the last look.
    pub spread: f64,
    /// The share of numbers that went into the last softmax or out of the last layer that are exactly 0.
    pub zero_logits: f64,
    /// The largest norm of all gradients in the looks, estimated from a sample.
    pub gradient: f64,
    /// The largest loss, without its penalty, of a batch looked at that had no gradient: one of loss 0 needs none.
    pub idle: f64,
    /// The learning rate of the last step.
    pub learning_rate: f64,
}

/// All epochs, and the end.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Curves {
    /// The epochs so far.
    pub epochs: Vec<Epoch>,
    /// Why the run ended before its time: what was not finite, and where.
    pub diverged: Option<String>,
    /// Why the run ended before its time, where a callback had it so.
    pub stopped: Option<String>,
}

impl Curves {
    /// The losses of the epochs.
    pub fn losses(&self) -> impl DoubleEndedIterator<Item = f64> + ExactSizeIterator {
        self.epochs.iter().map(|epoch| epoch.loss)
    }
}
