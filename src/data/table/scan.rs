//! One pass over a table that learns what its columns need, and optionally keeps the numbers.

use std::collections::HashMap;
use std::num::NonZeroU64;

use ndarray::{ArrayD, IxDyn};

use super::cell::TableCell;
use super::columns::{ColumnSettings, Missing, Role, TableHeader, widths};
use super::fitted::{Fitted, expected, wrong};
use super::seen::{Seen, median, most_frequent, numbers};
use crate::data::Dataset;
use crate::data::dataset::Learned;
use crate::error::{Error, FileError, Result};
use crate::kernel;

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
    lines: u64,
}

/// A part of a table that is scanned independently.
pub(in crate::data) struct PartScan<'a> {
    rules: &'a ColumnRules,
    rows: ScannedRows,
}

/// The end of a part.
#[derive(Debug, Default)]
pub(in crate::data) struct PartEnd {
    /// The number of its lines.
    pub(in crate::data) lines: u64,
    /// The number of bytes that were read, if the rest is not a complete record.
    pub(in crate::data) cut: Option<usize>,
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
        let rules = ColumnRules { table, roles, settings, keeps };
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

    /// Sets the number of lines before the rows.
    #[cfg(feature = "csv")]
    pub(in crate::data) fn set_lines(&mut self, lines: u64) {
        self.rows.lines = lines;
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

    /// Scans parts of the rows on several threads, each by `feed`, and joins them in order. Returns the end and the
    /// index of the last part that was joined; a part with an incomplete record is the last.
    pub(in crate::data) fn parts<P: Sync>(
        &mut self,
        parts: &[P],
        feed: &(dyn Fn(&P, &mut PartScan) -> Result<PartEnd> + Sync),
    ) -> Result<(usize, PartEnd)> {
        let rules = &self.rules;
        let mut scanned: Vec<Option<(ScannedRows, Result<PartEnd>)>> = parts.iter().map(|_| None).collect();
        kernel::each_item(&mut scanned, &|index, scanned| {
            let mut part = PartScan { rules, rows: rules.start() };
            let end = feed(&parts[index], &mut part);
            *scanned = Some((part.rows, end));
        });
        let (width, height) = widths(&rules.roles);
        let (kept, mut joined) = (self.rows.kept, Vec::with_capacity(parts.len()));
        let mut last = (0, PartEnd::default());
        for (index, scanned) in scanned.into_iter().enumerate() {
            let Some((rows, end)) = scanned else { continue };
            let Ok(end) = end else {
                // Scan it again, with the row and line numbers of the whole file.
                let (rows, lines) = (self.rows.rows, self.rows.lines);
                let mut part = PartScan { rules, rows: ScannedRows { rows, lines, ..rules.start() } };
                return feed(&parts[index], &mut part).map(|end| (index, end));
            };
            joined.push(self.rows.join(rows, rules));
            self.rows.lines += end.lines;
            last = (index, end);
            if last.1.cut.is_some() {
                break;
            }
        }
        let (x, y) = joined.into_iter().unzip();
        append(&mut self.rows.x, kept * width, x);
        append(&mut self.rows.y, kept * height, y);
        Ok(last)
    }

    /// Returns the dataset of everything read.
    pub(in crate::data) fn dataset(mut self) -> Result<Dataset> {
        // What was allocated for rows that were dropped.
        let (width, height) = widths(&self.rules.roles);
        self.rows.x.truncate(self.rows.kept * width);
        self.rows.y.truncate(self.rows.kept * height);
        if self.rules.settings.missing == Missing::Mean {
            self.sum();
        }
        let mut orders = Vec::new();
        let (fitted, learned, classes) = self.fit(&mut orders)?;
        let (columns, targets) = (self.columns(), self.named(&Role::is_target));
        let ScannedRows { mut x, mut y, kept, .. } = self.rows;
        let (mut places, mut targets_seen) = (0, 0);
        for (column, role) in self.rules.roles.iter().enumerate().filter(|(_, role)| **role != Role::Ignored)
        {
            let (values, width, place) = match role.is_target() {
                true => (&mut y, height, &mut targets_seen),
                false => (&mut x, width, &mut places),
            };
            let (fill, order) = (fitted.fills[column], &orders[column]);
            if fill.is_some() || !order.is_empty() {
                for value in values.iter_mut().skip(*place).step_by(width) {
                    match fill {
                        Some(fill) if value.is_nan() => *value = fill,
                        _ if order.is_empty() => {}
                        _ => *value = order[*value as usize],
                    }
                }
            }
            *place += 1;
        }
        let shape = if height == 1 { vec![kept] } else { vec![kept, height] };
        let array = |shape: Vec<usize>, values| {
            ArrayD::from_shape_vec(IxDyn(&shape), values).map_err(|_| Error::TooLarge { shape })
        };
        Ok(Dataset {
            x: array(vec![kept, width], x)?,
            y: if height == 0 { None } else { Some(array(shape, y)?) },
            columns,
            targets,
            classes,
            learned,
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
        self.named(&|role| role != Role::Ignored && !role.is_target())
    }

    fn named(&self, wanted: &dyn Fn(Role) -> bool) -> Vec<String> {
        let columns = (0..self.rules.table.count).filter(|&column| wanted(self.rules.roles[column]));
        columns.filter_map(|column| self.rules.table.names.get(column).cloned()).collect()
    }

    /// Returns how to read further rows, what was learned about the columns of `x`, and the class names.
    pub(in crate::data) fn fit(
        &self,
        orders: &mut Vec<Vec<f64>>,
    ) -> Result<(Fitted, Vec<Learned>, Vec<String>)> {
        let count = self.rules.table.count;
        let mut fitted = Fitted {
            table: self.rules.table.clone(),
            roles: self.rules.roles.clone(),
            words: vec![HashMap::new(); count],
            fills: vec![None; count],
            missing_words: self.rules.settings.words.clone(),
            numeric_label: false,
        };
        let (mut learned, mut classes) = (Vec::new(), Vec::new());
        *orders = vec![Vec::new(); count];
        for (column, order) in orders.iter_mut().enumerate() {
            let (role, seen) = (self.rules.roles[column], &self.rows.seen[column]);
            let like = self.rules.settings.like.as_ref();
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
                    let cell = TableCell::Text(word);
                    let unknown =
                        || wrong(&self.rules.table, column, cell, seen.first, fitted.expected_words(column));
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
        let seen = &self.rows.seen[column];
        let empty = || {
            let (row, line) = (0, None);
            let expected = "a column with a value, to fill the others by".into();
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
                    "a mean or a value, as nothing is kept of a stream",
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
    fn start(&self) -> ScannedRows {
        ScannedRows { seen: vec![Seen::default(); self.table.count], ..ScannedRows::default() }
    }

    /// The columns of `x`.
    fn x_columns(&self) -> impl Iterator<Item = usize> {
        let roles = self.roles.iter().enumerate();
        roles.filter(|(_, role)| **role != Role::Ignored && !role.is_target()).map(|(column, _)| column)
    }

    /// Adds a row, and returns whether it is kept.
    fn row(&self, rows: &mut ScannedRows, cells: &[TableCell], line: Option<NonZeroU64>) -> Result<bool> {
        let row = rows.rows;
        rows.rows += 1;
        let words = &self.settings.words;
        let missing = |(cell, role): (&TableCell, &Role)| {
            *role != Role::Ignored && cell.known(words) == TableCell::Missing
        };
        if self.settings.missing == Missing::DropRow && cells.iter().zip(&self.roles).any(missing) {
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

    /// Whether a column has numbers, none of which means a missing value.
    pub(super) fn is_plain(&self, column: usize) -> bool {
        matches!(self.roles[column], Role::Number | Role::Target) && self.settings.words.is_empty()
    }

    /// The number of a cell; for a category or label, the index of its word in order of appearance.
    pub(super) fn value(
        &self,
        seen: &mut Seen,
        column: usize,
        cell: TableCell,
        at: (usize, Option<NonZeroU64>),
    ) -> Result<f64> {
        let (role, words) = (self.roles[column], &self.settings.words);
        // Most cells are numbers, which need no lookup of words.
        if self.is_plain(column)
            && let TableCell::Number(number) = cell.plain()
            && !number.is_nan()
        {
            seen.number(number, !self.keeps);
            return Ok(number);
        }
        let cell = cell.known(words);
        let may_miss = match (role, self.settings.missing) {
            (Role::Label | Role::Target, _) | (_, Missing::Refuse) => false,
            (Role::Category, Missing::Value(_)) => false,
            _ => true,
        };
        let value = match role {
            _ if cell == TableCell::Missing && may_miss => {
                seen.missing = true;
                Some(f64::NAN)
            }
            Role::Category | Role::Label if cell != TableCell::Missing => {
                Some(seen.word(&cell.word(), at) as f64)
            }
            _ => cell.number().inspect(|value| seen.number(*value, !self.keeps)),
        };
        value.ok_or_else(|| wrong(&self.table, column, cell, at, expected(role)))
    }
}

impl ScannedRows {
    /// Adds the statistics of the next rows, and returns their numbers.
    fn join(&mut self, mut part: ScannedRows, rules: &ColumnRules) -> (Vec<f64>, Vec<f64>) {
        let (mut places, mut targets) = (0, 0);
        let (width, height) = widths(&rules.roles);
        for (column, role) in rules.roles.iter().enumerate().filter(|(_, role)| **role != Role::Ignored) {
            let (values, width, place) = match role.is_target() {
                true => (&mut part.y, height, &mut targets),
                false => (&mut part.x, width, &mut places),
            };
            let order = self.seen[column].join(std::mem::take(&mut part.seen[column]), self.rows, self.lines);
            if order.iter().enumerate().any(|(before, after)| before != *after) {
                for value in values.iter_mut().skip(*place).step_by(width).filter(|value| !value.is_nan()) {
                    *value = order[*value as usize] as f64;
                }
            }
            *place += 1;
        }
        self.rows += part.rows;
        self.kept += part.kept;
        (part.x, part.y)
    }
}

/// Writes numbers from `start` on, one part on a thread.
fn append(all: &mut Vec<f64>, start: usize, parts: Vec<Vec<f64>>) {
    let end = start + parts.iter().map(Vec::len).sum::<usize>();
    if all.len() < end {
        if all.capacity() < end {
            // Grow by an eighth, as doubling would exceed the memory that the file warrants.
            all.reserve_exact(end - all.len() + all.len() / 8);
        }
        all.resize(end, 0.0);
    }
    let mut rest = &mut all[start..end];
    let mut to = Vec::with_capacity(parts.len());
    for part in parts {
        let (front, back) = rest.split_at_mut(part.len());
        to.push((front, part));
        rest = back;
    }
    kernel::each_item(&mut to, &|_, (to, part)| to.copy_from_slice(part));
}

impl PartScan<'_> {
    /// Scans a row.
    pub(in crate::data) fn row(&mut self, cells: &[TableCell], line: Option<NonZeroU64>) -> Result<bool> {
        self.rules.row(&mut self.rows, cells, line)
    }

    /// The number of lines known to precede the part.
    #[cfg(feature = "csv")]
    pub(in crate::data) fn lines(&self) -> u64 {
        self.rows.lines
    }
}
