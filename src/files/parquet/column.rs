//! A column of a row group, read in blocks of rows.

use std::sync::Arc;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};

use super::footer::Footer;
use super::page::{Pages, Taken};
use super::schema::{ColumnKind, Leaf};
use super::{ParquetFile, guard};
use crate::error::Result;

/// The nanoseconds of a day, and the Julian day on which 1970 began.
const DAY: f64 = 86_400e9;
const EPOCH: f64 = 2_440_588.0;

/// The unread part of a column in a row group.
pub(crate) struct ChunkReader {
    reader: ColumnReader,
    taken: Arc<Taken>,
    leaf: Leaf,
    place: String,
    levels: Vec<i16>,
}

/// The values of a column, one per row.
#[derive(Debug)]
pub(crate) enum Values {
    /// Numbers, with NaN for missing values.
    Numbers(Vec<f64>),
    Flags(Vec<Option<bool>>),
    Texts(Vec<Option<ByteArray>>),
}

impl ChunkReader {
    /// Opens this column of this row group.
    pub(crate) fn new(file: &Arc<ParquetFile>, footer: &Footer, group: usize, column: usize) -> Result<Self> {
        let (leaf, chunk) = (footer.leaves[column].clone(), footer.groups[group].chunks[column]);
        let place = format!("row group {group}, column `{}`", leaf.name);
        let rows = footer.groups[group].rows;
        if chunk.values != rows as u64 {
            return Err(file.input.damaged(place, format!("{} values for {rows} rows", chunk.values)));
        }
        let taken = Arc::new(Taken::new(file.clone()));
        let pages = Pages::new(taken.clone(), &leaf, chunk, place.clone());
        let reader = get_column_reader(leaf.column.clone(), Box::new(pages));
        Ok(ChunkReader { reader, taken, leaf, place, levels: Vec::new() })
    }

    /// Reads the values of the next `rows` rows. The values of earlier rows must have been dropped.
    pub(crate) fn read(&mut self, rows: usize) -> Result<Values> {
        self.taken.give_pages();
        self.levels.clear();
        let ChunkReader { reader, taken, leaf, place, levels } = self;
        let mut records = RecordReader { taken, leaf, place, levels, rows };
        let ColumnKind::Number(unit) = leaf.kind else {
            return match (leaf.kind, reader) {
                (ColumnKind::Bool, ColumnReader::BoolColumnReader(reader)) => {
                    let flags = records.all(reader)?;
                    Ok(Values::Flags(records.spread(flags)))
                }
                (ColumnKind::Text, ColumnReader::ByteArrayColumnReader(reader)) => {
                    let texts = records.all(reader)?;
                    Ok(Values::Texts(records.spread(texts)))
                }
                (ColumnKind::Unsigned, ColumnReader::Int32ColumnReader(reader)) => {
                    records.numbers(reader, |value| f64::from(*value as u32))
                }
                (ColumnKind::Unsigned, ColumnReader::Int64ColumnReader(reader)) => {
                    records.numbers(reader, |value| *value as u64 as f64)
                }
                (ColumnKind::Half, ColumnReader::FixedLenByteArrayColumnReader(reader)) => {
                    records.numbers(reader, |value| match value.data() {
                        &[low, high] => half::f16::from_le_bytes([low, high]).to_f64(),
                        _ => f64::NAN,
                    })
                }
                _ => Err(taken.file.input.damaged(&*place, "values of another type")),
            };
        };
        match reader {
            ColumnReader::BoolColumnReader(reader) => {
                records.numbers(reader, |value| f64::from(u8::from(*value)))
            }
            ColumnReader::Int32ColumnReader(reader) => {
                records.numbers(reader, |value| f64::from(*value) / unit)
            }
            ColumnReader::Int64ColumnReader(reader) => records.numbers(reader, |value| *value as f64 / unit),
            ColumnReader::FloatColumnReader(reader) => records.numbers(reader, |value| f64::from(*value)),
            ColumnReader::DoubleColumnReader(reader) => records.numbers(reader, |value| *value),
            ColumnReader::Int96ColumnReader(reader) => records.numbers(reader, |value| {
                let &[low, high, day] = value.data() else { return f64::NAN };
                let nanoseconds = (u64::from(high) << 32 | u64::from(low)) as i64;
                ((f64::from(day) - EPOCH) * DAY + nanoseconds as f64) / unit
            }),
            ColumnReader::ByteArrayColumnReader(reader) => {
                records.numbers(reader, |value| big_endian(value.data()) / unit)
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                records.numbers(reader, |value| big_endian(value.data()) / unit)
            }
        }
    }
}

/// The next rows of a column, of any type.
struct RecordReader<'a> {
    taken: &'a Taken,
    leaf: &'a Leaf,
    place: &'a str,
    levels: &'a mut Vec<i16>,
    rows: usize,
}

impl RecordReader<'_> {
    /// Reads the values that are present, and the levels of all.
    fn all<T: DataType>(&mut self, reader: &mut ColumnReaderImpl<T>) -> Result<Vec<T::T>>
    where
        T::T: Length,
    {
        let input = &self.taken.file.input;
        let mut values = Vec::new();
        let mut read = 0;
        while read < self.rows {
            let (before, most) = (values.len(), self.taken.batch(self.rows - read));
            let levels = &mut *self.levels;
            let (records, _, _) =
                guard(input, self.place, || reader.read_records(most, Some(levels), None, &mut values))?;
            if records == 0 {
                return Err(input.damaged(self.place, "fewer values than rows"));
            }
            let bytes = values[before..].iter().map(Length::length).sum();
            self.taken.decoded(self.place, records, bytes)?;
            read += records;
        }
        Ok(values)
    }

    fn numbers<T: DataType>(
        &mut self,
        reader: &mut ColumnReaderImpl<T>,
        number: impl Fn(&T::T) -> f64,
    ) -> Result<Values>
    where
        T::T: Length,
    {
        let values = self.all(reader)?;
        if values.len() == self.rows {
            return Ok(Values::Numbers(values.iter().map(number).collect()));
        }
        let mut values = values.iter().map(number);
        let most = self.leaf.column.max_def_level();
        let spread = |level: &i16| if *level == most { values.next() } else { None };
        Ok(Values::Numbers(self.levels.iter().map(spread).map(|value| value.unwrap_or(f64::NAN)).collect()))
    }

    /// Places each value at its row.
    fn spread<V>(&self, values: Vec<V>) -> Vec<Option<V>> {
        if values.len() == self.rows {
            return values.into_iter().map(Some).collect();
        }
        let mut values = values.into_iter();
        let most = self.leaf.column.max_def_level();
        self.levels.iter().map(|level| if *level == most { values.next() } else { None }).collect()
    }
}

/// The heap size of a value in bytes.
trait Length {
    fn length(&self) -> usize {
        0
    }
}

impl Length for bool {}
impl Length for i32 {}
impl Length for i64 {}
impl Length for f32 {}
impl Length for f64 {}
impl Length for parquet::data_type::Int96 {}

impl Length for ByteArray {
    fn length(&self) -> usize {
        self.len()
    }
}

impl Length for parquet::data_type::FixedLenByteArray {
    fn length(&self) -> usize {
        self.len()
    }
}

/// Reads a signed big-endian number of any length.
fn big_endian(bytes: &[u8]) -> f64 {
    let start = if bytes.first().is_some_and(|byte| *byte > 127) { -1.0 } else { 0.0 };
    bytes.iter().fold(start, |value, byte| value * 256.0 + f64::from(*byte))
}
