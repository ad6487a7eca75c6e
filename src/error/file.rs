//! Errors of reading and writing files.

/// Returns whether Keras may store user code in things of this kind.
fn holds_code(kind: &str) -> bool {
    ["Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__lambda__"].contains(&kind)
}

/// The reason why a file could not be written or read.
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
    /// A setting is missing, of another type, or unknown.
    #[error("`{path}`: expected {expected}, found {found}")]
    Setting {
        /// Where the setting is, such as `layers[3].config.units`.
        path: String,
        /// The accepted values.
        expected: String,
        /// The value found.
        found: String,
    },
    /// A kind that is not registered.
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
        /// The module that the file states for it.
        module: String,
    },
    /// Something that has no settings to write, such as a closure.
    #[error("the {what} {name} has no settings that could be saved: its `config` tells none")]
    NotSavable {
        /// `layer`, `loss`, `optimizer`, `metric` or `learning rate`.
        what: &'static str,
        /// The thing.
        name: String,
    },
    /// A layer or model that a format cannot represent.
    #[error("cannot be written as {format}: {reason}")]
    NotExportable {
        /// The format.
        format: &'static str,
        /// The reason.
        reason: String,
    },
    /// A format whose feature is disabled.
    #[error("{path}: the format `{format}` needs the feature `{feature}` of cornu")]
    Feature {
        /// The file.
        path: String,
        /// The format.
        format: &'static str,
        /// The feature that adds it.
        feature: &'static str,
    },
    /// A file name whose extension is not a known format.
    #[error("{path}: expected a name that ends in {expected}")]
    Extension {
        /// The file.
        path: String,
        /// The known extensions.
        expected: &'static str,
    },
    /// The system refused to read or write the file.
    #[error("{path}: {message}")]
    Io {
        /// The file.
        path: String,
        /// The kind of error.
        kind: std::io::ErrorKind,
        /// The message of the system.
        message: String,
    },
    /// A value of a table that cannot be used.
    #[error("{path}, {}, column `{column}`: expected {expected}, found {found}", super::display::Row(*row, *line))]
    Value {
        /// The file.
        path: String,
        /// The row of data, from 0.
        row: usize,
        /// The line of a text file on which the row begins, from 1.
        line: Option<std::num::NonZeroU64>,
        /// The name of the column, or its index from 0 if it has none.
        column: String,
        /// The accepted values.
        expected: String,
        /// The value found.
        found: String,
    },
    /// A row of a table with more or fewer fields than the first row.
    #[error("{path}, line {line}: expected {expected} fields as on the first line, found {found}")]
    Fields {
        /// The file.
        path: String,
        /// The line on which the row begins, from 1.
        line: u64,
        /// The number of fields of the first line.
        expected: usize,
        /// The number of fields of this row.
        found: usize,
    },
    /// No column or variable has this name or index.
    #[error("{path}: no {what} `{name}`; there is {}", super::display::listed(known))]
    Column {
        /// The file.
        path: String,
        /// `column`, `variable` ...
        what: &'static str,
        /// The requested name or index.
        name: String,
        /// The existing names.
        known: Vec<String>,
    },
    /// An array in a file that cannot be used.
    #[error("{path}, `{name}`: expected {expected}, found {found}")]
    Array {
        /// The file.
        path: String,
        /// The array's name.
        name: String,
        /// What is accepted.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A file that is truncated, corrupt, not of the format that its name states, or malicious.
    #[error("{path}, {place}: {problem}")]
    Damaged {
        /// The file.
        path: String,
        /// The position in the file.
        place: String,
        /// The problem.
        problem: String,
    },
}
