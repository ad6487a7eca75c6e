//! Everything that can go wrong, as one typed enum: what was expected, what was found, and where.

mod backup;
mod display;
pub(crate) mod diverged;
mod file;
mod rank;

pub use backup::BackupFault;
pub(crate) use display::Shape;
use display::listed;
pub use file::FileError;
pub use rank::RankFault;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call was refused, or a training stopped. A refused call has changed nothing: every check comes before the first write.
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
    /// A layer refused its input or its arguments; `fault` tells what it found.
    #[error("layer {index} `{name}` ({kind}): {fault}")]
    Layer {
        /// The layer's place in the model, from 0.
        index: usize,
        /// The layer's name.
        name: String,
        /// The layer's kind, such as `Dense`.
        kind: String,
        /// What is wrong.
        fault: Box<Error>,
    },
    /// A layer was offered samples of a shape that it cannot read.
    #[error("expected an input of shape {expected}, found {}", Shape(found))]
    InputShape {
        /// The shapes that would do, in words.
        expected: String,
        /// The shape of one sample that was offered.
        found: Vec<usize>,
    },
    /// Samples of another shape than the model, or the layer, was built for.
    #[error("{argument}: expected samples of shape {}, found {}", Shape(expected), Shape(found))]
    SampleShape {
        /// The argument: `x`, `y`, `validation x` ...
        argument: String,
        /// The shape of one sample that would do.
        expected: Vec<usize>,
        /// The shape of one sample that was found.
        found: Vec<usize>,
    },
    /// A weight of another shape than the parameter.
    #[error("weight `{path}`: expected shape {}, found {}", Shape(expected), Shape(found))]
    WeightShape {
        /// The parameter's path, such as `F1/kernel`.
        path: String,
        /// The parameter's shape.
        expected: Vec<usize>,
        /// The shape that was offered.
        found: Vec<usize>,
    },
    /// A wrong number of weights for a layer or model.
    #[error("`{name}` has {expected} weights, found {found}")]
    WeightCount {
        /// The layer.
        name: String,
        /// How many it has.
        expected: usize,
        /// How many were offered.
        found: usize,
    },
    /// An argument outside its range.
    #[error("`{argument}`: expected {expected}, found {found}")]
    Argument {
        /// The argument's name.
        argument: &'static str,
        /// What would do.
        expected: String,
        /// What was given.
        found: String,
    },
    /// Two arguments whose numbers of samples differ.
    #[error("x has {x} samples, but {argument} has {found}")]
    Length {
        /// How many samples `x` has.
        x: usize,
        /// The other argument.
        argument: String,
        /// How many the other argument has.
        found: usize,
    },
    /// No samples, or samples without a value.
    #[error("{argument} is empty: shape {}", Shape(shape))]
    Empty {
        /// The argument.
        argument: String,
        /// Its shape, samples first.
        shape: Vec<usize>,
    },
    /// NaN or infinity in the data.
    #[error("{argument} holds {value} at row {row}, column {column}")]
    NonFinite {
        /// The argument.
        argument: String,
        /// The sample, from 0.
        row: usize,
        /// The place within the sample, flattened row by row, from 0.
        column: usize,
        /// The value: NaN or an infinity.
        value: f64,
    },
    /// A number that is no index, for a layer that reads indices.
    #[error("{argument}, row {row}: expected an index from 0 to {}, found {found}", .count.saturating_sub(1))]
    Index {
        /// The argument.
        argument: String,
        /// The sample, from 0.
        row: usize,
        /// The number that was found.
        found: f64,
        /// How many indices there are.
        count: usize,
    },
    /// A target that is no class of the output.
    #[error("{argument}, row {row}: label {found} is not one of the {classes} classes 0 to {}", .classes.saturating_sub(1))]
    Label {
        /// The argument.
        argument: String,
        /// The sample, from 0.
        row: usize,
        /// The label that was found.
        found: f64,
        /// How many classes the output has.
        classes: usize,
    },
    /// A target that is no probability, for a loss that needs one.
    #[error("{argument}, row {row}: expected a target between 0 and 1, found {found}")]
    Probability {
        /// The argument.
        argument: String,
        /// The sample, from 0.
        row: usize,
        /// The target that was found.
        found: f64,
    },
    /// Targets that do not fit what the model puts out under its loss.
    #[error(
        "{argument}: `{loss}` on an output of shape {} expects targets of shape {expected}, found {}",
        Shape(output),
        Shape(found)
    )]
    TargetShape {
        /// The argument.
        argument: String,
        /// The loss.
        loss: String,
        /// The shape of one output.
        output: Vec<usize>,
        /// The shapes of one target that would do, and how to get there.
        expected: String,
        /// The shape of one target that was found.
        found: Vec<usize>,
    },
    /// A loss that cannot judge the model's output at all.
    #[error("loss `{loss}` does not fit an output of shape {}: {reason}", Shape(output))]
    LossOutput {
        /// The loss.
        loss: String,
        /// The shape of one output.
        output: Vec<usize>,
        /// Why, and what would do.
        reason: String,
    },
    /// A wrong number of class weights.
    #[error("class weights: expected {expected}, one for each class, found {found}")]
    ClassWeightCount {
        /// The number of classes.
        expected: usize,
        /// The number of weights.
        found: usize,
    },
    /// A weight that is negative or not finite.
    #[error("{argument} weight {index}: expected a finite number of at least 0, found {found}")]
    Weight {
        /// `class` or `sample`.
        argument: &'static str,
        /// The class or the sample, from 0.
        index: usize,
        /// The weight that was found.
        found: f64,
    },
    /// Two layers of one model with the same name.
    #[error("layers {first} and {second} are both named `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
        /// The first of them.
        first: usize,
        /// The other.
        second: usize,
    },
    /// No layer or weight of that name.
    #[error("no {what} `{name}`; there is {}", listed(known))]
    Unknown {
        /// `layer` or `weight`.
        what: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A model without a layer.
    #[error("the model has no layers")]
    NoLayers,
    /// The model's shapes are not known yet.
    #[error("the model is not built: give it `.input(shape)`, or fit it first")]
    NotBuilt,
    /// `fit` or `evaluate` before `compile`.
    #[error("the model is not compiled: call `compile(optimizer, loss, metrics)` first")]
    NotCompiled,
    /// The model's size, in bytes or elements, does not fit in memory's address range.
    #[error("a shape of {} has too many elements", Shape(shape))]
    TooLarge {
        /// The shape.
        shape: Vec<usize>,
    },
    /// Training met a loss or a gradient that is not finite, and stopped.
    /// The model holds the weights of the last finite step.
    #[error(
        "epoch {epoch}, batch {batch}: {what} became {value}, first at {place}; the model keeps its last finite weights"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The batch of that epoch, from 1.
        batch: usize,
        /// `the loss` or `the gradient`.
        what: &'static str,
        /// NaN or an infinity.
        value: f64,
        /// The first layer whose output (or, from the last layer on, whose gradient) was not finite.
        place: String,
    },
    /// A word that names none of the alternatives.
    #[error("`{found}` is no {what}; expected one of {}", listed(known))]
    Parse {
        /// What was to be named.
        what: &'static str,
        /// The word.
        found: String,
        /// The words there are.
        known: Vec<String>,
    },
    /// A value that a [`LabelEncoder`](crate::data::LabelEncoder) has not seen.
    #[error("row {row}: label `{found}` was not among those that the encoder was fitted to")]
    UnseenLabel {
        /// The row, from 0.
        row: usize,
        /// The label.
        found: String,
    },
    /// A file could not be written or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A backup that cannot be written, or that this training cannot go on from.
    #[error("backup {0}")]
    Backup(#[from] BackupFault),
    /// A training on several ranks that cannot begin or go on because of one of them.
    #[error(transparent)]
    Rank(#[from] RankFault),
    /// A callback, a layer or a loss written outside this crate failed in its own way.
    #[error("{0}")]
    Outside(std::sync::Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps an error of another crate, for callbacks, layers and losses written outside this one.
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
}
