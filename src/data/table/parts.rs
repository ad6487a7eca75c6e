//! Rows of a file that is split into parts, which are scanned on several threads.

use std::num::NonZeroU64;

use super::cell::TableCell;
use super::columns::{Role, widths};
use super::scan::{ColumnRules, Scan, ScannedRows};
use crate::error::Result;
use crate::kernel;

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
    /// Sets the number of lines before the rows.
    pub(in crate::data) fn set_lines(&mut self, lines: u64) {
        self.rows.lines = lines;
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
            all.reserve_exact((end - all.len()).max(all.len() / 8));
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
    pub(in crate::data) fn lines(&self) -> u64 {
        self.rows.lines
    }
}
