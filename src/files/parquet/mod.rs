//! Parquet: tables that lie column by column, in groups of rows, each column of a group in packed pages.
//!
//! The crate `parquet` decodes the pages: levels, dictionaries, and every encoding of values. This module finds the pages
//! and decompresses them, because the crate trusts the file there:
//!
//! - Its parser of the footer recurses as deep as the schema is declared, which overflows the stack, and reserves memory for
//!   as many children as an element declares. It does not compare a field's type with the one it expects, so that no check
//!   beforehand reads the same fields as it does. [`Footer`] reads the footer here.
//! - It reserves a page's declared size, and decompresses gzip and Brotli without a limit. [`page::Pages`] hands it pages whose
//!   sizes, checksums and counts are checked, decompressed by `snap`, `flate2`, `ruzstd`, `lz4_flex` and
//!   `brotli-decompressor`. The sizes come out of the budget first.
//! - It reserves as many values as a dictionary, or the stream of lengths in front of texts, declares. `Pages` compares these
//!   numbers with the page. Texts that repeat a prefix of the one before are decoded in batches, and come out of the budget.
//!
//! On some damaged pages the crate panics. [`guard`] turns a panic into the error of a damaged file; in a program built with
//! `panic = "abort"`, such a page ends the program. Lists within columns, encryption and LZO are refused by name.
//!
//! # References
//! <https://parquet.apache.org/docs/file-format/>

mod column;
mod footer;
mod page;
mod schema;
mod thrift;
mod unpack;

use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::errors::ParquetError;

use super::budget::Budget;
use super::input::Input;
use crate::error::{Error, Result};

pub(crate) use column::{ChunkReader, Values};
pub(crate) use footer::Footer;
pub(crate) use schema::ColumnKind;

/// An open file, and how much memory it still warrants.
#[derive(Debug)]
pub(crate) struct ParquetFile {
    pub(crate) input: Input<'static>,
    pub(crate) budget: Budget,
}

/// Calls the crate; its errors and panics become the error of a file that is damaged at this place.
fn guard<T>(input: &Input, place: &str, call: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(ParquetError::External(error))) => {
            // An error of this crate's, from `Pages`.
            Err(error.downcast::<Error>().map_or_else(|error| input.damaged(place, error), |error| *error))
        }
        Ok(Err(error)) => Err(input.damaged(place, error)),
        Err(_) => Err(input.damaged(place, "values that cannot be decoded")),
    }
}
