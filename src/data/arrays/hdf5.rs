//! HDF5, and MATLAB 7.3, which is HDF5 with its axes in reverse.

use std::path::Path;

use hdf5_pure::{AttrValue, DType, Dataset, File, Group};
use ndarray::ArrayD;

use super::Value;
use crate::error::{FileError, Result};

/// How deep groups may lie within groups.
const DEEPEST: usize = 16;

/// An open file.
pub(super) struct Hdf5 {
    file: File,
    path: String,
    matlab: bool,
    len: u64,
}

impl Hdf5 {
    pub(super) fn open(path: &Path, matlab: bool) -> Result<Self> {
        let shown = path.display().to_string();
        let len = crate::files::input::Input::open(path)?.len();
        let file = File::open_streaming(path).map_err(|error| damaged(&shown, "its head", error))?;
        Ok(Hdf5 { file, path: shown, matlab, len })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The paths of all arrays.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        self.walk(&self.file.root(), "", 0, &mut names)?;
        names.sort();
        Ok(names)
    }

    fn walk(&self, group: &Group, path: &str, depth: usize, names: &mut Vec<String>) -> Result<()> {
        let fail = |problem| damaged(&self.path, if path.is_empty() { "the root" } else { path }, problem);
        let separator = if self.matlab { '.' } else { '/' };
        let inner =
            |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}{separator}{name}") };
        for name in group.datasets().map_err(fail)? {
            names.push(inner(&name));
        }
        for name in group.groups().map_err(fail)? {
            // MATLAB's own, which hold what cells and objects are made of.
            if depth < DEEPEST && !name.starts_with('#') {
                self.walk(&group.group(&name).map_err(fail)?, &inner(&name), depth + 1, names)?;
            }
        }
        Ok(())
    }

    /// The array at this path.
    pub(super) fn value(&self, name: &str) -> Result<Option<Value>> {
        if !self.names()?.iter().any(|known| known == name) {
            return Ok(None);
        }
        let fail = |problem| damaged(&self.path, name, problem);
        let path = if self.matlab { name.replace('.', "/") } else { name.into() };
        let dataset = self.file.dataset(&path).map_err(fail)?;
        let attributes = if self.matlab { dataset.attrs().map_err(fail)? } else { Default::default() };
        if matches!(
            attributes.get("MATLAB_empty"),
            Some(AttrValue::U8(1) | AttrValue::I32(1) | AttrValue::U32(1) | AttrValue::U64(1))
        ) {
            return Ok(Some(Value::Other("an empty array")));
        }
        match dataset.dtype().map_err(fail)? {
            DType::F32
            | DType::F64
            | DType::I8
            | DType::I16
            | DType::I32
            | DType::I64
            | DType::U8
            | DType::U16
            | DType::U32
            | DType::U64 => {}
            DType::String | DType::VariableLengthString => {
                return Ok(Some(Value::Words(self.words(&dataset, name)?)));
            }
            DType::Compound(_) => return Ok(Some(Value::Other("a compound type, such as complex numbers"))),
            DType::ObjectReference => return Ok(Some(Value::Other("references, as MATLAB's cells are"))),
            _ => return Ok(Some(Value::Other("a type that is no number"))),
        }
        let mut shape = self.shape(&dataset, name)?;
        let values = dataset.read_f64().map_err(fail)?;
        if self.matlab {
            shape.reverse();
        }
        let (found, told) = (values.len(), shape.clone());
        let unfit = |_| damaged(&self.path, name, format!("{found} numbers for an array of shape {told:?}"));
        // MATLAB's first axis runs fastest, as HDF5's last does.
        use ndarray::ShapeBuilder;
        let array =
            ArrayD::from_shape_vec(ndarray::IxDyn(&shape).set_f(self.matlab), values).map_err(unfit)?;
        let text = attributes.get("MATLAB_class").is_some_and(|class| is_text(class, "char"));
        Ok(Some(if text {
            Value::Words(rows(&array))
        } else {
            Value::Numbers(array.as_standard_layout().into_owned())
        }))
    }

    /// The sizes of an array, where the file can hold so much.
    fn shape(&self, dataset: &Dataset, name: &str) -> Result<Vec<usize>> {
        let fail = |problem| damaged(&self.path, name, problem);
        let shape = dataset.shape().map_err(fail)?;
        let size = dataset.element_size().map_err(fail)?;
        let chunk = dataset.chunk_shape().map_err(fail)?.unwrap_or_default();
        // Deflate packs at the most 1032 to 1.
        let most = self.len.saturating_mul(1032);
        for sizes in [&shape, &chunk] {
            let bytes = sizes.iter().try_fold(size, |bytes, &size| bytes.checked_mul(size));
            if bytes.is_none_or(|bytes| bytes > most) {
                let problem = format!("shape {sizes:?} is more than a file of {} bytes can hold", self.len);
                return Err(damaged(&self.path, name, problem));
            }
        }
        let shape: std::result::Result<Vec<usize>, _> = shape.iter().map(|&size| size.try_into()).collect();
        shape.map_err(|problem| damaged(&self.path, name, problem))
    }

    fn words(&self, dataset: &Dataset, name: &str) -> Result<Vec<String>> {
        self.shape(dataset, name)?;
        dataset.read_string().map_err(|problem| damaged(&self.path, name, problem))
    }
}

/// The rows of an array of characters, without the blanks that fill them up.
fn rows(codes: &ArrayD<f64>) -> Vec<String> {
    let letter = |code: &f64| char::from_u32(*code as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
    let text =
        |row: ndarray::ArrayViewD<f64>| row.iter().map(letter).collect::<String>().trim_end().to_string();
    if codes.ndim() == 0 { vec![text(codes.view())] } else { codes.outer_iter().map(text).collect() }
}

fn is_text(attribute: &AttrValue, word: &str) -> bool {
    match attribute {
        AttrValue::String(text) | AttrValue::AsciiString(text) => text.trim_end_matches('\0') == word,
        AttrValue::StringSized { value, .. } => value.trim_end_matches('\0') == word,
        _ => false,
    }
}

fn damaged(path: &str, place: &str, problem: impl std::fmt::Display) -> crate::Error {
    FileError::Damaged { path: path.into(), place: place.into(), problem: problem.to_string() }.into()
}
