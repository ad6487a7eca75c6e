//! Rows that are decompressed once and read when a batch needs them.

use super::Parquet;
use super::table::Table;
use crate::data::BatchSource;
use crate::data::dataset::known_classes;
use crate::data::rows::{ScratchFile, StoredRows};
use crate::data::table::FittedColumns;
use crate::error::Result;
use crate::scalar::Scalar;

/// A [`BatchSource`] of the rows of a `.parquet` file, without holding them in memory; [`Parquet::source`] creates it.
///
/// # Example
/// ```
/// use cornu::data::{BatchSource, Parquet};
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/plain.parquet");
/// let source = Parquet::new(path).label("species").source()?;
/// assert_eq!((BatchSource::<f32>::count(&source), source.classes()?.len()), (60, 3));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
pub struct ParquetSource {
    /// The columns of `x` and then those of `y`.
    rows: StoredRows,
    width: usize,
    height: usize,
    columns: Vec<String>,
    classes: Option<Vec<String>>,
}

impl ParquetSource {
    pub(super) fn open(parquet: &Parquet) -> Result<Self> {
        let table = Table::open(&parquet.path, &parquet.columns)?;
        let mut scan = table.scan(false)?;
        let mut kept = Vec::new();
        let mut all = 0;
        table.each(&mut |cells| {
            // One bit per row.
            if all % 64 == 0 {
                kept.push(0u64);
            }
            if scan.row(cells, None)? {
                kept[all / 64] |= 1 << (all % 64);
            }
            all += 1;
            Ok(())
        })?;
        let FittedColumns { fitted, classes, .. } = scan.fit()?;
        let (width, height) = fitted.widths();
        let mut scratch = ScratchFile::new(parquet.scratch.as_deref())?;
        let (mut row, mut count) = (0, 0);
        let mut values = vec![0.0; width + height];
        table.each(&mut |cells| {
            if kept[row / 64] >> (row % 64) & 1 == 1 {
                let (x, y) = values.split_at_mut(width);
                fitted.encode(cells, (row, None), &mut x.iter_mut(), &mut y.iter_mut())?;
                scratch.put(&values)?;
                count += 1;
            }
            row += 1;
            Ok(())
        })?;
        let rows = scratch.rows(table.name().into(), count, vec![width + height])?;
        Ok(ParquetSource { rows, width, height, columns: scan.columns(), classes })
    }

    /// The name of each class, by class index.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) if there is no label.
    pub fn classes(&self) -> Result<&[String]> {
        known_classes(&self.classes)
    }

    /// The names of the columns of `x`.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }
}

impl<F: Scalar> BatchSource<F> for ParquetSource {
    fn count(&self) -> usize {
        self.rows.count
    }

    fn input_shape(&self) -> Vec<usize> {
        vec![self.width]
    }

    fn target_shape(&self) -> Vec<usize> {
        vec![self.height]
    }

    fn fill(&self, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        let (width, height) = (self.width, self.height);
        let mut row = vec![F::zero(); width + height];
        for (i, &index) in indices.iter().enumerate() {
            self.rows.read(&[index], &mut row)?;
            x[i * width..(i + 1) * width].copy_from_slice(&row[..width]);
            y[i * height..(i + 1) * height].copy_from_slice(&row[width..]);
        }
        Ok(())
    }
}
