//! The learned properties of columns, by which further rows become numbers.

use std::collections::HashMap;
use std::num::NonZeroU64;

use super::cell::TableCell;
use super::columns::{Role, TableHeader, widths};
use super::number::NumberFormat;
use super::reading::ColumnReading;
use crate::error::{Error, FileError, Result};

/// A table whose roles, categories and replacements are known.
#[derive(Debug, Clone)]
pub(in crate::data) struct Fitted {
    pub(super) table: TableHeader,
    pub(super) roles: Vec<Role>,
    /// The number of each word, per column.
    pub(super) words: Vec<HashMap<String, f64>>,
    /// The replacement for missing values, per column.
    pub(super) fills: Vec<Option<f64>>,
    pub(super) readings: Vec<ColumnReading>,
    pub(super) format: NumberFormat,
    /// Whether the words of the label are numbers, so that 1 and 1.0 are one class.
    pub(super) numeric_label: bool,
}

impl Fitted {
    /// Returns the numbers per row of `x` and of `y`.
    pub(in crate::data) fn widths(&self) -> (usize, usize) {
        widths(&self.roles)
    }

    /// Writes the numbers of a row.
    pub(in crate::data) fn encode(
        &self,
        cells: &[TableCell],
        (row, line): (usize, Option<NonZeroU64>),
        x: &mut dyn Iterator<Item = &mut f64>,
        y: &mut dyn Iterator<Item = &mut f64>,
    ) -> Result<()> {
        for (column, (&cell, &role)) in cells.iter().zip(&self.roles).enumerate() {
            let to = match role {
                Role::Ignored => continue,
                Role::Label | Role::Target => y.next(),
                Role::Number | Role::Category => x.next(),
            };
            let value = self.value(column, self.readings[column].known(cell), (row, line))?;
            if let Some(to) = to {
                *to = value;
            }
        }
        Ok(())
    }

    fn value(&self, column: usize, cell: TableCell, at: (usize, Option<NonZeroU64>)) -> Result<f64> {
        if let (TableCell::Missing, Some(fill)) = (cell, self.fills[column]) {
            return Ok(fill);
        }
        match self.roles[column] {
            Role::Category | Role::Label if cell != TableCell::Missing => {
                let found = self.place(column, cell);
                found.ok_or_else(|| wrong(&self.table, column, cell, at, self.expected_words(column)))
            }
            role => {
                self.format.number(cell).ok_or_else(|| wrong(&self.table, column, cell, at, expected(role)))
            }
        }
    }

    /// Returns the number of a class or category.
    pub(super) fn place(&self, column: usize, cell: TableCell) -> Option<f64> {
        let merged = self.roles[column] == Role::Label && self.numeric_label;
        let word = match self.format.number(cell).filter(|_| merged) {
            Some(number) => (number + 0.0).to_string().into(),
            None => cell.word(),
        };
        self.words[column].get(&*word).copied()
    }

    pub(super) fn expected_words(&self, column: usize) -> String {
        let mut known: Vec<(&String, &f64)> = self.words[column].iter().collect();
        known.sort_by(|a, b| a.1.total_cmp(b.1));
        let mut known: Vec<String> =
            known.into_iter().take(11).map(|(word, _)| format!("`{word}`")).collect();
        if known.len() == 11 {
            known[10] = "...".into();
        }
        format!("one of the words it was fitted to: {}", known.join(", "))
    }
}

/// Describes the accepted values of a column with this role.
pub(super) fn expected(role: Role) -> String {
    match role {
        Role::Category => "a word",
        Role::Label => "a label",
        Role::Target => "a number, as the column is a target; `label` reads words as classes",
        Role::Number => "a number; `categorical` reads words as categories, `missing` fills what is missing",
        Role::Ignored => "anything",
    }
    .into()
}

/// The error of a cell that means a missing value, where one is needed.
pub(super) fn missing(
    table: &TableHeader,
    column: usize,
    cell: TableCell,
    at: (usize, Option<NonZeroU64>),
    expected: String,
) -> Error {
    let word = match cell {
        TableCell::Text(text) if !text.trim().is_empty() => TableCell::Text(text.trim()),
        _ => TableCell::Missing,
    };
    let mut error = wrong(table, column, word, at, expected);
    if let (TableCell::Text(_), Error::File(FileError::Value { found, .. })) = (word, &mut error) {
        *found += ", which means a missing value unless `missing_words_of` says otherwise";
    }
    error
}

/// The error of a cell that cannot be used.
pub(super) fn wrong(
    table: &TableHeader,
    column: usize,
    cell: TableCell,
    (row, line): (usize, Option<NonZeroU64>),
    expected: String,
) -> Error {
    let (path, column, found) = (table.path.clone(), table.shown(column), cell.shown());
    FileError::Value { path, row, line, column, expected, found }.into()
}
