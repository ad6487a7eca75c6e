//! The columns of a table: their names and their roles.

use super::number::NumberFormat;
use super::reading::ColumnReading;
use crate::data::Dataset;
use crate::error::{Error, FileError, Result};

/// A column of a table, by name or index.
///
/// # Example
/// ```
/// use cornu::data::Column;
/// assert_eq!(Column::from("species"), Column::Name("species".into()));
/// assert_eq!(Column::from(0), Column::At(0));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Column {
    /// The column with this name.
    Name(String),
    /// The column with this index, from 0.
    At(usize),
    /// The last column.
    Last,
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Column::Name(name.into())
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Column::Name(name)
    }
}

impl From<usize> for Column {
    fn from(place: usize) -> Self {
        Column::At(place)
    }
}

/// How a missing value in a column of `x` is handled.
///
/// Mean, median and most frequent value are those of the column, in this file or in the dataset of
/// [`Csv::like`](crate::data::Csv::like); of equally frequent values, the smallest. A categorical column uses its
/// most frequent word for all three. A missing label or target is refused, unless its row is dropped.
///
/// # Example
/// ```
/// use cornu::data::Missing;
/// assert_eq!(Missing::default(), Missing::Refuse);
/// ```
///
/// # References
/// <https://scikit-learn.org/stable/modules/generated/sklearn.impute.SimpleImputer.html>
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Missing {
    /// Refuses the file; the error names the row and the column.
    #[default]
    Refuse,
    /// Replaces it with this number; refused for categorical columns.
    Value(f64),
    /// Replaces it with the mean of the column.
    Mean,
    /// Replaces it with the median of the column.
    Median,
    /// Replaces it with the most frequent value.
    MostFrequent,
    /// Drops the row.
    DropRow,
}

/// The settings of the columns.
#[derive(Debug, Clone, Default)]
pub(in crate::data) struct ColumnSettings {
    pub(in crate::data) label: Option<Column>,
    pub(in crate::data) targets: Vec<Column>,
    pub(in crate::data) categorical: Vec<Column>,
    pub(in crate::data) ignored: Vec<Column>,
    pub(in crate::data) missing: Missing,
    /// Words that mean a missing value, besides pandas's.
    pub(in crate::data) words: Vec<String>,
    /// Words that mean a missing value in one column, instead of all others.
    pub(in crate::data) words_of: Vec<(Column, Vec<String>)>,
    /// Columns whose numbers are words.
    pub(in crate::data) text: Vec<Column>,
    /// How numbers are written; a decimal point by default.
    pub(in crate::data) format: Option<NumberFormat>,
    /// The dataset whose columns, categories, classes and replacements apply here too.
    pub(in crate::data) like: Option<Box<Dataset>>,
}

/// The role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Number,
    Category,
    Label,
    Target,
    Ignored,
}

impl Role {
    /// Whether it is a column of `y`.
    pub(super) fn is_target(self) -> bool {
        matches!(self, Role::Label | Role::Target)
    }

    /// Whether it is a column of `y`, or else of `x`.
    pub(super) fn is_column_of(self, targets: bool) -> bool {
        self != Role::Ignored && self.is_target() == targets
    }
}

/// How many columns `x` and `y` have.
pub(super) fn widths(roles: &[Role]) -> (usize, usize) {
    let count = |targets| roles.iter().filter(|role| role.is_column_of(targets)).count();
    (count(false), count(true))
}

impl ColumnSettings {
    /// Returns which columns are read.
    #[cfg(feature = "parquet")]
    pub(in crate::data) fn used(&self, table: &TableHeader) -> Result<Vec<bool>> {
        Ok(self.roles(table)?.into_iter().map(|role| role != Role::Ignored).collect())
    }

    /// Returns the role of each column.
    pub(super) fn roles(&self, table: &TableHeader) -> Result<Vec<Role>> {
        let mut roles = vec![Role::Number; table.count];
        let all = [
            (&self.text[..], Role::Category),
            (&self.categorical, Role::Category),
            (&self.ignored, Role::Ignored),
            (&self.targets, Role::Target),
            (self.label.as_slice(), Role::Label),
        ];
        for (columns, role) in all {
            for column in columns {
                roles[table.place(column)?] = role;
            }
        }
        Ok(roles)
    }

    /// Returns how each column is read, in a table of these roles.
    pub(super) fn readings(&self, table: &TableHeader, roles: &[Role]) -> Result<Vec<ColumnReading>> {
        let all = ColumnReading { words: self.words.clone(), ..ColumnReading::default() };
        let mut readings = vec![all; table.count];
        let columns = |targets: bool| (0..table.count).filter(move |&at| roles[at].is_column_of(targets));
        if let Some(like) = &self.like {
            let known = &like.settings.columns;
            let targets = columns(true).filter(|_| columns(true).count() + like.learned.len() == known.len());
            for (column, known) in columns(false).chain(targets).zip(known) {
                let words = [&known.words[..], &self.words].concat();
                readings[column] = ColumnReading { words, ..known.clone() };
            }
        }
        for column in &self.text {
            let place = table.place(column)?;
            if roles[place] == Role::Target {
                let found = format!("the target `{}`", table.shown(place));
                return Err(Error::argument("text", "a label or a column of `x`", found));
            }
            readings[place].text = true;
        }
        for (column, words) in &self.words_of {
            let reading = &mut readings[table.place(column)?];
            (reading.words, reading.replaces) = (words.clone(), true);
        }
        if let Some(like) = &self.like {
            self.keep_known(like, roles, &mut readings);
        }
        Ok(readings)
    }

    /// Keeps the classes and categories of this dataset as words.
    fn keep_known(&self, like: &Dataset, roles: &[Role], readings: &mut [ColumnReading]) {
        let mut learned = like.learned.iter();
        for (reading, role) in readings.iter_mut().zip(roles) {
            match role {
                Role::Label => reading.keep(like.classes.as_deref().unwrap_or_default()),
                Role::Number | Role::Category => {
                    let categories = learned.next().and_then(|learned| learned.categories.as_deref());
                    reading.keep(categories.unwrap_or_default());
                }
                Role::Target | Role::Ignored => {}
            }
        }
    }
}

/// The names of the columns.
#[derive(Debug, Clone)]
pub(in crate::data) struct TableHeader {
    pub(in crate::data) path: String,
    pub(in crate::data) count: usize,
    /// One per column, or none at all.
    pub(in crate::data) names: Vec<String>,
}

impl TableHeader {
    /// Returns the name of a column in messages.
    pub(in crate::data) fn shown(&self, column: usize) -> String {
        self.names.get(column).filter(|name| !name.is_empty()).cloned().unwrap_or(column.to_string())
    }

    /// Returns the index of a column.
    pub(super) fn place(&self, column: &Column) -> Result<usize> {
        let place = match column {
            Column::Name(name) => self.names.iter().position(|known| known == name),
            Column::At(place) => Some(*place).filter(|place| *place < self.count),
            Column::Last => self.count.checked_sub(1),
        };
        let none = || {
            let name = match column {
                Column::Name(name) => name.clone(),
                Column::At(place) => place.to_string(),
                Column::Last => "last".into(),
            };
            let mut known: Vec<String> = (0..self.count.min(20)).map(|place| self.shown(place)).collect();
            if self.count > 20 {
                known.push(format!("... {} in all", self.count));
            }
            FileError::Column { path: self.path.clone(), what: "column", name, known }.into()
        };
        place.ok_or_else(none)
    }
}
