//! CSV files: tables of text, with or without a header.

mod blanks;
mod parts;
mod quotes;
mod records;
mod settings;
mod source;

use std::path::Path;

pub use source::CsvSource;

use super::Dataset;
use super::table::{Column, ColumnSettings, Encoding, Missing};
use crate::error::Result;
use crate::files::gzip;
use records::{Records, TextFile};

/// Reads a `.csv` file, plain or compressed with gzip: `Csv::new("iris.csv").label("species").read()`.
///
/// Every column is a numeric feature unless a setter says otherwise. The distinct values of a label become the
/// classes 0, 1 ..., sorted as numbers if all are numbers and as text otherwise. Text in a numeric column is
/// refused, and so is a missing value; the error names the line and the column. A value is missing if empty or one
/// of pandas's words for it, such as `NA`. A line of spaces and tabs is skipped like an empty one. In a file of one column,
/// either is a missing value if a row follows.
///
/// | setting | default |
/// |---|---|
/// | [`header`](Csv::header) | true: the first line names the columns; refused if it holds only numbers |
/// | [`delimiter`](Csv::delimiter) | `,`, or a tab for `.tsv` files |
/// | [`decimal`](Csv::decimal), [`thousands`](Csv::thousands) | `.`, none |
/// | [`encoding`](Csv::encoding) | [`Encoding::Utf8`] |
/// | [`label`](Csv::label), [`target`](Csv::target) | none: all columns are `x` |
/// | [`text`](Csv::text) | none: labels that are all numbers are sorted as numbers |
/// | [`missing`](Csv::missing) | [`Missing::Refuse`] |
/// | [`missing_words_of`](Csv::missing_words_of) | pandas's words, in all columns |
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
/// assert_eq!(iris.classes()?, ["setosa", "versicolor", "virginica"]);
/// assert_eq!(iris.y()?.as_slice(), Some(&[0.0, 1.0, 2.0][..]));
/// assert_eq!(iris.x()[[1, 1]], 3.4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// From `read` and `source`: [`FileError::Value`](crate::error::FileError::Value) for a value that cannot be used,
/// with its line and column; [`Fields`](crate::error::FileError::Fields) for a line with more or fewer fields than
/// the first; [`Damaged`](crate::error::FileError::Damaged) for a quote that is not closed, with the line on which it opens;
/// [`Column`](crate::error::FileError::Column) for a column that does not exist. Settings that contradict each other are
/// refused with [`Error::Argument`](crate::Error::Argument) before the file is opened.
///
/// # Memory
/// `read` holds the numbers, 8 bytes each, and 0.5 MiB of text and its numbers per thread of rayon's pool: 19 MB for a
/// file of 28 MB with 16.4 MB of numbers; [`source`](Csv::source) takes 0.9 MB.
#[derive(Debug, Clone)]
pub struct Csv {
    file: TextFile,
    columns: ColumnSettings,
}

impl Csv {
    /// Creates a reader for the file at this path.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Csv { file: TextFile::new(path.as_ref()), columns: ColumnSettings::default() }
    }

    /// Whether the first line names the columns. Default: true; a header of numbers alone is refused.
    ///
    /// # Example
    /// ```
    /// use cornu::data::{Column, Csv};
    /// let path = std::env::temp_dir().join("cornu-no-header.csv");
    /// std::fs::write(&path, "1,0.5,0.7\n2,0.1,0.2\n")?;
    /// assert!(Csv::new(&path).read().is_err());
    /// let data = Csv::new(&path).header(false).label(0).read()?;
    /// assert_eq!((data.x().shape(), data.classes()?), (&[2, 2][..], &["1".to_string(), "2".to_string()][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn header(mut self, header: bool) -> Self {
        self.file.header = Some(header);
        self
    }

    /// The delimiter of fields, such as `b';'`. Default: a comma, or a tab for `.tsv` files.
    ///
    /// # Example
    /// ```
    /// let path = std::env::temp_dir().join("cornu-delimiter.csv");
    /// std::fs::write(&path, "acidity;quality\n7.4;5\n7.8;6\n")?;
    /// let wine = cornu::data::Csv::new(&path).delimiter(b';').read()?;
    /// assert_eq!(wine.columns(), ["acidity", "quality"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.file.delimiter = Some(delimiter);
        self
    }

    /// Skips lines that start with this byte, such as `b'#'`. Default: none.
    ///
    /// # Example
    /// ```
    /// let path = std::env::temp_dir().join("cornu-comment.csv");
    /// std::fs::write(&path, "# measured in May\na,b\n1,2\n")?;
    /// assert_eq!(cornu::data::Csv::new(&path).comment(b'#').read()?.count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn comment(mut self, comment: u8) -> Self {
        self.file.comment = Some(comment);
        self
    }

    /// The decimal separator, such as `b','`. Default: a point.
    ///
    /// # Example
    /// ```
    /// let path = std::env::temp_dir().join("cornu-decimal.csv");
    /// std::fs::write(&path, "price;area\n1.250,50;71,5\n")?;
    /// let csv = cornu::data::Csv::new(&path).delimiter(b';').decimal(b',').thousands(b'.');
    /// assert_eq!(csv.read()?.x(), &cornu::ndarray::array![[1250.5, 71.5]].into_dyn());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decimal(mut self, decimal: u8) -> Self {
        self.columns.format.get_or_insert_default().decimal = decimal;
        self
    }

    /// The separator of groups of three digits, such as `b'.'`; numbers without it are read too. Default: none.
    ///
    /// If it is the delimiter, as in `"1,234"`, such numbers must be quoted; so must those whose decimal separator is the delimiter.
    ///
    /// # Example
    /// ```
    /// let path = std::env::temp_dir().join("cornu-thousands.csv");
    /// std::fs::write(&path, "price,area\n\"1,250.50\",71\n")?;
    /// let csv = cornu::data::Csv::new(&path).thousands(b',');
    /// assert_eq!(csv.read()?.x(), &cornu::ndarray::array![[1250.5, 71.0]].into_dyn());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn thousands(mut self, thousands: u8) -> Self {
        self.columns.format.get_or_insert_default().thousands = Some(thousands);
        self
    }

    /// The encoding of the file. Default: [`Encoding::Utf8`].
    ///
    /// # Example
    /// ```
    /// use cornu::data::{Csv, Encoding};
    /// let path = std::env::temp_dir().join("cornu-latin-1.csv");
    /// std::fs::write(&path, b"x,town\n1,K\xf6ln\n")?;
    /// let data = Csv::new(&path).encoding(Encoding::Latin1).label("town").read()?;
    /// assert_eq!(data.classes()?, ["Köln"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.file.encoding = Some(encoding);
        self
    }

    /// The column of class labels, words or numbers. Default: none.
    pub fn label(mut self, column: impl Into<Column>) -> Self {
        self.columns.label = Some(column.into());
        self
    }

    /// A column of numbers to predict; call it repeatedly for several, which keep the order of the file. Default: none.
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

    /// Reads the words of this column as categories, numbered 0, 1 ... in sorted order.
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

    /// Reads the numbers of this column as words: those of a label are sorted as text, and a column of `x` is
    /// [categorical](Csv::categorical). Refused for a target.
    ///
    /// # Example
    /// ```
    /// let path = std::env::temp_dir().join("cornu-text.csv");
    /// std::fs::write(&path, "price,zip\n5,02134\n3,10001\n")?;
    /// let csv = cornu::data::Csv::new(&path).label("zip");
    /// assert_eq!(csv.read()?.classes()?, ["2134", "10001"]);
    /// assert_eq!(csv.text("zip").read()?.classes()?, ["02134", "10001"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text(mut self, column: impl Into<Column>) -> Self {
        self.columns.text.push(column.into());
        self
    }

    /// Ignores this column.
    ///
    /// # Example
    /// ```
    /// let path = std::env::temp_dir().join("cornu-ignore.csv");
    /// std::fs::write(&path, "name,age,survived\nKate,26,1\nOwen,22,0\n")?;
    /// let titanic = cornu::data::Csv::new(&path).ignore("name").label("survived").read()?;
    /// assert_eq!(titanic.columns(), ["age"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ignore(mut self, column: impl Into<Column>) -> Self {
        self.columns.ignored.push(column.into());
        self
    }

    /// How missing values are handled. Default: [`Missing::Refuse`].
    pub fn missing(mut self, missing: Missing) -> Self {
        self.columns.missing = missing;
        self
    }

    /// Further words that mean a missing value, besides those of pandas. Default: none.
    ///
    /// # Example
    /// ```
    /// use cornu::data::{Csv, Missing};
    /// let path = std::env::temp_dir().join("cornu-missing-words.csv");
    /// std::fs::write(&path, "age,bilirubin\n30,?\n50,1.5\n")?;
    /// let data = Csv::new(&path).missing_words(["?"]).missing(Missing::DropRow).read()?;
    /// assert_eq!(data.count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn missing_words<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.columns.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// The words that mean a missing value in this column, instead of pandas's and those of
    /// [`missing_words`](Csv::missing_words). An empty field is always missing.
    ///
    /// # Example
    /// ```
    /// let path = std::env::temp_dir().join("cornu-missing-words-of.csv");
    /// std::fs::write(&path, "price,country\n30,NA\n50,DE\n")?;
    /// let csv = cornu::data::Csv::new(&path).label("country");
    /// assert!(csv.read().is_err());
    /// assert_eq!(csv.missing_words_of("country", ["?"]).read()?.classes()?, ["DE", "NA"]); // Namibia
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn missing_words_of<W: Into<String>>(
        mut self,
        column: impl Into<Column>,
        words: impl IntoIterator<Item = W>,
    ) -> Self {
        self.columns.words_of.push((column.into(), words.into_iter().map(Into::into).collect()));
        self
    }

    /// The folder to which [`source`](Csv::source) decompresses a compressed file. Default: [`std::env::temp_dir`].
    pub fn scratch(mut self, folder: impl AsRef<Path>) -> Self {
        self.file.scratch = Some(folder.as_ref().into());
        self
    }

    /// Reads the columns like those of `train`.
    ///
    /// Classes and categories are the same, and others are refused; none of them is a missing value. Missing values are
    /// replaced by what was learned from `train`. Words for missing values, columns of [`text`](Csv::text), the encoding
    /// and the separators of numbers are those of `train` too, unless they are set.
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
    /// # Errors
    /// Those of [`Csv`].
    pub fn read(&self) -> Result<Dataset> {
        let Csv { file, columns } = self.settled()?;
        let (records, scan) = Records::scan(&file, columns, gzip::unpacked(&file.path)?, true)?;
        let mut data = parts::scan(&file, records, scan)?.dataset()?;
        data.settings.encoding = file.encoding.unwrap_or_default();
        Ok(data)
    }

    /// Checks the whole file once and returns a source that reads rows on demand, for files larger than memory.
    ///
    /// The source holds 16 bytes per row. A compressed file is first decompressed to an unnamed temporary file in the
    /// folder of [`scratch`](Csv::scratch), which disappears with the source.
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
    /// assert_eq!(source.classes()?, ["cat", "dog"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Csv`], and [`Error::Argument`](crate::Error::Argument) for filling with the median or the most
    /// frequent number, which would need all values in memory.
    pub fn source(&self) -> Result<CsvSource> {
        CsvSource::open(&self.settled()?)
    }
}
