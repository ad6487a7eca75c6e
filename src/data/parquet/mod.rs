//! Parquet files: tables of typed columns.

mod source;
mod table;

use std::path::{Path, PathBuf};

pub use source::ParquetSource;
use table::Table;

use super::Dataset;
use super::table::{Column, ColumnSettings, Missing};
use crate::error::Result;

/// Reads a `.parquet` file: `Parquet::new("iris.parquet").label("species").read()`.
///
/// Columns of numbers and booleans are numeric features; columns of text are categories, numbered 0, 1 ... in sorted order.
/// The distinct values of a label become the classes, sorted as numbers if all are numbers and as text otherwise. Nulls and
/// NaN are missing; they are refused unless [`missing`](Parquet::missing) handles them, and the error names the row and the
/// column. A text such as `NA` is a value. The fields of a struct are separate columns, such as `point.x`. Integers
/// beyond 2^53 are rounded. The index column of pandas (`__index_level_0__`) is ignored.
///
/// A date becomes the number of days since 1 January 1970, a timestamp the number of seconds since then (in UTC if the
/// file says so), and a time of day the number of seconds since midnight.
///
/// All encodings of the format are supported, and the codecs Snappy, gzip, zstd, LZ4 and Brotli. Lists, durations,
/// encrypted files and LZO are refused, unless the column is [ignored](Parquet::ignore).
///
/// # Example
/// ```
/// use cornu::data::{Missing, Parquet};
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/holes.parquet");
/// let error = Parquet::new(path).label("species").read().unwrap_err();
/// assert!(error.to_string().contains("row 2, column `length`: expected a number"));
///
/// let iris = Parquet::new(path).label("species").missing(Missing::Mean).read()?;
/// assert_eq!(iris.columns(), ["length", "width", "count", "flag"]);
/// assert_eq!(iris.classes()?, ["Versicolor", "setosa", "virginica"]);
/// assert_eq!(iris.x().shape(), [60, 4]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// From `read` and `source`: [`FileError::Value`](crate::error::FileError::Value) for a value that cannot be used, with its
/// row and column; [`Array`](crate::error::FileError::Array) for a column that is neither numeric nor text;
/// [`Column`](crate::error::FileError::Column) for a column that does not exist;
/// [`Damaged`](crate::error::FileError::Damaged) for a truncated or corrupt page, with its row group and column.
///
/// # Memory
/// One page per column, the values of 16,384 rows at a time, and the numbers themselves, 8 bytes each: 16 MB for 14.4
/// MB of numbers, and 2.1 MB streamed (`cargo test --features full --test memory -- --nocapture`). A file is refused if
/// its pages, or twice its numbers, would take more than 1040 times its size plus 64 MiB. Columns are decoded on the
/// threads of rayon's pool.
#[derive(Debug, Clone)]
pub struct Parquet {
    path: PathBuf,
    scratch: Option<PathBuf>,
    columns: ColumnSettings,
}

impl Parquet {
    /// Creates a reader for the file at this path.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Parquet { path: path.as_ref().into(), scratch: None, columns: ColumnSettings::default() }
    }

    /// The column of class labels: strings, numbers or booleans. Default: none.
    pub fn label(mut self, column: impl Into<Column>) -> Self {
        self.columns.label = Some(column.into());
        self
    }

    /// A column of numbers to predict; call it repeatedly for several, which keep the order of the file. Default: none.
    ///
    /// # Example
    /// ```
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/plain.parquet");
    /// let data = cornu::data::Parquet::new(path).target("width").ignore("species").read()?;
    /// assert_eq!((data.x().shape(), data.y()?.shape()), (&[60, 4][..], &[60][..]));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn target(mut self, column: impl Into<Column>) -> Self {
        self.columns.targets.push(column.into());
        self
    }

    /// Reads the numbers of this column as categories; strings are always categories.
    ///
    /// # Example
    /// ```
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/plain.parquet");
    /// let data = cornu::data::Parquet::new(path).categorical("flag").read()?;
    /// assert_eq!(data.categories("flag"), Some(&["False".to_string(), "True".to_string()][..]));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn categorical(mut self, column: impl Into<Column>) -> Self {
        self.columns.categorical.push(column.into());
        self
    }

    /// Ignores this column; it is not read at all. The name of a list or struct ignores all of its columns.
    pub fn ignore(mut self, column: impl Into<Column>) -> Self {
        self.columns.ignored.push(column.into());
        self
    }

    /// How missing values are handled. Default: [`Missing::Refuse`].
    pub fn missing(mut self, missing: Missing) -> Self {
        self.columns.missing = missing;
        self
    }

    /// Strings that mean a missing value, such as `?`. Default: none.
    pub fn missing_words<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.columns.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// Reads the columns like those of `train`.
    ///
    /// Classes and categories are the same, and others are refused. Missing values are replaced by what was learned
    /// from `train`.
    ///
    /// # Example
    /// ```
    /// use cornu::data::Parquet;
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/plain.parquet");
    /// let train = Parquet::new(path).label("species").read()?;
    /// let test = Parquet::new(path).label("species").like(&train).read()?;
    /// assert_eq!(test.classes()?, train.classes()?);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn like(mut self, train: &Dataset) -> Self {
        self.columns.like = Some(Box::new(train.head()));
        self
    }

    /// The folder to which [`source`](Parquet::source) decompresses. Default: [`std::env::temp_dir`].
    pub fn scratch(mut self, folder: impl AsRef<Path>) -> Self {
        self.scratch = Some(folder.as_ref().into());
        self
    }

    /// Reads the file.
    ///
    /// # Errors
    /// Those of [`Parquet`].
    pub fn read(&self) -> Result<Dataset> {
        let table = Table::open(&self.path, &self.columns)?;
        let mut scan = table.scan(true)?;
        table.read(&mut scan)?;
        scan.dataset()
    }

    /// Checks and decompresses the file once, and returns a source that reads rows on demand, for files larger than
    /// memory.
    ///
    /// A page holds many rows, so reading rows in random order would decompress most of the file for each batch.
    /// Instead the numbers are written to an unnamed temporary file of 8 bytes per number, in the folder of
    /// [`scratch`](Parquet::scratch), which disappears with the source.
    ///
    /// # Example
    /// ```
    /// use cornu::data::Parquet;
    /// use cornu::prelude::*;
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/plain.parquet");
    /// let source = Parquet::new(path).label("species").source()?;
    /// let mut model = Sequential::new().add(Dense::new(3));
    /// model.compile(Adam::new(0.1), SparseCategoricalCrossentropy::new().from_logits(true), ())?;
    /// model.fit_source(&source, &Fit::new().epochs(2).verbose(Verbose::Silent))?;
    /// assert_eq!(source.classes()?, ["Versicolor", "setosa", "virginica"]);
    /// assert_eq!(source.columns(), ["length", "width", "count", "flag", "colour"]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Parquet`], and [`Error::Argument`](crate::Error::Argument) for filling with the median or the most
    /// frequent number, which would need all values in memory.
    pub fn source(&self) -> Result<ParquetSource> {
        ParquetSource::open(self)
    }
}
