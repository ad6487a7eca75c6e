//! Tables: the roles of columns, and the conversion of cells to numbers.

#[cfg(feature = "parquet")]
mod block;
mod cell;
mod columns;
mod fitted;
#[cfg(feature = "csv")]
mod parts;
mod scan;
mod seen;

#[cfg(feature = "parquet")]
pub(super) use block::ColumnBlock;
pub(super) use cell::TableCell;
pub use columns::{Column, Missing};
pub(super) use columns::{ColumnSettings, TableHeader};
#[cfg(feature = "csv")]
pub(super) use fitted::Fitted;
#[cfg(feature = "csv")]
pub(super) use parts::{PartEnd, PartScan};
pub(super) use scan::{FittedColumns, Scan};
