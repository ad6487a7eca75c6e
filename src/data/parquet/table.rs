//! An open file: which of its columns are read, and its rows as cells.

use std::path::Path;
use std::sync::Arc;

use crate::data::table::{Column, ColumnBlock, ColumnSettings, Scan, TableCell, TableHeader};
use crate::error::{Error, FileError, Result};
use crate::files::budget::Budget;
use crate::files::input::Input;
use crate::files::parquet::{ChunkReader, ColumnKind, Footer, ParquetFile, Values};
use crate::kernel;

/// The number of rows that are decoded at a time.
const BLOCK: usize = 1 << 14;

/// An open file, and the columns to read.
#[derive(Debug)]
pub(super) struct Table {
    file: Arc<ParquetFile>,
    footer: Footer,
    header: TableHeader,
    settings: ColumnSettings,
    /// Whether each column is read.
    used: Vec<bool>,
}

/// A block of rows.
pub(super) struct Block {
    pub(super) rows: usize,
    /// One per column; `None` for columns that are not read.
    columns: Vec<Option<Values>>,
}

/// A column whose blocks are being read.
struct Reading {
    index: usize,
    column: ChunkReader,
    values: Result<Option<Values>>,
}

impl Table {
    /// Opens the file and reads its footer.
    pub(super) fn open(path: &Path, settings: &ColumnSettings) -> Result<Self> {
        let input = Input::open(path)?;
        // As for archives: the maximum to which deflate could expand the file.
        let most = input.len().saturating_mul(1040).saturating_add(1 << 26);
        let budget = Budget::bytes(usize::try_from(most).unwrap_or(usize::MAX));
        let file = Arc::new(ParquetFile { input, budget });
        let footer = Footer::read(&file)?;
        let mut settings = settings.clone();
        for column in std::mem::take(&mut settings.ignored) {
            settings.ignored.extend(leaves_of(&footer, column));
        }
        for (place, leaf) in footer.leaves.iter().enumerate() {
            if leaf.kind == ColumnKind::Text {
                settings.categorical.push(Column::At(place));
            }
            if is_index(&leaf.name) {
                settings.ignored.push(Column::At(place));
            }
        }
        let names: Vec<String> = footer.leaves.iter().map(|leaf| leaf.name.clone()).collect();
        let header = TableHeader { path: file.input.name().into(), count: names.len(), names };
        let used = settings.used(&header)?;
        let table = Table { file, footer, header, settings, used };
        for (leaf, _) in table.footer.leaves.iter().zip(&table.used).filter(|(_, used)| **used) {
            if let ColumnKind::Other(what) = leaf.kind {
                return Err(FileError::Array {
                    path: table.name().into(),
                    name: leaf.name.clone(),
                    expected: "numbers, booleans or texts; `ignore` leaves a column out".into(),
                    found: what.into(),
                }
                .into());
            }
        }
        Ok(table)
    }

    pub(super) fn name(&self) -> &str {
        self.file.input.name()
    }

    /// Creates a pass over the columns, and bounds the numbers that it may keep by the size of the file.
    pub(super) fn scan(&self, keeps: bool) -> Result<Scan> {
        let used = self.used.iter().filter(|used| **used).count();
        let numbers = used.saturating_mul(self.footer.rows);
        // In memory, include a block and room to grow; in a scratch file, the size is limited too.
        let fits = match keeps {
            true => self.file.budget.take_many::<[f64; 2]>(numbers).is_ok(),
            false => numbers.saturating_mul(size_of::<f64>()) <= self.file.budget.left(),
        };
        if !fits {
            let rows = self.footer.rows;
            let problem = format!(
                "{rows} rows of {used} columns, which take more than 1040 times the file's size and 64 MiB"
            );
            return Err(self.file.input.damaged("its end", problem));
        }
        Scan::new(self.header.clone(), self.settings.clone(), keeps)
    }

    /// Scans all rows, on several threads.
    pub(super) fn read(&self, scan: &mut Scan) -> Result<()> {
        self.blocks(&mut |block| {
            if scan.kept() == 0 {
                scan.allocate(self.footer.rows)?;
            }
            scan.block(block)
        })
    }

    /// Passes the cells of each row to `f`, in order.
    pub(super) fn each(&self, f: &mut dyn FnMut(&[TableCell]) -> Result<()>) -> Result<()> {
        self.blocks(&mut |block| {
            let mut cells = Vec::with_capacity(block.columns.len());
            (0..block.rows).try_for_each(|row| {
                cells.clear();
                cells.extend((0..block.columns.len()).map(|column| block.cell(row, column)));
                f(&cells)
            })
        })
    }

    /// Passes the rows on in blocks, whose columns are decoded on several threads.
    fn blocks(&self, f: &mut dyn FnMut(&Block) -> Result<()>) -> Result<()> {
        let mut before = 0;
        for (group, rows) in self.footer.groups.iter().map(|group| group.rows).enumerate() {
            let mut columns = Vec::new();
            for (index, _) in self.used.iter().enumerate().filter(|(_, used)| **used) {
                let column = ChunkReader::new(&self.file, &self.footer, group, index)?;
                columns.push(Reading { index, column, values: Ok(None) });
            }
            for start in (0..rows).step_by(BLOCK) {
                let count = BLOCK.min(rows - start);
                kernel::each_item(&mut columns, &|_, reading| {
                    let values = reading.column.read(count);
                    let row = before + start;
                    reading.values =
                        values.and_then(|values| self.check(reading.index, row, values).map(Some));
                });
                let mut block = Block { rows: count, columns: self.used.iter().map(|_| None).collect() };
                for reading in &mut columns {
                    block.columns[reading.index] = std::mem::replace(&mut reading.values, Ok(None))?;
                }
                f(&block)?;
            }
            before += rows;
        }
        Ok(())
    }

    /// Checks that strings are valid UTF-8.
    fn check(&self, column: usize, before: usize, values: Values) -> Result<Values> {
        if let Values::Texts(texts) = &values {
            let wrong = |text: &Option<_>| text.as_ref().is_some_and(|text| text_of(text).is_none());
            if let Some(row) = texts.iter().position(wrong) {
                let (path, column) = (self.name().into(), self.footer.leaves[column].name.clone());
                let (expected, found) = ("text in UTF-8".into(), "other bytes".into());
                let wrong = FileError::Value { path, row: before + row, line: None, column, expected, found };
                return Err(Error::from(wrong));
            }
        }
        Ok(values)
    }
}

impl ColumnBlock for Block {
    fn rows(&self) -> usize {
        self.rows
    }

    fn numbers(&self, column: usize) -> Option<&[f64]> {
        match &self.columns[column] {
            Some(Values::Numbers(numbers)) => Some(numbers),
            _ => None,
        }
    }

    fn cell(&self, row: usize, column: usize) -> TableCell<'_> {
        match &self.columns[column] {
            Some(Values::Numbers(numbers)) => TableCell::Number(numbers[row]),
            Some(Values::Flags(flags)) => match flags[row] {
                Some(true) => TableCell::Text("True"),
                Some(false) => TableCell::Text("False"),
                None => TableCell::Missing,
            },
            Some(Values::Texts(texts)) => {
                texts[row].as_ref().and_then(text_of).map_or(TableCell::Missing, TableCell::Word)
            }
            None => TableCell::Missing,
        }
    }
}

fn text_of(text: &parquet::data_type::ByteArray) -> Option<&str> {
    std::str::from_utf8(text.data()).ok()
}

/// The columns of a list or struct of this name, or else the column itself.
fn leaves_of(footer: &Footer, column: Column) -> Vec<Column> {
    let Column::Name(name) = &column else { return vec![column] };
    let is_within = |leaf: &str| leaf.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'));
    if footer.leaves.iter().any(|leaf| leaf.name == *name) {
        return vec![column];
    }
    let places = (0..footer.leaves.len()).filter(|&place| is_within(&footer.leaves[place].name));
    let places: Vec<Column> = places.map(Column::At).collect();
    if places.is_empty() { vec![column] } else { places }
}

/// Whether the name is that of a pandas index.
fn is_index(name: &str) -> bool {
    let level = name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
    level.is_some_and(|level| level.parse::<usize>().is_ok())
}
