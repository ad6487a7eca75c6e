//! How the cells of each column are read: which words mean a missing value, and whether numbers are words.

use super::cell::TableCell;
#[cfg(feature = "csv")]
use super::number::NumberFormat;

/// The encoding of a text file.
///
/// # Example
/// ```
/// assert_eq!(cornu::data::Encoding::default(), cornu::data::Encoding::Utf8);
/// ```
#[cfg(feature = "csv")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8; other bytes are refused.
    #[default]
    Utf8,
    /// ISO 8859-1, one byte per character.
    Latin1,
}

/// How a table was read, for further files like it.
#[derive(Debug, Clone, Default)]
pub(in crate::data) struct ReadSettings {
    #[cfg(feature = "csv")]
    pub(in crate::data) format: NumberFormat,
    #[cfg(feature = "csv")]
    pub(in crate::data) encoding: Encoding,
    /// The columns of `x`, then those of `y`.
    pub(super) columns: Vec<ColumnReading>,
}

/// Equal data may come from different files.
impl PartialEq for ReadSettings {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// How the cells of a column are read.
#[derive(Debug, Clone, Default)]
pub(super) struct ColumnReading {
    /// The words that mean a missing value, besides pandas's or instead of them.
    pub(super) words: Vec<String>,
    pub(super) replaces: bool,
    /// Known categories, although pandas reads them as missing values.
    pub(super) kept: Vec<String>,
    /// Whether numbers are words.
    pub(super) text: bool,
}

/// The words that pandas reads as a missing value.
const MISSING: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

impl ColumnReading {
    /// Trims a text, and turns a cell into a missing one if its word means that.
    pub(super) fn known<'a>(&self, cell: TableCell<'a>) -> TableCell<'a> {
        match cell {
            TableCell::Text(text) => {
                let text = text.trim();
                if self.is_missing(text) { TableCell::Missing } else { TableCell::Text(text) }
            }
            #[cfg(feature = "parquet")]
            TableCell::Word(text) if self.words.iter().any(|word| word == text) => TableCell::Missing,
            TableCell::Number(number) if number.is_nan() => TableCell::Missing,
            cell => cell,
        }
    }

    fn is_missing(&self, text: &str) -> bool {
        let usual = if self.replaces { text.is_empty() } else { MISSING.contains(&text) };
        let contains = |words: &[String]| words.iter().any(|word| word == text);
        (usual || contains(&self.words)) && !contains(&self.kept)
    }

    /// Keeps these categories as words.
    pub(super) fn keep(&mut self, categories: &[String]) {
        self.kept = categories.iter().filter(|word| self.is_missing(word)).cloned().collect();
    }
}
