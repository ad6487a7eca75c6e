//! An open file: which of its columns are read, and its rows as cells.

use std::path::Path;

use crate::data::table::{Cell, Column as Chosen, ColumnSettings, Header, Scan};
use crate::error::{FileError, Result};
use crate::files::budget::Budget;
use crate::files::input::Input;
use crate::files::parquet::{Column, Footer, Item, Kind, Leaf};

/// An open file, and what is to become of its columns.
#[derive(Debug)]
pub(super) struct Table {
    input: Input<'static>,
    footer: Footer,
    budget: Budget,
    header: Header,
    settings: ColumnSettings,
    /// Which columns are read.
    used: Vec<bool>,
}

/// What is kept of a row's cells while they are read, as a column's page may be left before the row is handed on.
#[derive(Debug, Clone)]
enum Held {
    Text(String),
    Flag(bool),
    Number(f64),
    Missing,
}

impl Table {
    /// Reads the end of the file.
    pub(super) fn open(path: &Path, settings: &ColumnSettings) -> Result<Self> {
        let input = Input::open(path)?;
        // As for archives: what deflate could unpack a file to.
        let most = input.len().saturating_mul(1040).saturating_add(1 << 26);
        let budget = Budget::bytes(usize::try_from(most).unwrap_or(usize::MAX));
        let footer = Footer::read(&input, &budget)?;
        let mut settings = settings.clone();
        for (place, leaf) in footer.leaves.iter().enumerate() {
            if leaf.kind == Kind::Text {
                settings.categorical.push(Chosen::At(place));
            }
            if is_index(&leaf.name) {
                settings.ignored.push(Chosen::At(place));
            }
        }
        let names: Vec<String> = footer.leaves.iter().map(|leaf| leaf.name.clone()).collect();
        let header = Header { path: input.name().into(), count: names.len(), names };
        let used = settings.used(&header)?;
        let table = Table { input, footer, budget, header, settings, used };
        for (leaf, _) in table.footer.leaves.iter().zip(&table.used).filter(|(_, used)| **used) {
            if let Kind::Other(what) = leaf.kind {
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
        self.input.name()
    }

    /// Creates a pass over the columns, and bounds the numbers that it may keep by the size of the file.
    pub(super) fn scan(&self, keeps: bool) -> Result<Scan> {
        let used = self.used.iter().filter(|used| **used).count();
        let numbers = used.saturating_mul(self.footer.rows);
        // In memory twice, as read and as arrays; otherwise in a file, which is bounded too.
        let fits = match keeps {
            true => self.budget.take_many::<[f64; 2]>(numbers).is_ok(),
            false => numbers.saturating_mul(size_of::<f64>()) <= self.budget.left(),
        };
        if !fits {
            let rows = self.footer.rows;
            let problem = format!(
                "{rows} rows of {used} columns, which take more than 1040 times the file's size and 64 MiB"
            );
            return Err(self.input.damaged("its end", problem));
        }
        Scan::new(self.header.clone(), self.settings.clone(), keeps)
    }

    /// Passes the cells of each row to `f`, in order.
    pub(super) fn each(&self, f: &mut dyn FnMut(&[Cell]) -> Result<()>) -> Result<()> {
        let mut held = vec![Held::Missing; self.used.len()];
        for (group, rows) in self.footer.groups.iter().map(|group| group.rows).enumerate() {
            let mut columns = Vec::new();
            for (column, _) in self.used.iter().enumerate().filter(|(_, used)| **used) {
                columns.push((column, Column::new(&self.input, &self.budget, &self.footer, group, column)?));
            }
            for row in 0..rows {
                for (column, values) in &mut columns {
                    let leaf = &self.footer.leaves[*column];
                    hold(&mut held[*column], leaf, values.next()?).map_err(|found| {
                        let row =
                            self.footer.groups[..group].iter().map(|group| group.rows).sum::<usize>() + row;
                        let (path, column) = (self.name().into(), leaf.name.clone());
                        let expected = "text in UTF-8".into();
                        FileError::Value { path, row, line: None, column, expected, found: found.into() }
                    })?;
                }
                let cells: Vec<Cell> = held.iter().map(Held::cell).collect();
                f(&cells)?;
            }
        }
        Ok(())
    }
}

/// Stores a value, reusing the memory of the previous one if possible.
fn hold(held: &mut Held, leaf: &Leaf, item: Option<Item>) -> std::result::Result<(), &'static str> {
    *held = match (leaf.kind, item) {
        (_, None) => Held::Missing,
        (Kind::Text, Some(Item::Bytes(bytes))) => {
            let text = std::str::from_utf8(bytes).map_err(|_| "other bytes")?;
            if let Held::Text(held) = held {
                held.clear();
                held.push_str(text);
                return Ok(());
            }
            Held::Text(text.into())
        }
        (Kind::Bool, Some(Item::Bool(flag))) => Held::Flag(flag),
        (_, Some(item)) => Held::Number(leaf.number(item).ok_or("bytes of another kind")?),
    };
    Ok(())
}

impl Held {
    fn cell(&self) -> Cell<'_> {
        match self {
            Held::Text(text) => Cell::Word(text),
            Held::Flag(true) => Cell::Text("True"),
            Held::Flag(false) => Cell::Text("False"),
            Held::Number(number) => Cell::Number(*number),
            Held::Missing => Cell::Missing,
        }
    }
}

/// Whether pandas has written a frame's index there.
fn is_index(name: &str) -> bool {
    let level = name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
    level.is_some_and(|level| level.parse::<usize>().is_ok())
}
