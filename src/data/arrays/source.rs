//! Samples of an array that are read when a batch needs them.

use super::open::Opened;
use super::{Arrays, targets};
use crate::data::BatchSource;
use crate::data::dataset::known_classes;
use crate::data::rows::StoredRows;
use crate::error::Result;
use crate::scalar::Scalar;

/// A [`BatchSource`] of the samples of an array file, without holding them in memory; [`Arrays::source`] creates it.
///
/// # Example
/// ```
/// # #[cfg(feature = "npy")] {
/// use cornu::data::{Arrays, BatchSource};
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/stored.npz");
/// let source = Arrays::new(path).x("x").label("y").source()?;
/// assert_eq!(BatchSource::<f32>::input_shape(&source), [4, 2]);
/// # }
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
pub struct ArraySource {
    x: StoredRows,
    y: SourceTargets,
    classes: Option<Vec<String>>,
}

#[derive(Debug)]
enum SourceTargets {
    None,
    /// Class indices.
    Held(Vec<f64>),
    StoredRows(StoredRows),
}

impl ArraySource {
    pub(super) fn open(arrays: &Arrays) -> Result<Self> {
        let file = Opened::new(&arrays.path)?;
        let name = arrays.x_name(&file)?;
        let scratch = arrays.scratch.as_deref();
        let x = arrays.plain(&file, &name)?;
        arrays.check_axis(&name, &x.shape)?;
        let x = x.rows(arrays.axis, scratch)?;
        let count = x.count;
        let (mut y, mut classes) = (SourceTargets::None, None);
        if let Some(name) = &arrays.label {
            let (held, known) = arrays.classes(&file, name, count)?;
            (y, classes) = (SourceTargets::Held(held.into_iter().collect()), Some(known));
        } else if let Some(name) = &arrays.target {
            let plain = arrays.plain(&file, name)?;
            let shape = plain.shape.clone();
            let list = plain.len() == count && shape.iter().filter(|size| **size != 1).count() <= 1;
            y = SourceTargets::StoredRows(match &shape[..] {
                _ if list => plain.list(),
                [first, ..] if *first == count => plain.rows(0, scratch)?,
                [_, last] if *last == count => plain.rows(1, scratch)?,
                _ => return Err(arrays.fault(name, targets::expected(count), format!("shape {shape:?}"))),
            });
        }
        Ok(ArraySource { x, y, classes })
    }

    /// The name of each class, by class index.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) if there is no label.
    pub fn classes(&self) -> Result<&[String]> {
        known_classes(&self.classes)
    }
}

impl<F: Scalar> BatchSource<F> for ArraySource {
    fn count(&self) -> usize {
        self.x.count
    }

    fn input_shape(&self) -> Vec<usize> {
        self.x.sample_shape()
    }

    fn target_shape(&self) -> Vec<usize> {
        match &self.y {
            SourceTargets::None => vec![0],
            SourceTargets::Held(_) => vec![1],
            SourceTargets::StoredRows(rows) => rows.sample_shape(),
        }
    }

    fn fill(&self, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        self.x.read(indices, x)?;
        match &self.y {
            SourceTargets::None => Ok(()),
            SourceTargets::Held(classes) => {
                y.iter_mut().zip(indices).for_each(|(y, &index)| *y = F::of(classes[index]));
                Ok(())
            }
            SourceTargets::StoredRows(rows) => rows.read(indices, y),
        }
    }
}
