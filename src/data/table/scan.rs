//! One pass over a table that learns what its columns need, and optionally keeps the numbers.

use std::collections::HashMap;
use std::num::NonZeroU64;

use ndarray::{ArrayD, IxDyn};

use super::cell::Cell;
use super::columns::{ColumnSettings, Header, Missing, Role};
use super::fitted::{Fitted, expected, wrong};
use super::seen::{Seen, median, most_frequent, numbers};
use crate::data::Dataset;
use crate::data::dataset::Learned;
use crate::error::{Error, FileError, Result};

/// The state of a pass.
#[derive(Debug)]
pub(in crate::data) struct Scan {
    table: Header,
    roles: Vec<Role>,
    settings: ColumnSettings,
    seen: Vec<Seen>,
    /// Whether the numbers are kept.
    keeps: bool,
    /// The numbers of all columns that are not ignored, row by row; for a category or label, the index of its word in
    /// order of appearance; NaN for a missing value.
    values: Vec<f64>,
    rows: usize,
    kept: usize,
}

impl Scan {
    /// Creates a pass over a table with this header.
    pub(in crate::data) fn new(table: Header, settings: ColumnSettings, keeps: bool) -> Result<Self> {
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
                        "the columns of the dataset it is to be like: {}",
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
        let seen = vec![Seen::default(); table.count];
        Ok(Scan { table, roles, settings, seen, keeps, values: Vec::new(), rows: 0, kept: 0 })
    }

    /// Adds a row and returns whether it is kept.
    pub(in crate::data) fn row(&mut self, cells: &[Cell], line: Option<NonZeroU64>) -> Result<bool> {
        let row = self.rows;
        self.rows += 1;
        let words = &self.settings.words;
        let missing =
            |(cell, role): (&Cell, &Role)| *role != Role::Ignored && cell.known(words) == Cell::Missing;
        if self.settings.missing == Missing::DropRow && cells.iter().zip(&self.roles).any(missing) {
            return Ok(false);
        }
        for (column, (cell, &role)) in cells.iter().zip(&self.roles).enumerate() {
            let cell = cell.known(&self.settings.words);
            let may_miss = match (role, self.settings.missing) {
                (Role::Ignored, _) => continue,
                (Role::Label | Role::Target, _) | (_, Missing::Refuse) => false,
                (Role::Category, Missing::Value(_)) => false,
                _ => true,
            };
            let seen = &mut self.seen[column];
            let value = match role {
                _ if cell == Cell::Missing && may_miss => {
                    seen.missing = true;
                    Some(f64::NAN)
                }
                Role::Category | Role::Label if cell != Cell::Missing => {
                    Some(seen.word(&cell.word(), (row, line)) as f64)
                }
                _ => cell.number().inspect(|value| {
                    seen.sum += value;
                    seen.numbers += 1;
                }),
            };
            let Some(value) = value else {
                return Err(wrong(&self.table, column, cell, (row, line), expected(role)));
            };
            if self.keeps {
                self.values.push(value);
            }
        }
        self.kept += 1;
        Ok(true)
    }

    /// Returns the dataset of everything read.
    pub(in crate::data) fn dataset(self) -> Result<Dataset> {
        let rows = self.kept;
        let mut orders = Vec::new();
        let (fitted, learned, classes) = self.fit(&mut orders)?;
        let (width, height) = fitted.widths();
        let (mut x, mut y) = (Vec::with_capacity(width * rows), Vec::with_capacity(height * rows));
        let roles: Vec<(usize, Role)> =
            self.roles.iter().copied().enumerate().filter(|(_, role)| *role != Role::Ignored).collect();
        for row in self.values.chunks_exact(roles.len().max(1)) {
            for (&value, &(column, role)) in row.iter().zip(&roles) {
                let value = match fitted.fills[column] {
                    Some(fill) if value.is_nan() => fill,
                    _ if orders[column].is_empty() => value,
                    _ => orders[column][value as usize],
                };
                if matches!(role, Role::Label | Role::Target) { y.push(value) } else { x.push(value) }
            }
        }
        let shape = if height == 1 { vec![rows] } else { vec![rows, height] };
        let array = |shape: Vec<usize>, values| {
            ArrayD::from_shape_vec(IxDyn(&shape), values).map_err(|_| Error::TooLarge { shape })
        };
        Ok(Dataset {
            x: array(vec![rows, width], x)?,
            y: if height == 0 { None } else { Some(array(shape, y)?) },
            columns: self.columns(),
            targets: self.named(&|role| matches!(role, Role::Label | Role::Target)),
            classes,
            learned,
        })
    }

    /// The names of the columns of `x`.
    pub(in crate::data) fn columns(&self) -> Vec<String> {
        self.named(&|role| matches!(role, Role::Number | Role::Category))
    }

    fn named(&self, wanted: &dyn Fn(Role) -> bool) -> Vec<String> {
        let columns = (0..self.table.count).filter(|&column| wanted(self.roles[column]));
        columns.filter_map(|column| self.table.names.get(column).cloned()).collect()
    }

    /// Returns how to read further rows, what was learned about the columns of `x`, and the class names.
    pub(in crate::data) fn fit(
        &self,
        orders: &mut Vec<Vec<f64>>,
    ) -> Result<(Fitted, Vec<Learned>, Vec<String>)> {
        let count = self.table.count;
        let mut fitted = Fitted {
            table: self.table.clone(),
            roles: self.roles.clone(),
            words: vec![HashMap::new(); count],
            fills: vec![None; count],
            missing_words: self.settings.words.clone(),
            numeric_label: false,
        };
        let (mut learned, mut classes) = (Vec::new(), Vec::new());
        *orders = vec![Vec::new(); count];
        for (column, order) in orders.iter_mut().enumerate() {
            let (role, seen) = (self.roles[column], &self.seen[column]);
            let like = self.settings.like.as_ref();
            let known = match role {
                Role::Label => like.map(|like| &like.classes).filter(|classes| !classes.is_empty()),
                _ => like.and_then(|like| like.learned.get(learned.len())?.categories.as_ref()),
            };
            let mut sorted = Vec::new();
            if let Role::Label | Role::Category = role {
                sorted = known.cloned().unwrap_or_else(|| seen.sorted(role == Role::Label));
                let numeric = role == Role::Label && numbers(&sorted).is_some();
                fitted.numeric_label |= numeric;
                fitted.words[column] = sorted.iter().cloned().zip((0..).map(f64::from)).collect();
                *order = vec![0.0; seen.counts.len()];
                for (word, seen) in &seen.words {
                    let cell = Cell::Text(word);
                    let unknown =
                        || wrong(&self.table, column, cell, seen.first, fitted.expected_words(column));
                    order[seen.place] = fitted.place(column, cell).ok_or_else(unknown)?;
                }
            }
            match role {
                Role::Label => classes = sorted,
                Role::Number | Role::Category => {
                    let learned_fill = like.and_then(|like| like.learned.get(learned.len())?.fill);
                    let fill = if learned_fill.is_some() { learned_fill } else { self.fill(column, order)? };
                    fitted.fills[column] = fill;
                    let categories = (role == Role::Category).then_some(sorted);
                    learned.push(Learned { categories, fill });
                }
                _ => {}
            }
        }
        Ok((fitted, learned, classes))
    }

    /// Returns the replacement for missing values of a column of `x`, if it may have any.
    fn fill(&self, column: usize, order: &[f64]) -> Result<Option<f64>> {
        let seen = &self.seen[column];
        let empty = || {
            let (row, line) = (0, None);
            let expected = "a column with a value, to fill the others by".into();
            wrong(&self.table, column, Cell::Missing, (row, line), expected)
        };
        if self.roles[column] == Role::Category {
            let fills =
                !matches!(self.settings.missing, Missing::Refuse | Missing::DropRow | Missing::Value(_));
            let best = seen.counts.iter().zip(order).max_by(|a, b| a.0.cmp(b.0).then(b.1.total_cmp(a.1)));
            return match best {
                Some((_, &value)) if fills => Ok(Some(value)),
                None if fills && seen.missing => Err(empty()),
                _ => Ok(None),
            };
        }
        let fill = match self.settings.missing {
            Missing::Refuse | Missing::DropRow => return Ok(None),
            Missing::Value(value) => return Ok(Some(value)),
            _ if seen.numbers == 0 => return if seen.missing { Err(empty()) } else { Ok(None) },
            Missing::Mean => seen.sum / seen.numbers as f64,
            Missing::Median | Missing::MostFrequent if !self.keeps => {
                return Err(Error::argument(
                    "missing",
                    "a mean or a value, as nothing is kept of a stream",
                    "median",
                ));
            }
            Missing::Median => median(&mut self.numbers(column)),
            Missing::MostFrequent => most_frequent(&mut self.numbers(column)),
        };
        Ok(Some(fill))
    }

    /// Returns the numbers of a column that are not missing.
    fn numbers(&self, column: usize) -> Vec<f64> {
        let used = |roles: &[Role]| roles.iter().filter(|role| **role != Role::Ignored).count();
        let (place, width) = (used(&self.roles[..column]), used(&self.roles));
        let all = self.values.iter().skip(place).step_by(width.max(1));
        all.copied().filter(|value| !value.is_nan()).collect()
    }
}
