//! Tables: the roles of columns, and the conversion of cells to numbers.

#[cfg(feature = "parquet")]
mod block;
mod cell;
mod columns;
mod fitted;
mod number;
#[cfg(feature = "csv")]
mod parts;
mod reading;
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
pub(super) use number::NumberFormat;
#[cfg(feature = "csv")]
pub(super) use parts::{PartEnd, PartScan};
#[cfg(feature = "csv")]
pub use reading::Encoding;
pub(super) use reading::ReadSettings;
pub(super) use scan::{FittedColumns, Scan};
