//! What can be wrong with a file, or with what is to be written to one.

/// Whether Keras keeps code of the user's in things of this kind.
fn holds_code(kind: &str) -> bool {
    ["Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__lambda__"].contains(&kind)
}

/// Why a model could not be written or read.
///
/// # Example
/// ```
/// use cornu::error::FileError;
/// use cornu::prelude::*;
/// let mut model = Sequential::new().add(Dense::new(1));
/// model.compile(Sgd::new(|_: u64| 0.1), MeanSquaredError::new(), ())?;
/// let error = model.compile_config().unwrap_err();
/// assert!(matches!(error, Error::File(FileError::NotSavable { .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A setting that is missing, of another type, or not known.
    #[error("`{path}`: expected {expected}, found {found}")]
    Setting {
        /// Where it is, such as `layers[3].config.units`.
        path: String,
        /// What would do.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A kind that nobody registered.
    #[error(
        "`{path}`: no {what} `{kind}` is known here{}{}; register your own: `Loader::new().{what}(\"{kind}\", |fields| ...)`",
        if module.is_empty() { String::new() } else { format!(" by the module `{module}`") },
        if holds_code(kind) { ", and the code in it is never run" } else { "" }
    )]
    UnknownKind {
        /// `layer`, `loss`, `optimizer`, `metric` or `schedule`.
        what: &'static str,
        /// Where it is, such as `layers[3].config`.
        path: String,
        /// The kind.
        kind: String,
        /// The module that the file names for it.
        module: String,
    },
    /// A thing without settings that could be written, such as a closure.
    #[error("the {what} {name} has no settings that could be saved: its `config` tells none")]
    NotSavable {
        /// `layer`, `loss`, `optimizer`, `metric` or `learning rate`.
        what: &'static str,
        /// The thing.
        name: String,
    },
    /// A layer, or a model, for which a format has no words.
    #[error("cannot be written as {format}: {reason}")]
    NotExportable {
        /// The format.
        format: &'static str,
        /// Why.
        reason: String,
    },
    /// A format whose feature is off.
    #[error("{path}: the format `{format}` needs the feature `{feature}` of cornu")]
    Feature {
        /// The file.
        path: String,
        /// The format.
        format: &'static str,
        /// The feature that adds it.
        feature: &'static str,
    },
    /// A name that tells no format.
    #[error("{path}: expected a name that ends in {expected}")]
    Extension {
        /// The file.
        path: String,
        /// The ends that would do.
        expected: &'static str,
    },
    /// The system refused to read or write.
    #[error("{path}: {message}")]
    Io {
        /// The file.
        path: String,
        /// What kind of refusal.
        kind: std::io::ErrorKind,
        /// The system's words.
        message: String,
    },
    /// A value of a table that is not what is needed.
    #[error("{path}, {}, column `{column}`: expected {expected}, found {found}", super::display::Row(*row, *line))]
    Value {
        /// The file.
        path: String,
        /// The row of data, from 0.
        row: usize,
        /// The line of a text file on which it begins, from 1.
        line: Option<std::num::NonZeroU64>,
        /// The column's name, or its place from 0 where it has none.
        column: String,
        /// What would do.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A row of a table with more or fewer fields than the first.
    #[error("{path}, line {line}: expected {expected} fields as on the first line, found {found}")]
    Fields {
        /// The file.
        path: String,
        /// The line on which the row begins, from 1.
        line: u64,
        /// How many fields the first line has.
        expected: usize,
        /// How many this row has.
        found: usize,
    },
    /// No column, or variable, of that name or place.
    #[error("{path}: no {what} `{name}`; there is {}", super::display::listed(known))]
    Column {
        /// The file.
        path: String,
        /// `column`, `variable` ...
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// An array in a file that is not what is needed.
    #[error("{path}, `{name}`: expected {expected}, found {found}")]
    Array {
        /// The file.
        path: String,
        /// The array's name.
        name: String,
        /// What would do.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A file that is not whole, not what its name says, or made to do harm.
    #[error("{path}, {place}: {problem}")]
    Damaged {
        /// The file.
        path: String,
        /// Where in it.
        place: String,
        /// What is wrong.
        problem: String,
    },
}
