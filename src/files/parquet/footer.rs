//! The footer of a file, which lists its columns, its row groups, and the position of the pages of each column chunk.

use super::schema::{self, Leaf, SchemaElement};
use super::thrift::{Field, STRUCT, Thrift};
use super::{ParquetFile, compression::Codec};
use crate::error::Result;
use crate::files::Parsed;

const PLACE: &str = "its end";

/// The contents of the footer.
#[derive(Debug)]
pub(crate) struct Footer {
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) groups: Vec<RowGroup>,
    pub(crate) rows: usize,
}

/// A row group.
#[derive(Debug)]
pub(crate) struct RowGroup {
    pub(crate) rows: usize,
    /// One per column.
    pub(super) chunks: Vec<Chunk>,
}

/// The position of the pages of a column in a row group.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Chunk {
    pub(super) codec: Codec,
    pub(super) values: u64,
    pub(super) start: u64,
    pub(super) len: u64,
}

impl Footer {
    /// Reads the footer, and nothing else.
    pub(crate) fn read(file: &ParquetFile) -> Result<Self> {
        let ParquetFile { input, budget } = file;
        let fail = |problem: &str| input.damaged(PLACE, problem);
        let mut magic = [[0; 4]; 2];
        if input.len() < 12 {
            return Err(fail("not a Parquet file, or a truncated one"));
        }
        input.read(PLACE, 0, &mut magic[0])?;
        input.read(PLACE, input.len() - 4, &mut magic[1])?;
        match [&magic[0], &magic[1]] {
            [b"PAR1", b"PAR1"] => {}
            [_, b"PARE"] => return Err(fail("an encrypted file, which cannot be read")),
            _ => return Err(fail("not a Parquet file, or a truncated one")),
        }
        let len = input.number(PLACE, input.len() - 8, 4)?;
        let start = (input.len() - 8).checked_sub(len).filter(|start| *start >= 4);
        let start = start.ok_or_else(|| fail("its length exceeds the file"))?;
        // A byte of the footer needs at most a few tens of bytes in memory.
        budget.take(40 * len as usize).map_err(|spent| input.spent(PLACE, spent))?;
        let bytes = input.take(PLACE, start, len, budget)?;
        let footer = footer(&mut Thrift::new(&bytes), start).map_err(|problem| fail(&problem))?;
        budget.give(len as usize);
        Ok(footer)
    }
}

fn footer(from: &mut Thrift, end: u64) -> Parsed<Footer> {
    let (mut elements, mut groups, mut rows, mut encrypted) = (Vec::new(), Vec::new(), 0, false);
    from.fields(&mut |from, Field { id, kind }| {
        match id {
            2 => from.structs(kind, &mut |from| {
                elements.push(SchemaElement::read(from)?);
                Ok(())
            })?,
            3 => rows = from.size(kind)?,
            4 => from.structs(kind, &mut |from| {
                groups.push(group(from, end)?);
                Ok(())
            })?,
            8 => {
                encrypted = true;
                return Ok(false);
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if encrypted {
        return Err("an encrypted file, which cannot be read".into());
    }
    let leaves = schema::leaves(&elements)?;
    if let Some(at) = groups.iter().position(|group| group.chunks.len() != leaves.len()) {
        let (found, expected) = (groups[at].chunks.len(), leaves.len());
        return Err(format!("row group {at} of {found} columns, where the file has {expected}"));
    }
    let total = groups.iter().try_fold(0u64, |sum, group| sum.checked_add(group.rows as u64));
    if total != Some(rows) {
        return Err(format!("{rows} rows, which is not the sum of its groups"));
    }
    let rows = usize::try_from(rows).map_err(|_| format!("{rows} rows"))?;
    Ok(Footer { leaves, groups, rows })
}

fn group(from: &mut Thrift, end: u64) -> Parsed<RowGroup> {
    let (mut chunks, mut rows) = (Vec::new(), 0);
    from.fields(&mut |from, Field { id, kind }| {
        match id {
            1 => from.structs(kind, &mut |from| {
                chunks.push(chunk(from, end)?);
                Ok(())
            })?,
            3 => rows = from.size(kind)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(RowGroup { rows: rows.try_into().map_err(|_| format!("{rows} rows"))?, chunks })
}

fn chunk(from: &mut Thrift, end: u64) -> Parsed<Chunk> {
    let (mut chunk, mut data, mut dictionary) = (Chunk::default(), None, None);
    from.fields(&mut |from, field| {
        match field.id {
            1 => return Err("a column in another file".into()),
            3 if field.kind == STRUCT => from.fields(&mut |from, Field { id, kind }| {
                match id {
                    4 => chunk.codec = Codec::of(from.int(kind)?),
                    5 => chunk.values = from.size(kind)?,
                    7 => chunk.len = from.size(kind)?,
                    9 => data = Some(from.size(kind)?).filter(|place| *place > 0),
                    11 => dictionary = Some(from.size(kind)?).filter(|place| *place > 0),
                    _ => return Ok(false),
                }
                Ok(true)
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if chunk.values == 0 {
        // An empty row group, whose columns may have no pages.
        return Ok(Chunk { start: 4, len: 0, ..chunk });
    }
    let data = data.ok_or("a column without pages")?;
    chunk.start = dictionary.map_or(data, |dictionary| dictionary.min(data));
    if chunk.start < 4 || chunk.start.checked_add(chunk.len).is_none_or(|to| to > end) {
        return Err("a column that exceeds the file".into());
    }
    Ok(chunk)
}
