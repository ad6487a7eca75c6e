//! Errors of files, and of content that cannot be written to one.

/// Whether Keras stores code of the user in objects of this kind.
fn holds_code(kind: &str) -> bool {
    ["Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__lambda__"].contains(&kind)
}

/// The way to read a model without a setting that only training needs.
fn for_training(path: &str) -> &'static str {
    let ends = ["_initializer", "_regularizer", "_constraint"];
    if path.starts_with("compile_config") || ends.iter().any(|end| path.contains(end)) {
        "; `Loader::compiled(false)` reads the model without it"
    } else {
        ""
    }
}

/// Why a file could not be written or read.
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
    /// A setting that is missing, unknown or of the wrong type.
    #[error("`{path}`: expected {expected}, found {found}{}", for_training(path))]
    Setting {
        /// The path, such as `layers[3].config.units`.
        path: String,
        /// The expected value, in words.
        expected: String,
        /// The actual value.
        found: String,
    },
    /// A kind that is not registered.
    #[error(
        "`{path}`: unknown {what} `{kind}`{}{}; register it: `Loader::new().{what}(\"{kind}\", |fields| ...)`{}",
        module.as_ref().map(|module| format!(" of the module `{module}`")).unwrap_or_default(),
        if holds_code(kind) { ", whose code is never run" } else { "" },
        for_training(path)
    )]
    UnknownKind {
        /// `layer`, `loss`, `optimizer`, `metric` or `schedule`.
        what: &'static str,
        /// The path, such as `layers[3].config`.
        path: String,
        /// The kind.
        kind: String,
        /// The module that the file names for the kind, if any.
        module: Option<String>,
    },
    /// An object without settings, such as a closure.
    #[error("the {what} {name} cannot be saved: its `config` returns no settings")]
    NotSavable {
        /// `layer`, `loss`, `optimizer`, `metric` or `learning rate`.
        what: &'static str,
        /// The object.
        name: String,
    },
    /// A model that a format cannot represent.
    #[error("cannot be written as {format}: {reason}")]
    NotExportable {
        /// The format.
        format: &'static str,
        /// The reason.
        reason: String,
    },
    /// A format whose Cargo feature is off.
    #[error("{path}: the format `{format}` needs the feature `{feature}` of cornu")]
    Feature {
        /// The file.
        path: String,
        /// The format.
        format: &'static str,
        /// The Cargo feature of the format.
        feature: &'static str,
    },
    /// A file name without a known extension.
    #[error("{path}: expected a file name that ends in {expected}")]
    Extension {
        /// The file.
        path: String,
        /// The known extensions.
        expected: &'static str,
    },
    /// An I/O error.
    #[error("{path}: {message}")]
    Io {
        /// The file.
        path: String,
        /// The kind of error.
        kind: std::io::ErrorKind,
        /// The message of the operating system.
        message: String,
    },
    /// An invalid value in a table.
    #[error("{path}, {}, column `{column}`: expected {expected}, found {found}", super::display::RowNumber { row: *row, line: *line })]
    Value {
        /// The file.
        path: String,
        /// The row of data, from 0.
        row: usize,
        /// The line of a text file on which the row begins, from 1.
        line: Option<std::num::NonZeroU64>,
        /// The name of the column, or its index from 0 if it has none.
        column: String,
        /// The expected value, in words.
        expected: String,
        /// The actual value.
        found: String,
    },
    /// A row of a table whose number of fields differs from that of the first.
    #[error("{path}, line {line}: expected {expected} fields as on the first line, found {found}")]
    Fields {
        /// The file.
        path: String,
        /// The line on which the row begins, from 1.
        line: u64,
        /// The number of fields of the first line.
        expected: usize,
        /// The number of fields of the row.
        found: usize,
    },
    /// An unknown column or variable.
    #[error("{path}: unknown {what} `{name}`, expected one of: {}", super::display::listed(known))]
    Column {
        /// The file.
        path: String,
        /// `column`, `variable` ...
        what: &'static str,
        /// The unknown name.
        name: String,
        /// The known names.
        known: Vec<String>,
    },
    /// An unsuitable array in a file.
    #[error("{path}, `{name}`: expected {expected}, found {found}")]
    Array {
        /// The file.
        path: String,
        /// The array's name.
        name: String,
        /// The expected value, in words.
        expected: String,
        /// The actual value.
        found: String,
    },
    /// A file that is truncated, malformed or malicious.
    #[error("{path}, {place}: {problem}")]
    Damaged {
        /// The file.
        path: String,
        /// The place in the file.
        place: String,
        /// The problem.
        problem: String,
    },
}
