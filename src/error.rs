//! The error type: each variant carries the place, what was expected and what was found.

mod backup;
mod display;
pub(crate) mod diverged;
mod expected_shape;
mod file;
mod rank;

pub use backup::BackupFault;
pub(crate) use display::Shape;
use display::listed;
pub use diverged::Quantity;
pub use expected_shape::{ExpectedAxis, ExpectedOutput, ExpectedShape, ExpectedTarget};
pub use file::FileError;
pub use rank::RankFault;

/// A result with [`enum@Error`] as its error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a call. A call that returns an error about its arguments has changed nothing: all checks come first.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// # fn main() -> Result<()> {
/// let mut model = Sequential::new().input([4]).add(Dense::new(2).name("F1"));
/// model.build()?;
/// let five_wide = ndarray::Array2::<f32>::zeros((1, 5));
/// let error = model.predict(&five_wide).unwrap_err();
/// assert_eq!(error.to_string(), "x: expected samples of shape (4), found (5)");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer rejected its input or its arguments.
    #[error("layer {index} `{name}` ({kind}): {fault}")]
    Layer {
        /// The index of the layer in the model, from 0.
        index: usize,
        /// The layer's name.
        name: String,
        /// The layer's kind, such as `Dense`.
        kind: String,
        /// The error of the layer.
        fault: Box<Error>,
    },
    /// A layer received samples of an unsupported shape.
    #[error("expected an input of shape {expected}, found {}", Shape(found))]
    InputShape {
        /// The supported shapes.
        expected: ExpectedShape,
        /// The shape of one sample.
        found: Vec<usize>,
    },
    /// Samples whose shape differs from the one for which the model or the layer was built.
    #[error("{argument}: expected samples of shape {expected}, found {}", Shape(found))]
    SampleShape {
        /// The argument: `x`, `y`, `validation x` ...
        argument: String,
        /// The expected shape of one sample.
        expected: ExpectedShape,
        /// The actual shape of one sample.
        found: Vec<usize>,
    },
    /// A weight whose shape differs from that of the parameter.
    #[error("weight `{path}`: expected shape {}, found {}", Shape(expected), Shape(found))]
    WeightShape {
        /// The parameter's path, such as `F1/kernel`.
        path: String,
        /// The parameter's shape.
        expected: Vec<usize>,
        /// The shape of the weight.
        found: Vec<usize>,
    },
    /// A wrong number of weights for a layer or model.
    #[error("`{name}`: expected {expected} weights, found {found}")]
    WeightCount {
        /// The layer.
        name: String,
        /// The expected number of weights.
        expected: usize,
        /// The number of weights passed.
        found: usize,
    },
    /// An argument outside its range.
    #[error("`{argument}`: expected {expected}, found {found}")]
    Argument {
        /// The argument's name.
        argument: &'static str,
        /// The expected values, in words.
        expected: String,
        /// The value passed.
        found: String,
    },
    /// Two arguments with different numbers of samples.
    #[error("{argument}: expected {x} samples as in x, found {found}")]
    Length {
        /// The number of samples of `x`.
        x: usize,
        /// The other argument.
        argument: String,
        /// The number of samples of the other argument.
        found: usize,
    },
    /// No samples, or samples without values.
    #[error("{argument} is empty: shape {}", Shape(shape))]
    Empty {
        /// The argument.
        argument: String,
        /// The shape, samples first.
        shape: Vec<usize>,
    },
    /// NaN or infinity in the data.
    #[error("{argument}: expected finite values, found {value} at row {row}, column {column}")]
    NonFinite {
        /// The argument.
        argument: String,
        /// The sample, from 0.
        row: usize,
        /// The index within the flattened sample, from 0.
        column: usize,
        /// The value: NaN or an infinity.
        value: f64,
    },
    /// A value that is not a valid index, for a layer that reads indices.
    #[error("{argument}, row {row}: expected an index from 0 to {}, found {found}", .count.saturating_sub(1))]
    Index {
        /// The argument.
        argument: String,
        /// The sample, from 0.
        row: usize,
        /// The value.
        found: f64,
        /// The number of valid indices.
        count: usize,
    },
    /// A target that is not a class of the output.
    #[error("{argument}, row {row}: expected a class from 0 to {}, found {found}", .classes.saturating_sub(1))]
    Label {
        /// The argument.
        argument: String,
        /// The sample, from 0.
        row: usize,
        /// The label.
        found: f64,
        /// The number of classes of the output.
        classes: usize,
    },
    /// A target that is not a probability, for a loss that requires one.
    #[error("{argument}, row {row}: expected a target between 0 and 1, found {found}")]
    Probability {
        /// The argument.
        argument: String,
        /// The sample, from 0.
        row: usize,
        /// The target.
        found: f64,
    },
    /// Targets whose shape does not match the output and the loss.
    #[error(
        "{argument}: `{loss}` on an output of shape {} expects targets of shape {expected}, found {}",
        Shape(output),
        Shape(found)
    )]
    TargetShape {
        /// The argument.
        argument: &'static str,
        /// The loss.
        loss: String,
        /// The shape of one output.
        output: Vec<usize>,
        /// The expected shapes of one target.
        expected: ExpectedTarget,
        /// The actual shape of one target.
        found: Vec<usize>,
    },
    /// A loss that does not support the shape of the output.
    #[error("loss `{loss}` does not fit an output of shape {}: it needs {expected}{}", Shape(output), expected.other_loss())]
    LossOutput {
        /// The loss.
        loss: String,
        /// The shape of one output.
        output: Vec<usize>,
        /// The supported outputs.
        expected: ExpectedOutput,
    },
    /// A metric that does not support the shape of the output.
    #[error("metric `{metric}` does not fit an output of shape {}: it needs {expected}", Shape(output))]
    MetricOutput {
        /// The metric.
        metric: String,
        /// The shape of one output.
        output: Vec<usize>,
        /// The supported outputs.
        expected: ExpectedOutput,
    },
    /// A metric that does not support the shape of the targets.
    #[error(
        "metric `{metric}` on an output of shape {} expects targets of shape {expected}, found {}",
        Shape(output),
        Shape(found)
    )]
    MetricTarget {
        /// The metric.
        metric: String,
        /// The shape of one output.
        output: Vec<usize>,
        /// The expected shapes of one target.
        expected: ExpectedTarget,
        /// The actual shape of one target.
        found: Vec<usize>,
    },
    /// An array of an unsupported shape, such as a parameter that an initializer does not fit.
    #[error("`{argument}`: expected an array of shape {expected}, found {}", Shape(found))]
    ArrayShape {
        /// The argument's name.
        argument: &'static str,
        /// The supported shapes.
        expected: ExpectedShape,
        /// The shape of the array.
        found: Vec<usize>,
    },
    /// A wrong number of class weights.
    #[error("class_weight: expected {expected} weights, one for each class, found {found}")]
    ClassWeightCount {
        /// The number of classes.
        expected: usize,
        /// The number of weights.
        found: usize,
    },
    /// A class or sample weight that is negative or not finite.
    #[error("{argument} weight {index}: expected a finite number of at least 0, found {found}")]
    Weight {
        /// `class` or `sample`.
        argument: &'static str,
        /// The class or the sample, from 0.
        index: usize,
        /// The weight.
        found: f64,
    },
    /// Two layers with the same name in one model.
    #[error("layers {first} and {second} are both named `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
        /// The index of the first of them.
        first: usize,
        /// The index of the other.
        second: usize,
    },
    /// An unknown name of a layer or weight.
    #[error("unknown {what} `{name}`, expected one of: {}", listed(known))]
    Unknown {
        /// `layer` or `weight`.
        what: &'static str,
        /// The unknown name.
        name: String,
        /// The known names.
        known: Vec<String>,
    },
    /// A model without layers.
    #[error("the model has no layers")]
    NoLayers,
    /// A model whose shapes are not known yet.
    #[error("the model is not built: set `.input(shape)` or call `fit` first")]
    NotBuilt,
    /// `fit` or `evaluate` was called before `compile`.
    #[error("the model is not compiled: call `compile(optimizer, loss, metrics)` first")]
    NotCompiled,
    /// An array whose size exceeds the address space.
    #[error("the shape {} has too many elements", Shape(shape))]
    TooLarge {
        /// The shape.
        shape: Vec<usize>,
    },
    /// A loss, a gradient or an update that became NaN or infinite during training. The model and its optimizer stay as they
    /// were after the last finite step. The findings are printed; to read them, add the callback
    /// [`TerminateOnNaN`](crate::callback::TerminateOnNaN), with which `fit` returns the history instead.
    #[error(
        "epoch {epoch}, batch {batch}: {quantity} became {value}, first at {place}; the model keeps its last finite weights"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The batch of that epoch, from 1.
        batch: usize,
        /// The quantity that diverged.
        quantity: Quantity,
        /// NaN or an infinity.
        value: f64,
        /// The first layer whose output or, going backward from the last layer, whose gradient was not finite; for an update,
        /// the parameter and the learning rate.
        place: String,
    },
    /// A text that is not one of the allowed words.
    #[error("{what}: expected one of {}, found `{found}`", listed(known))]
    Parse {
        /// The kind of word.
        what: &'static str,
        /// The text.
        found: String,
        /// The allowed words.
        known: Vec<String>,
    },
    /// A label that the [`LabelEncoder`](crate::data::LabelEncoder) was not fitted to.
    #[error("row {row}: expected a label that the encoder was fitted to, found `{found}`")]
    UnseenLabel {
        /// The row, from 0.
        row: usize,
        /// The label.
        found: String,
    },
    /// A file that could not be written or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A backup that could not be written, or that does not belong to this run.
    #[error("backup {0}")]
    Backup(#[from] BackupFault),
    /// A failure of one rank in distributed training.
    #[error(transparent)]
    Rank(#[from] RankFault),
    /// The error of a callback, layer or loss of another crate.
    #[error("{0}")]
    Outside(std::sync::Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps the error of a callback, layer or loss of another crate.
    ///
    /// # Example
    /// ```
    /// let full = std::io::Error::other("the disk is full");
    /// assert_eq!(cornu::Error::outside(full).to_string(), "the disk is full");
    /// ```
    pub fn outside(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Error::Outside(std::sync::Arc::new(error))
    }

    /// An [`Error::Argument`].
    pub(crate) fn argument(
        argument: &'static str,
        expected: impl Into<String>,
        found: impl std::fmt::Display,
    ) -> Self {
        Error::Argument { argument, expected: expected.into(), found: found.to_string() }
    }

    /// The same error about this argument, if it is an error about an argument.
    pub(crate) fn of_argument(self, argument: &'static str) -> Self {
        match self {
            Error::Argument { expected, found, .. } => Error::Argument { argument, expected, found },
            Error::ArrayShape { expected, found, .. } => Error::ArrayShape { argument, expected, found },
            error => error,
        }
    }
}
