//! Parquet: tables that lie column by column, in groups of rows, each column of a group in packed pages.
//!
//! The crate `parquet` reserves memory by what a page's head tells, panics on some of the files that were changed, and
//! unpacks zstd by a library in C. This reader takes from the budget first, decodes value by value so that no run of
//! repeated values unpacks to more than its page, and refuses by name what is rare: lists within columns, encryption, and
//! the codecs LZO, LZ4 and Brotli. Unpacking is left to `snap`, `flate2` and `ruzstd`.
//!
//! # References
//! <https://parquet.apache.org/docs/file-format/>

mod column;
mod delta;
mod footer;
mod page;
mod runs;
mod schema;
mod thrift;
mod unpack;
mod values;

pub(crate) use column::Column;
pub(crate) use footer::Footer;
pub(crate) use schema::{Kind, Leaf};

/// A fault and nothing about where it is.
type Found<T> = std::result::Result<T, String>;

/// How a value lies in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Physical {
    Bool,
    I32,
    I64,
    I96,
    F32,
    F64,
    Bytes,
    Fixed(usize),
}

impl Physical {
    /// How many bytes a value has, where all have as many.
    fn size(self) -> Option<usize> {
        match self {
            Physical::Bool | Physical::Bytes => None,
            Physical::I32 | Physical::F32 => Some(4),
            Physical::I64 | Physical::F64 => Some(8),
            Physical::I96 => Some(12),
            Physical::Fixed(size) => Some(size),
        }
    }
}

/// A value as it lies in a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Item<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Bytes(&'a [u8]),
}
