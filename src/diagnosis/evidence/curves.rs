//! The course of a run: the first batch and each epoch.

/// Measurements of the first batch, before the first step.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct FirstBatch {
    /// The loss, including penalties.
    pub loss: f64,
    /// The number of rows.
    pub rows: usize,
    /// The expected root mean square of the weighted sums of the first layer with weights,
    /// `√(inputs · mean w² · mean x²)`; 1 is usual.
    pub sums: Option<f64>,
    /// The index of that layer.
    pub layer: usize,
    /// The root mean square and standard deviation of the inputs of that layer.
    pub inputs: (f64, f64),
    /// The smallest and the largest output.
    pub output: (f64, f64),
}

/// Measurements of one epoch.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// The mean loss, including penalties.
    pub loss: f64,
    /// The mean loss of the last quarter of the batches.
    pub late: f64,
    /// The penalty of the regularizers in the last sampled batch.
    pub penalty: f64,
    /// The loss on the validation data.
    pub val_loss: Option<f64>,
    /// The accuracy, if it is measured.
    pub accuracy: Option<f64>,
    /// The accuracy on the validation data.
    pub val_accuracy: Option<f64>,
    /// The number of sampled rows.
    pub rows: usize,
    /// The share of wrong rows whose true class has a probability at the clip, 1e-7.
    pub clipped: f64,
    /// How often each class was predicted in the sampled rows; empty for a regression.
    pub answers: Vec<usize>,
    /// The standard deviation of each output over the rows, averaged over the outputs, in the last sampled batch.
    pub spread: f64,
    /// The share of exact zeros among the inputs of the last softmax, or else among the outputs.
    pub zero_logits: f64,
    /// The largest gradient norm in the sampled batches, estimated from a sample.
    pub gradient: f64,
    /// The largest loss, without penalty, of a sampled batch whose gradient was 0.
    pub idle: f64,
    /// The learning rate of the last step.
    pub learning_rate: f64,
}

/// All epochs, and how the run ended.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Curves {
    /// The epochs so far.
    pub epochs: Vec<Epoch>,
    /// The message of the divergence that ended the run.
    pub diverged: Option<String>,
    /// The reason of the callback that ended the run.
    pub stopped: Option<String>,
}

impl Curves {
    /// The losses of the epochs.
    pub fn losses(&self) -> impl DoubleEndedIterator<Item = f64> + ExactSizeIterator {
        self.epochs.iter().map(|epoch| epoch.loss)
    }
}
