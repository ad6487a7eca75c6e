//! Rows of a file that holds its columns one after another, encoded column by column on several threads.

use std::borrow::Cow;

use super::cell::TableCell;
use super::columns::{Missing, Role};
use super::scan::{ColumnRules, Scan};
use super::seen::Seen;
use crate::error::{Error, Result};
use crate::kernel;

/// The number of rows that a thread transposes, and the number of rows of a tile, which fits in its cache.
const PART: usize = 1 << 11;
const TILE: usize = 1 << 6;

/// Consecutive rows of a table.
pub(in crate::data) trait ColumnBlock: Sync {
    fn rows(&self) -> usize;

    /// The numbers of a column, NaN where missing, unless it has flags or texts.
    fn numbers(&self, column: usize) -> Option<&[f64]>;

    fn cell(&self, row: usize, column: usize) -> TableCell<'_>;
}

/// The error of a row of a block.
struct RowError {
    row: usize,
    error: Error,
}

/// A column of a block, as numbers.
struct Encoded<'a> {
    column: usize,
    role: Role,
    seen: &'a mut Seen,
    values: Result<Cow<'a, [f64]>, Box<RowError>>,
}

impl Scan {
    /// Adds the rows of a block to the allocated ones.
    pub(in crate::data) fn block(&mut self, block: &dyn ColumnBlock) -> Result<()> {
        let Scan { rules, rows } = self;
        let kept = rules.kept(block);
        let (before, count) = (rows.rows, kept.as_ref().map_or(block.rows(), Vec::len));
        let columns = rows.seen.iter_mut().zip(&rules.roles).enumerate();
        let mut columns: Vec<Encoded> = columns
            .filter(|(_, (_, role))| **role != Role::Ignored)
            .map(|(column, (seen, &role))| Encoded { column, role, seen, values: Ok(Cow::default()) })
            .collect();
        kernel::each_item(&mut columns, &|_, encoded| {
            let Encoded { column, seen, .. } = encoded;
            encoded.values = rules.encode(block, *column, kept.as_deref(), seen, before);
        });
        // Report the error of the first row, as if rows were encoded one by one.
        let mut values: Vec<(Role, Cow<[f64]>)> = Vec::with_capacity(columns.len());
        let mut first: Option<Box<RowError>> = None;
        for Encoded { role, values: encoded, .. } in columns {
            match encoded {
                Ok(encoded) => values.push((role, encoded)),
                Err(error) if first.as_ref().is_some_and(|first| first.row <= error.row) => {}
                Err(error) => first = Some(error),
            }
        }
        if let Some(first) = first {
            return Err(first.error);
        }
        for (to, targets) in [(&mut rows.x, false), (&mut rows.y, true)] {
            let columns: Vec<&[f64]> = values
                .iter()
                .filter(|(role, _)| role.is_column_of(targets))
                .map(|(_, values)| &**values)
                .collect();
            let (start, len) = (rows.kept * columns.len(), count * columns.len());
            let part = PART * columns.len().max(1);
            let mut parts: Vec<&mut [f64]> = to[start..start + len].chunks_mut(part).collect();
            kernel::each_item(&mut parts, &|index, to| transpose(&columns, index * PART, to));
        }
        rows.rows += block.rows();
        rows.kept += count;
        Ok(())
    }
}

impl ColumnRules {
    /// The rows without a missing value, if only these are kept.
    fn kept(&self, block: &dyn ColumnBlock) -> Option<Vec<usize>> {
        let used = |row: usize| {
            let columns = (0..self.roles.len()).filter(|column| self.roles[*column] != Role::Ignored);
            columns.map(move |column| self.readings[column].known(block.cell(row, column)))
        };
        let is_whole = |row: &usize| used(*row).all(|cell| cell != TableCell::Missing);
        let drops = self.settings.missing == Missing::DropRow;
        drops.then(|| (0..block.rows()).filter(is_whole).collect())
    }

    /// The numbers of a column, or the first of its rows that has none.
    fn encode<'a>(
        &self,
        block: &'a dyn ColumnBlock,
        column: usize,
        kept: Option<&[usize]>,
        seen: &mut Seen,
        before: usize,
    ) -> Result<Cow<'a, [f64]>, Box<RowError>> {
        if kept.is_none()
            && self.plain[column]
            && let Some(numbers) = block.numbers(column)
            && !numbers.iter().any(|number| number.is_nan())
        {
            numbers.iter().for_each(|number| seen.number(*number, !self.keeps));
            return Ok(Cow::Borrowed(numbers));
        }
        let mut value = |row: usize| {
            let value = self.value(seen, column, block.cell(row, column), (before + row, None));
            value.map_err(|error| Box::new(RowError { row, error }))
        };
        match kept {
            Some(kept) => kept.iter().map(|&row| value(row)).collect(),
            None => (0..block.rows()).map(&mut value).collect(),
        }
    }
}

/// Writes the rows of these columns from row `start` on.
fn transpose(columns: &[&[f64]], start: usize, to: &mut [f64]) {
    let width = columns.len();
    for (tile, to) in to.chunks_mut(TILE * width).enumerate() {
        for (place, column) in columns.iter().enumerate() {
            let values = &column[start + tile * TILE..];
            for (row, value) in to.chunks_exact_mut(width).zip(values) {
                row[place] = *value;
            }
        }
    }
}
