//! Parquet: tables stored by column, in row groups, with compressed pages.
//!
//! The crate `parquet` decodes the pages: levels, dictionaries, and all encodings of values. This module locates and
//! decompresses the pages, because the crate trusts the file in these steps:
//!
//! - Its parser of the footer recurses as deeply as the file declares, which overflows the stack, and reserves memory
//!   for the declared number of children. It does not compare the type of a field with the expected one, so no check
//!   beforehand can be sure to read the same fields. [`Footer`] parses the footer here.
//! - It reserves the declared size of a page, and decompresses gzip and Brotli without a limit. [`page::Pages`] passes
//!   it pages with checked sizes, checksums and counts, decompressed by `snap`, `flate2`, `ruzstd`, `lz4_flex` and
//!   `brotli-decompressor`. The sizes are taken from the budget first.
//! - It reserves the declared number of values of a dictionary, or of the lengths before strings. `Pages` compares
//!   these numbers with the page. Prefix-compressed strings are decoded in batches that are taken from the budget.
//!
//! On some damaged pages the crate panics. [`guard`] turns a panic into the error for a damaged file; in a program
//! built with `panic = "abort"`, such a page ends the program. Lists within columns, encryption and LZO are
//! unsupported.
//!
//! # References
//! <https://parquet.apache.org/docs/file-format/>

mod column;
mod compression;
mod footer;
mod page;
mod page_header;
mod schema;
mod thrift;

use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::errors::ParquetError;

use super::budget::Budget;
use super::input::Input;
use crate::error::{Error, Result};

pub(crate) use column::{ChunkReader, Values};
pub(crate) use footer::Footer;
pub(crate) use schema::ColumnKind;

/// An open file, and the remaining memory budget.
#[derive(Debug)]
pub(crate) struct ParquetFile {
    pub(crate) input: Input<'static>,
    pub(crate) budget: Budget,
}

/// Calls the crate, and turns its errors and panics into the error for a file damaged at this place.
fn guard<T>(input: &Input, place: &str, call: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(ParquetError::External(error))) => {
            // An error of our own, from `Pages`.
            Err(error.downcast::<Error>().map_or_else(|error| input.damaged(place, error), |error| *error))
        }
        Ok(Err(error)) => Err(input.damaged(place, error)),
        Err(_) => Err(input.damaged(place, "values that cannot be decoded")),
    }
}
