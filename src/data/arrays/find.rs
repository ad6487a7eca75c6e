//! Selection of the arrays in a file, and the errors if they cannot be used.

use ndarray::ArrayD;

use super::open::{self, Opened};
use super::plain::Plain;
use super::value::ArrayValue;
use super::{Arrays, targets};
use crate::error::{FileError, Result};

impl Arrays {
    /// Locates an array that is not read as a whole.
    pub(super) fn plain(&self, file: &Opened, name: &str) -> Result<Plain> {
        match file.plain(name, self.scratch.as_deref())? {
            Ok(plain) => Ok(plain),
            Err(found) => {
                Err(self.fault(name, "an array of real numbers that can be streamed".into(), found.into()))
            }
        }
    }

    pub(super) fn check_axis(&self, name: &str, shape: &[usize]) -> Result<()> {
        if self.axis < shape.len() {
            return Ok(());
        }
        let expected = format!("an axis {}, which counts the samples", self.axis);
        Err(self.fault(name, expected, format!("shape {shape:?}")))
    }

    /// Returns class indices and class names.
    pub(super) fn classes(
        &self,
        file: &Opened,
        name: &str,
        count: usize,
    ) -> Result<(ArrayD<f64>, Vec<String>)> {
        let labels = match file.value(name)? {
            ArrayValue::Numbers(labels) => targets::classes(labels, count),
            ArrayValue::Words(words) => targets::words(&words, count),
            ArrayValue::Other(kind) => Err(kind.into()),
        };
        labels.map_err(|found| self.fault(name, targets::expected(count), found))
    }

    pub(super) fn numbers(&self, file: &Opened, name: &str) -> Result<ArrayD<f64>> {
        match file.value(name)? {
            ArrayValue::Numbers(array) => Ok(array),
            ArrayValue::Words(_) => Err(self.fault(name, "real numbers".into(), "texts".into())),
            ArrayValue::Other(kind) => Err(self.fault(name, "real numbers".into(), kind.into())),
        }
    }

    pub(super) fn x_name(&self, file: &Opened) -> Result<String> {
        if let Some(name) = &self.x {
            return Ok(name.clone());
        }
        let known = file.names()?;
        let taken =
            |name: &&String| [&self.label, &self.target].iter().any(|used| used.as_ref() == Some(*name));
        let free: Vec<&String> = known.iter().filter(|name| !taken(name)).collect();
        match free[..] {
            [one] => Ok(one.clone()),
            _ => {
                let usual = ["x", "X", "data"].iter().find(|usual| free.iter().any(|name| name == *usual));
                let path = self.path.display().to_string();
                let (what, name) = ("array, named by `Arrays::x`,", "x".into());
                let none = FileError::Column { path, what, name, known: open::some(known.clone()) };
                usual.map(|usual| usual.to_string()).ok_or(none.into())
            }
        }
    }

    pub(super) fn fault(&self, name: &str, expected: String, found: String) -> crate::Error {
        FileError::Array { path: self.path.display().to_string(), name: name.into(), expected, found }.into()
    }
}
