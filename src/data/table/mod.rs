//! Tables: the roles of columns, and the conversion of cells to numbers.

mod cell;
mod columns;
mod fitted;
mod scan;
mod seen;

pub(super) use cell::TableCell;
pub use columns::{Column, Missing};
pub(super) use columns::{ColumnSettings, TableHeader};
#[cfg(feature = "csv")]
pub(super) use fitted::Fitted;
#[cfg(feature = "csv")]
pub(super) use scan::PartScan;
pub(super) use scan::{Learning, PartEnd, Scan};
