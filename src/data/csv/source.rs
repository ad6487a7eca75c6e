//! Rows of a CSV file that are read when a batch needs them.

use std::fs::File;

use super::Csv;
use super::records::{Records, TextFile, plain};
use crate::data::BatchSource;
use crate::data::dataset::known_classes;
use crate::data::table::{Fitted, FittedColumns};
use crate::error::{FileError, Result};
use crate::files::input::failed;
use crate::files::read_at::read_at;
use crate::scalar::Scalar;

/// A [`BatchSource`] of the rows of a `.csv` file, without holding them in memory; [`Csv::source`] creates it.
///
/// # Example
/// ```
/// use cornu::data::{BatchSource, Csv};
/// let path = std::env::temp_dir().join("cornu-source.csv");
/// std::fs::write(&path, "a,b,kind\n0,1,cat\n1,0,dog\n")?;
/// let source = Csv::new(path).label("kind").source()?;
/// assert_eq!(BatchSource::<f32>::count(&source), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CsvSource {
    text: TextFile,
    file: File,
    /// The position and the length in bytes of each row.
    rows: Vec<(u64, u64)>,
    fields: usize,
    fitted: Fitted,
    classes: Option<Vec<String>>,
}

impl CsvSource {
    pub(super) fn open(csv: &Csv) -> Result<Self> {
        let fail = |error| failed(&csv.file.path.display().to_string(), &error);
        let file = plain(&csv.file)?;
        let from = Box::new(file.try_clone().map_err(fail)?);
        let (mut records, mut scan) = Records::scan(&csv.file, csv.columns.clone(), from, false)?;
        let mut rows = Vec::new();
        while let Some(kept) = records.next(&mut |cells, line| scan.row(cells, line))? {
            if kept {
                rows.push(records.place());
            }
        }
        let FittedColumns { fitted, classes, .. } = scan.fit()?;
        Ok(CsvSource { text: csv.file.clone(), file, rows, fields: records.fields(), fitted, classes })
    }

    /// The name of each class, by class index.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) if there is no label.
    pub fn classes(&self) -> Result<&[String]> {
        known_classes(&self.classes)
    }
}

impl<F: Scalar> BatchSource<F> for CsvSource {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn input_shape(&self) -> Vec<usize> {
        vec![self.fitted.widths().0]
    }

    fn target_shape(&self) -> Vec<usize> {
        vec![self.fitted.widths().1]
    }

    fn fill(&self, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        let name = self.text.path.display().to_string();
        let mut bytes = Vec::new();
        for &index in indices {
            let (start, len) = self.rows[index];
            let from = bytes.len();
            bytes.resize(from + len as usize, 0);
            read_at(&self.file, start, &mut bytes[from..]).map_err(|error| failed(&name, &error))?;
            match bytes[from..].last() {
                Some(b'\n') => {}
                Some(_) => bytes.push(b'\n'),
                // A blank line.
                None => bytes.extend(b"\"\"\n"),
            }
        }
        let (width, height) = self.fitted.widths();
        let (mut row_x, mut row_y) = (vec![0.0; width], vec![0.0; height]);
        let mut records = Records::new(&self.text, &bytes[..], self.fields);
        for (i, &index) in indices.iter().enumerate() {
            let read = records.next(&mut |cells, _| {
                self.fitted.encode(cells, (index, None), &mut row_x.iter_mut(), &mut row_y.iter_mut())
            })?;
            if read.is_none() {
                let problem = "it has changed since it was opened".into();
                return Err(FileError::Damaged { path: name, place: format!("row {index}"), problem }.into());
            }
            for (to, from) in
                x[i * width..].iter_mut().zip(&row_x).chain(y[i * height..].iter_mut().zip(&row_y))
            {
                *to = F::of(*from);
            }
        }
        Ok(())
    }
}
