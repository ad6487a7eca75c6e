//! A column of a group of rows, value by value; a page of it, and its dictionary, are in memory.

use super::footer::{Chunk, Footer};
use super::page::{self, Head};
use super::runs::Runs;
use super::values::{Dictionary, Values};
use super::{Found, Item, Leaf};
use crate::error::{Error, Result};
use crate::files::budget::Budget;
use crate::files::input::Input;

/// The encodings of levels.
const RUNS: i64 = 3;

/// What is still to be read of a column of a group.
#[derive(Debug)]
pub(crate) struct Column<'a> {
    input: &'a Input<'a>,
    budget: &'a Budget,
    leaf: &'a Leaf,
    chunk: Chunk,
    group: usize,
    /// Where the next page begins.
    at: u64,
    /// How many values of the page are left.
    left: u64,
    page: Vec<u8>,
    /// Which values are there, where some may be missing.
    levels: Option<Runs>,
    values: Values,
    dictionary: Option<Dictionary>,
}

impl<'a> Column<'a> {
    /// For this column of this group.
    pub(crate) fn new(
        input: &'a Input<'a>,
        budget: &'a Budget,
        footer: &'a Footer,
        group: usize,
        column: usize,
    ) -> Result<Self> {
        let (leaf, chunk) = (&footer.leaves[column], footer.groups[group].chunks[column]);
        let (page, levels, values) = (Vec::new(), None, Values::Plain(0));
        let at = chunk.start;
        let column =
            Column { input, budget, leaf, chunk, group, at, left: 0, page, levels, values, dictionary: None };
        if chunk.values != footer.groups[group].rows as u64 {
            let (found, expected) = (chunk.values, footer.groups[group].rows);
            return Err(column.fault(format!("{found} values for {expected} rows")));
        }
        Ok(column)
    }

    /// The next value; none where it is missing.
    pub(crate) fn next(&mut self) -> Result<Option<Item<'_>>> {
        while self.left == 0 {
            self.turn()?;
        }
        self.left -= 1;
        if let Some(levels) = &mut self.levels {
            match levels.next(&self.page) {
                Ok(level) if level == self.leaf.most => {}
                Ok(_) => return Ok(None),
                Err(problem) => return Err(self.fault(problem)),
            }
        }
        // Borrowed by parts, so that a fault may be told by what is left.
        let Column { values, page, leaf, dictionary, input, group, .. } = self;
        let item = values.next(page, leaf.physical, dictionary.as_ref());
        item.map(Some).map_err(|problem| input.damaged(place(*group, leaf), problem))
    }

    /// Goes to the next page.
    fn turn(&mut self) -> Result<()> {
        let place = place(self.group, self.leaf);
        if self.at >= self.chunk.start + self.chunk.len {
            return Err(self.fault("fewer values than rows"));
        }
        let (head, start) = page::head(self.input, &place, self.at, &self.chunk)?;
        self.at = head.end(start);
        if !matches!(head.kind, page::DATA | page::DATA_2 | page::DICTIONARY) {
            // An index, which is not needed.
            return Ok(());
        }
        self.budget.give(std::mem::take(&mut self.page).len());
        let bytes = head.bytes(self.input, &place, start, &self.chunk, self.budget)?;
        if head.kind == page::DICTIONARY {
            if self.dictionary.is_some() || !matches!(head.encoding, 0 | 2) {
                return Err(self.fault("a second dictionary, or one of an unknown encoding"));
            }
            let taken = bytes.len();
            let dictionary = Dictionary::new(bytes, head.count, self.leaf.physical);
            let dictionary = dictionary.map_err(|problem| self.fault(problem))?;
            let further = self.budget.take(dictionary.size() - taken);
            further.map_err(|spent| self.input.spent(&place, spent))?;
            self.dictionary = Some(dictionary);
            return Ok(());
        }
        self.page = bytes;
        self.open(&head).map_err(|problem| self.fault(problem))
    }

    /// Finds the levels and the values of a page.
    fn open(&mut self, head: &Head) -> Found<()> {
        let mut at = 0;
        self.levels = None;
        let width = u32::BITS - self.leaf.most.leading_zeros();
        if head.kind == page::DATA_2 {
            let (repetitions, levels) = head.apart.ok_or("a page without a head")?;
            let from = repetitions as usize;
            at = from + levels as usize;
            if width > 0 {
                self.levels = Some(Runs::new(width, from, at)?);
            }
        } else if width > 0 {
            if head.levels != RUNS {
                return Err(format!("levels of the old encoding {}", head.levels));
            }
            let len = self.page.first_chunk().ok_or("a page without levels")?;
            at = 4 + u32::from_le_bytes(*len) as usize;
            if at > self.page.len() {
                return Err("levels that are cut off".into());
            }
            self.levels = Some(Runs::new(width, 4, at)?);
        }
        self.left = head.count;
        self.values = Values::new(head.encoding, self.leaf.physical, &self.page, at, head.count)?;
        Ok(())
    }

    fn fault(&self, problem: impl std::fmt::Display) -> Error {
        self.input.damaged(place(self.group, self.leaf), problem)
    }
}

impl Drop for Column<'_> {
    fn drop(&mut self) {
        let dictionary = self.dictionary.as_ref().map_or(0, Dictionary::size);
        self.budget.give(self.page.len() + dictionary);
    }
}

fn place(group: usize, leaf: &Leaf) -> String {
    format!("row group {group}, column `{}`", leaf.name)
}
