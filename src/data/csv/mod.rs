//! Tables of text: a header or none, a line for each sample.

mod parts;
mod records;
mod source;

use std::path::Path;

pub use source::CsvSource;

use super::Dataset;
use super::table::{Column, ColumnSettings, Missing};
use crate::error::Result;
use crate::files::gzip;
use records::{Records, TextFile};

/// Reads a `.csv` file, packed by gzip or not: `Csv::new("iris.csv").label("species").read()`.
///
/// A column is a number of each sample, unless it is said what else it is. A label's distinct values become the classes
/// 0, 1 ..., in the order of numbers where all are numbers, else of the text. A word in a column of numbers is refused by
/// its line and column, as is a missing value: an empty field, or what pandas takes for one, such as `NA`.
///
/// | setting | default |
/// |---|---|
/// | [`header`](Csv::header) | the first line, which is refused where it holds numbers alone |
/// | [`delimiter`](Csv::delimiter) | `,`, and a tab in files that end in `.tsv` |
/// | [`label`](Csv::label), [`target`](Csv::target) | none: all columns are `x` |
/// | [`missing`](Csv::missing) | [`Missing::Refuse`] |
///
/// # Example
/// ```
/// use cornu::data::{Csv, Missing};
/// let path = std::env::temp_dir().join("cornu-iris.csv");
/// std::fs::write(&path, "length,width,species\n5.1,3.5,setosa\n7.0,,versicolor\n6.3,3.3,virginica\n")?;
///
/// let error = Csv::new(&path).label("species").read().unwrap_err();
/// assert!(error.to_string().contains("line 3, column `width`: expected a number"));
///
/// let iris = Csv::new(&path).label("species").missing(Missing::Mean).read()?;
/// assert_eq!(iris.columns(), ["length", "width"]);
/// assert_eq!(iris.classes(), ["setosa", "versicolor", "virginica"]);
/// assert_eq!(iris.y()?.as_slice(), Some(&[0.0, 1.0, 2.0][..]));
/// assert_eq!(iris.x()[[1, 1]], 3.4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Of `read` and `source`: [`FileError::Value`](crate::error::FileError::Value) names the line and the column, what would
/// do and what was found; [`Fields`](crate::error::FileError::Fields) a line with more or fewer fields than the first;
/// [`Column`](crate::error::FileError::Column) a column that is not there.
///
/// # Memory
/// `read` holds the numbers, 8 bytes each, and for each thread of rayon's pool a mebibyte of text and its numbers;
/// [`source`](Csv::source) 0.9 MB: `cargo test --features full --test memory -- --nocapture`.
#[derive(Debug, Clone)]
pub struct Csv {
    file: TextFile,
    columns: ColumnSettings,
}

impl Csv {
    /// For the file at this path.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Csv { file: TextFile::new(path.as_ref()), columns: ColumnSettings::default() }
    }

    /// Whether the first line names the columns. Default: it does, and is refused where it holds numbers alone.
    ///
    /// # Example
    /// ```
    /// use cornu::data::{Column, Csv};
    /// let path = std::env::temp_dir().join("cornu-no-header.csv");
    /// std::fs::write(&path, "1,0.5,0.7\n2,0.1,0.2\n")?;
    /// assert!(Csv::new(&path).read().is_err());
    /// let data = Csv::new(&path).header(false).label(0).read()?;
    /// assert_eq!((data.x().shape(), data.classes()), (&[2, 2][..], &["1".to_string(), "2".to_string()][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn header(mut self, header: bool) -> Self {
        self.file.header = Some(header);
        self
    }

    /// What stands between fields, such as `b';'`. Default: a comma, and a tab in `.tsv` files.
    ///
    /// # Example
    /// ```
    /// let csv = cornu::data::Csv::new("wine.csv").delimiter(b';');
    /// ```
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.file.delimiter = Some(delimiter);
        self
    }

    /// Passes over lines that begin with this byte, such as `b'#'`. Default: none.
    ///
    /// # Example
    /// ```
    /// let csv = cornu::data::Csv::new("spectra.csv").comment(b'#');
    /// ```
    pub fn comment(mut self, comment: u8) -> Self {
        self.file.comment = Some(comment);
        self
    }

    /// The column of class labels, words or numbers.
    ///
    /// # Example
    /// See [`Csv`].
    pub fn label(mut self, column: impl Into<Column>) -> Self {
        self.columns.label = Some(column.into());
        self
    }

    /// A column of numbers to be predicted. May be called for several, which come in the order of the file.
    ///
    /// # Example
    /// ```
    /// use cornu::data::{Column, Csv};
    /// let path = std::env::temp_dir().join("cornu-target.csv");
    /// std::fs::write(&path, "age,bmi,progression\n59,32.1,151\n48,21.6,75\n")?;
    /// let data = Csv::new(&path).target(Column::Last).read()?;
    /// assert_eq!(data.y()?.as_slice(), Some(&[151.0, 75.0][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn target(mut self, column: impl Into<Column>) -> Self {
        self.columns.targets.push(column.into());
        self
    }

    /// Reads the words of this column as categories: the distinct ones, in order, are 0, 1 ...
    ///
    /// # Example
    /// ```
    /// use cornu::data::Csv;
    /// let path = std::env::temp_dir().join("cornu-categories.csv");
    /// std::fs::write(&path, "sex,age\nmale,22\nfemale,38\n")?;
    /// let data = Csv::new(&path).categorical("sex").read()?;
    /// assert_eq!(data.x(), &cornu::ndarray::array![[1.0, 22.0], [0.0, 38.0]].into_dyn());
    /// assert_eq!(data.categories("sex").map(<[_]>::len), Some(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn categorical(mut self, column: impl Into<Column>) -> Self {
        self.columns.categorical.push(column.into());
        self
    }

    /// Leaves this column out.
    ///
    /// # Example
    /// ```
    /// let csv = cornu::data::Csv::new("titanic.csv").ignore("name").ignore("ticket").label("survived");
    /// ```
    pub fn ignore(mut self, column: impl Into<Column>) -> Self {
        self.columns.ignored.push(column.into());
        self
    }

    /// What becomes of missing values. Default: the file is refused.
    ///
    /// # Example
    /// See [`Csv`].
    pub fn missing(mut self, missing: Missing) -> Self {
        self.columns.missing = missing;
        self
    }

    /// Words that stand for a missing value too, besides those that pandas knows.
    ///
    /// # Example
    /// ```
    /// let csv = cornu::data::Csv::new("hepatitis.csv").missing_words(["?"]);
    /// ```
    pub fn missing_words<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.columns.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// The folder of the file that [`source`](Csv::source) unpacks a packed one to. Default: [`std::env::temp_dir`].
    ///
    /// # Example
    /// ```
    /// let csv = cornu::data::Csv::new("measured.csv.gz").scratch("/var/tmp");
    /// ```
    pub fn scratch(mut self, folder: impl AsRef<Path>) -> Self {
        self.file.scratch = Some(folder.as_ref().into());
        self
    }

    /// Reads the columns as those of `train` were read: the same classes and categories, which refuses others, and missing
    /// values filled by what was learned there.
    ///
    /// # Example
    /// ```
    /// use cornu::data::Csv;
    /// let (train, test) = (std::env::temp_dir().join("cornu-train.csv"), std::env::temp_dir().join("cornu-test.csv"));
    /// std::fs::write(&train, "x,kind\n1,cat\n2,dog\n")?;
    /// std::fs::write(&test, "x,kind\n3,dog\n")?;
    /// let train = Csv::new(train).label("kind").read()?;
    /// assert_eq!(Csv::new(test).label("kind").like(&train).read()?.y()?[[0]], 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn like(mut self, train: &Dataset) -> Self {
        self.columns.like = Some(Box::new(train.head()));
        self
    }

    /// Reads the file.
    ///
    /// # Example
    /// See [`Csv`].
    ///
    /// # Errors
    /// See [`Csv`].
    pub fn read(&self) -> Result<Dataset> {
        let (records, scan) =
            Records::scan(&self.file, self.columns.clone(), gzip::unpacked(&self.file.path)?, true)?;
        parts::scan(&self.file, records, scan)?.dataset()
    }

    /// Goes through the file once, checks all of it, and gives a source that reads each row again when a batch needs it: for
    /// files that do not fit memory, 16 bytes of which are held for each row. A packed file is unpacked first, to a file without a
    /// name that is gone with the source, in the folder for temporary files or that of [`scratch`](Csv::scratch).
    ///
    /// # Example
    /// ```
    /// use cornu::data::Csv;
    /// use cornu::prelude::*;
    /// let path = std::env::temp_dir().join("cornu-stream.csv");
    /// std::fs::write(&path, "a,b,kind\n0,1,cat\n1,0,dog\n0,2,cat\n3,1,dog\n")?;
    /// let source = Csv::new(path).label("kind").source()?;
    /// let mut model = Sequential::new().add(Dense::new(2));
    /// model.compile(Adam::new(0.1), SparseCategoricalCrossentropy::new().from_logits(true), ())?;
    /// model.fit_source(&source, &Fit::new().epochs(2).verbose(Verbose::Silent))?;
    /// assert_eq!(source.classes(), ["cat", "dog"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`Csv`]; [`Error::Argument`](crate::Error::Argument) for a median or the most frequent number, which need all
    /// values at once.
    pub fn source(&self) -> Result<CsvSource> {
        CsvSource::open(self)
    }
}
