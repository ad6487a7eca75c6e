//! One pass over a table that learns what its columns need, and optionally keeps the numbers.

use std::collections::HashMap;
use std::num::NonZeroU64;

use ndarray::{ArrayD, IxDyn};

use super::cell::TableCell;
use super::columns::{ColumnSettings, Missing, Role, TableHeader, widths};
use super::fitted::{Fitted, expected, missing, wrong};
use super::number::NumberFormat;
use super::reading::{ColumnReading, ReadSettings};
use super::seen::{Seen, median, most_frequent, numbers};
use crate::data::Dataset;
use crate::data::dataset::Learned;
use crate::error::{Error, FileError, Result};

/// The state of a pass.
#[derive(Debug)]
pub(in crate::data) struct Scan {
    pub(super) rules: ColumnRules,
    pub(super) rows: ScannedRows,
}

/// The treatment of the columns of a table.
#[derive(Debug)]
pub(super) struct ColumnRules {
    table: TableHeader,
    pub(super) roles: Vec<Role>,
    pub(super) readings: Vec<ColumnReading>,
    /// Whether each column has numbers with a decimal point, none of which means a missing value.
    pub(super) plain: Vec<bool>,
    format: NumberFormat,
    pub(super) settings: ColumnSettings,
    /// Whether the numbers are kept.
    pub(super) keeps: bool,
}

/// The statistics of some rows.
#[derive(Debug, Default)]
pub(super) struct ScannedRows {
    pub(super) seen: Vec<Seen>,
    /// The numbers of `x` and of `y`, row by row; for a category or label, the index of its word in
    /// order of appearance; NaN for a missing value.
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) rows: usize,
    pub(super) kept: usize,
    #[cfg(feature = "csv")]
    pub(super) lines: u64,
}

/// What a pass has learned about the columns of a table.
#[derive(Debug)]
pub(in crate::data) struct FittedColumns {
    /// How to read further rows.
    pub(in crate::data) fitted: Fitted,
    /// What was learned about each column of `x`.
    learned: Vec<Learned>,
    /// The class names; `None` without a label.
    pub(in crate::data) classes: Option<Vec<String>>,
    /// For each column, the number of each word in order of appearance; empty without words.
    orders: Vec<Vec<f64>>,
}

impl FittedColumns {
    /// Fills the missing values of rows of these columns, and replaces the index of each word by its number.
    fn apply(&self, values: &mut [f64], columns: &[usize]) {
        for (place, &column) in columns.iter().enumerate() {
            let (fill, order) = (self.fitted.fills[column], &self.orders[column]);
            if fill.is_none() && order.is_empty() {
                continue;
            }
            for value in values.iter_mut().skip(place).step_by(columns.len()) {
                match fill {
                    Some(fill) if value.is_nan() => *value = fill,
                    _ if order.is_empty() => {}
                    _ => *value = order[*value as usize],
                }
            }
        }
    }
}

impl Scan {
    /// Creates a pass over a table with this header.
    pub(in crate::data) fn new(table: TableHeader, settings: ColumnSettings, keeps: bool) -> Result<Self> {
        let mut roles = settings.roles(&table)?;
        if let Some(like) = &settings.like {
            let wanted = |role: &Role| matches!(role, Role::Number | Role::Category);
            let mine: Vec<usize> = (0..table.count).filter(|&column| wanted(&roles[column])).collect();
            let names: Vec<&String> = mine.iter().filter_map(|&column| table.names.get(column)).collect();
            let width = like.learned.len();
            if mine.len() != width
                || (names.len() == width
                    && !like.columns.is_empty()
                    && !names.iter().copied().eq(&like.columns))
            {
                let show = |names: &[String], count| {
                    if names.is_empty() { format!("{count} columns") } else { names.join(", ") }
                };
                let found: Vec<String> = mine.iter().map(|&column| table.shown(column)).collect();
                return Err(FileError::Array {
                    path: table.path.clone(),
                    name: "x".into(),
                    expected: format!(
                        "the columns of the dataset passed to `like`: {}",
                        show(&like.columns, width)
                    ),
                    found: show(&found, found.len()),
                }
                .into());
            }
            for (&column, learned) in mine.iter().zip(&like.learned) {
                roles[column] = if learned.categories.is_some() { Role::Category } else { Role::Number };
            }
        }
        let readings = settings.readings(&table, &roles)?;
        let format = settings.format.unwrap_or_default();
        let is_plain = |(role, reading): (&Role, &ColumnReading)| {
            let is_number = matches!(role, Role::Number | Role::Target);
            is_number && reading.words.is_empty() && format == NumberFormat::default()
        };
        let plain = roles.iter().zip(&readings).map(is_plain).collect();
        let rules = ColumnRules { table, roles, readings, plain, format, settings, keeps };
        Ok(Scan { rows: rules.start(), rules })
    }

    /// Adds a row and returns whether it is kept.
    pub(in crate::data) fn row(&mut self, cells: &[TableCell], line: Option<NonZeroU64>) -> Result<bool> {
        self.rules.row(&mut self.rows, cells, line)
    }

    /// The number of rows that were kept.
    pub(in crate::data) fn kept(&self) -> usize {
        self.rows.kept
    }

    /// Allocates the numbers of this many rows; the operating system provides the pages when threads write to them.
    pub(in crate::data) fn allocate(&mut self, rows: usize) -> Result<()> {
        let (width, height) = widths(&self.rules.roles);
        for (values, width) in [(&mut self.rows.x, width), (&mut self.rows.y, height)] {
            let count = rows.saturating_mul(width);
            let fits = Vec::<f64>::new().try_reserve_exact(count);
            fits.map_err(|_| Error::TooLarge { shape: vec![rows, width] })?;
            let kept = std::mem::replace(values, vec![0.0; count]);
            let len = kept.len().min(count);
            values[..len].copy_from_slice(&kept[..len]);
        }
        Ok(())
    }

    /// Returns the dataset of everything read.
    pub(in crate::data) fn dataset(mut self) -> Result<Dataset> {
        let x_columns: Vec<usize> = self.rules.x_columns().collect();
        let y_columns: Vec<usize> = self.rules.y_columns().collect();
        let (width, height) = (x_columns.len(), y_columns.len());
        // What was allocated for rows that were dropped.
        self.rows.x.truncate(self.rows.kept * width);
        self.rows.y.truncate(self.rows.kept * height);
        if self.rules.settings.missing == Missing::Mean {
            self.sum();
        }
        let fit = self.fit()?;
        let (columns, targets) = (self.columns(), self.names(self.rules.y_columns()));
        let reading = |column: &usize| self.rules.readings[*column].clone();
        let settings = ReadSettings {
            #[cfg(feature = "csv")]
            format: self.rules.format,
            columns: x_columns.iter().chain(&y_columns).map(reading).collect(),
            #[cfg(feature = "csv")]
            encoding: Default::default(),
        };
        let ScannedRows { mut x, mut y, kept, .. } = self.rows;
        fit.apply(&mut x, &x_columns);
        fit.apply(&mut y, &y_columns);
        let shape = if height == 1 { vec![kept] } else { vec![kept, height] };
        let array = |shape: Vec<usize>, values| {
            ArrayD::from_shape_vec(IxDyn(&shape), values).map_err(|_| Error::TooLarge { shape })
        };
        Ok(Dataset {
            x: array(vec![kept, width], x)?,
            y: if height == 0 { None } else { Some(array(shape, y)?) },
            columns,
            targets,
            classes: fit.classes,
            learned: fit.learned,
            settings,
        })
    }

    /// Sums each column of numbers, in row order.
    fn sum(&mut self) {
        let rules = &self.rules;
        let numbers: Vec<(usize, usize)> = rules
            .x_columns()
            .enumerate()
            .filter(|(_, column)| rules.roles[*column] == Role::Number)
            .collect();
        let width = rules.x_columns().count();
        for row in self.rows.x.chunks_exact(width.max(1)) {
            for &(place, column) in &numbers {
                if !row[place].is_nan() {
                    self.rows.seen[column].sum += row[place];
                }
            }
        }
    }

    /// The names of the columns of `x`.
    pub(in crate::data) fn columns(&self) -> Vec<String> {
        self.names(self.rules.x_columns())
    }

    fn names(&self, columns: impl Iterator<Item = usize>) -> Vec<String> {
        columns.filter_map(|column| self.rules.table.names.get(column).cloned()).collect()
    }

    /// Learns how to read further rows.
    pub(in crate::data) fn fit(&self) -> Result<FittedColumns> {
        let count = self.rules.table.count;
        let fitted = Fitted {
            table: self.rules.table.clone(),
            roles: self.rules.roles.clone(),
            words: vec![HashMap::new(); count],
            fills: vec![None; count],
            readings: self.rules.readings.clone(),
            format: self.rules.format,
            numeric_label: false,
        };
        let orders = vec![Vec::new(); count];
        let mut fit = FittedColumns { fitted, learned: Vec::new(), classes: None, orders };
        let like = self.rules.settings.like.as_ref();
        for column in 0..count {
            match self.rules.roles[column] {
                Role::Label => {
                    let known =
                        like.and_then(|like| like.classes.as_ref()).filter(|classes| !classes.is_empty());
                    fit.classes = Some(self.fit_words(column, known, &mut fit)?);
                }
                role @ (Role::Number | Role::Category) => {
                    let known = like.and_then(|like| like.learned.get(fit.learned.len()));
                    let mut categories = None;
                    if role == Role::Category {
                        let known = known.and_then(|known| known.categories.as_ref());
                        categories = Some(self.fit_words(column, known, &mut fit)?);
                    }
                    let fill = match known.and_then(|known| known.fill) {
                        None => self.fill_value(column, &fit.orders[column])?,
                        known => known,
                    };
                    fit.fitted.fills[column] = fill;
                    fit.learned.push(Learned { categories, fill });
                }
                Role::Target | Role::Ignored => {}
            }
        }
        Ok(fit)
    }

    /// Learns the numbers of the words of a label or category, and returns the words in the order of their numbers: the
    /// known words, or else those of the column.
    fn fit_words(
        &self,
        column: usize,
        known: Option<&Vec<String>>,
        fit: &mut FittedColumns,
    ) -> Result<Vec<String>> {
        let (rules, seen, fitted) = (&self.rules, &self.rows.seen[column], &mut fit.fitted);
        let is_numeric = rules.roles[column] == Role::Label && !rules.readings[column].text;
        let words = known.cloned().unwrap_or_else(|| seen.sorted(is_numeric, rules.format));
        fitted.numeric_label |= is_numeric && numbers(&words, NumberFormat::default()).is_some();
        fitted.words[column] = words.iter().cloned().zip((0..).map(f64::from)).collect();
        fit.orders[column] = vec![0.0; seen.counts.len()];
        for (word, seen) in &seen.words {
            let cell = TableCell::Text(word);
            let unknown = || wrong(&rules.table, column, cell, seen.first, fitted.expected_words(column));
            fit.orders[column][seen.place] = fitted.place(column, cell).ok_or_else(unknown)?;
        }
        Ok(words)
    }

    /// Returns the replacement for missing values of a column of `x`, if it may have any.
    fn fill_value(&self, column: usize, order: &[f64]) -> Result<Option<f64>> {
        let seen = &self.rows.seen[column];
        let empty = || {
            let (row, line) = (0, None);
            let expected = "a column with at least one value, to replace the missing ones".into();
            wrong(&self.rules.table, column, TableCell::Missing, (row, line), expected)
        };
        if self.rules.roles[column] == Role::Category {
            let fills = !matches!(
                self.rules.settings.missing,
                Missing::Refuse | Missing::DropRow | Missing::Value(_)
            );
            let best = seen.counts.iter().zip(order).max_by(|a, b| a.0.cmp(b.0).then(b.1.total_cmp(a.1)));
            return match best {
                Some((_, &value)) if fills => Ok(Some(value)),
                None if fills && seen.missing => Err(empty()),
                _ => Ok(None),
            };
        }
        let fill = match self.rules.settings.missing {
            Missing::Refuse | Missing::DropRow => return Ok(None),
            Missing::Value(value) => return Ok(Some(value)),
            _ if seen.numbers == 0 => return if seen.missing { Err(empty()) } else { Ok(None) },
            Missing::Mean => seen.sum / seen.numbers as f64,
            Missing::Median | Missing::MostFrequent if !self.rules.keeps => {
                return Err(Error::argument(
                    "missing",
                    "Mean or Value, because a stream keeps no rows",
                    "median",
                ));
            }
            Missing::Median => median(&mut self.numbers(column)),
            Missing::MostFrequent => most_frequent(&mut self.numbers(column)),
        };
        Ok(Some(fill))
    }

    /// Returns the numbers of a column of `x` that are not missing.
    fn numbers(&self, column: usize) -> Vec<f64> {
        let place = self.rules.x_columns().take_while(|other| *other < column).count();
        let width = self.rules.x_columns().count();
        let all = self.rows.x.iter().skip(place).step_by(width.max(1));
        all.copied().filter(|value| !value.is_nan()).collect()
    }
}

impl ColumnRules {
    /// Creates empty statistics.
    pub(super) fn start(&self) -> ScannedRows {
        ScannedRows { seen: vec![Seen::default(); self.table.count], ..ScannedRows::default() }
    }

    /// The columns of `x`.
    fn x_columns(&self) -> impl Iterator<Item = usize> {
        self.columns_of(false)
    }

    /// The columns of `y`.
    fn y_columns(&self) -> impl Iterator<Item = usize> {
        self.columns_of(true)
    }

    /// The columns of `y`, or else of `x`.
    fn columns_of(&self, targets: bool) -> impl Iterator<Item = usize> {
        let roles = self.roles.iter().enumerate();
        roles.filter(move |(_, role)| role.is_column_of(targets)).map(|(column, _)| column)
    }

    /// Adds a row, and returns whether it is kept.
    pub(super) fn row(
        &self,
        rows: &mut ScannedRows,
        cells: &[TableCell],
        line: Option<NonZeroU64>,
    ) -> Result<bool> {
        let row = rows.rows;
        rows.rows += 1;
        let missing = |(column, cell): (usize, &TableCell)| {
            self.roles[column] != Role::Ignored && self.readings[column].known(*cell) == TableCell::Missing
        };
        if self.settings.missing == Missing::DropRow && cells.iter().enumerate().any(missing) {
            return Ok(false);
        }
        for (column, (&cell, role)) in cells.iter().zip(&self.roles).enumerate() {
            if *role == Role::Ignored {
                continue;
            }
            let value = self.value(&mut rows.seen[column], column, cell, (row, line))?;
            if self.keeps {
                if role.is_target() { rows.y.push(value) } else { rows.x.push(value) }
            }
        }
        rows.kept += 1;
        Ok(true)
    }

    /// The number of a cell; for a category or label, the index of its word in order of appearance.
    pub(super) fn value(
        &self,
        seen: &mut Seen,
        column: usize,
        cell: TableCell,
        at: (usize, Option<NonZeroU64>),
    ) -> Result<f64> {
        // Most cells are numbers, which need no lookup of words.
        if self.plain[column]
            && let TableCell::Number(number) = cell.plain()
            && !number.is_nan()
        {
            seen.number(number, !self.keeps);
            return Ok(number);
        }
        let (role, raw, cell) = (self.roles[column], cell, self.readings[column].known(cell));
        let must_be_there = matches!(
            (role, self.settings.missing),
            (Role::Label | Role::Target, _) | (_, Missing::Refuse) | (Role::Category, Missing::Value(_))
        );
        let value = match role {
            _ if cell == TableCell::Missing && !must_be_there => {
                seen.missing = true;
                Some(f64::NAN)
            }
            Role::Category | Role::Label if cell != TableCell::Missing => {
                Some(seen.word(&cell.word(), at) as f64)
            }
            _ => self.format.number(cell).inspect(|value| seen.number(*value, !self.keeps)),
        };
        value.ok_or_else(|| match cell {
            TableCell::Missing => missing(&self.table, column, raw, at, expected(role)),
            cell => wrong(&self.table, column, cell, at, expected(role)),
        })
    }
}
