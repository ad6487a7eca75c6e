//! HDF5, and MATLAB 7.3, which is HDF5 with reversed axes.

use std::path::Path;

use hdf5_pure::{AttrValue, DType, Dataset, File, Group, Layout};
use ndarray::ArrayD;

use super::plain::{BLOCK, Located, Plain};
use super::value::{ArrayValue, in_order};
use crate::data::rows::ScratchFile;
use crate::error::{FileError, Result};
use crate::files::hdf5_library;
use crate::files::input::failed;

/// The maximum depth of nested groups.
const DEEPEST: usize = 16;

/// The content of an array.
enum Holds {
    Numbers,
    Words,
    Other(&'static str),
}

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
        let file = hdf5_library::open(path).map_err(|problem| damaged(&shown, "its head", problem))?;
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
            // MATLAB's own groups, which hold the contents of cells and objects.
            if depth < DEEPEST && !name.starts_with('#') {
                self.walk(&group.group(&name).map_err(fail)?, &inner(&name), depth + 1, names)?;
            }
        }
        Ok(())
    }

    /// The array at this path.
    pub(super) fn value(&self, name: &str) -> Result<Option<ArrayValue>> {
        let fail = |problem| damaged(&self.path, name, problem);
        let Some(dataset) = self.dataset(name)? else { return Ok(None) };
        match self.kind(&dataset, name)? {
            Holds::Numbers => {}
            Holds::Words => return Ok(Some(ArrayValue::Words(self.words(&dataset, name)?))),
            Holds::Other(kind) => return Ok(Some(ArrayValue::Other(kind))),
        }
        let mut shape = self.shape(&dataset, name)?;
        let values = hdf5_library::numbers(&dataset, None).map_err(fail)?;
        if self.matlab {
            shape.reverse();
        }
        let (found, sizes) = (values.len(), shape.clone());
        let unfit = |_| damaged(&self.path, name, format!("{found} numbers for an array of shape {sizes:?}"));
        // In MATLAB the first axis varies fastest, in HDF5 the last.
        use ndarray::ShapeBuilder;
        let array =
            ArrayD::from_shape_vec(ndarray::IxDyn(&shape).set_f(self.matlab), values).map_err(unfit)?;
        let text = self.is_char(&dataset, name)?;
        Ok(Some(if text { ArrayValue::Words(rows(&array)) } else { ArrayValue::Numbers(in_order(array)) }))
    }

    fn dataset(&self, name: &str) -> Result<Option<Dataset>> {
        if !self.names()?.iter().any(|known| known == name) {
            return Ok(None);
        }
        let path = if self.matlab { name.replace('.', "/") } else { name.into() };
        self.file.dataset(&path).map(Some).map_err(|problem| damaged(&self.path, name, problem))
    }

    /// Returns whether MATLAB stores text there.
    fn is_char(&self, dataset: &Dataset, name: &str) -> Result<bool> {
        if !self.matlab {
            return Ok(false);
        }
        let attributes = dataset.attrs().map_err(|problem| damaged(&self.path, name, problem))?;
        Ok(attributes.get("MATLAB_class").is_some_and(|class| is_text(class, "char")))
    }

    fn kind(&self, dataset: &Dataset, name: &str) -> Result<Holds> {
        let fail = |problem| damaged(&self.path, name, problem);
        let attributes = if self.matlab { dataset.attrs().map_err(fail)? } else { Default::default() };
        if matches!(
            attributes.get("MATLAB_empty"),
            Some(AttrValue::U8(1) | AttrValue::I32(1) | AttrValue::U32(1) | AttrValue::U64(1))
        ) {
            return Ok(Holds::Other("an empty array"));
        }
        let datatype = dataset.datatype().map_err(fail)?;
        if hdf5_library::number(&datatype).is_some() {
            return Ok(Holds::Numbers);
        }
        Ok(match dataset.dtype().map_err(fail)? {
            DType::F32
            | DType::F64
            | DType::I8
            | DType::I16
            | DType::I32
            | DType::I64
            | DType::U8
            | DType::U16
            | DType::U32
            | DType::U64 => Holds::Numbers,
            DType::String | DType::VariableLengthString => Holds::Words,
            DType::Compound(_) => Holds::Other("a compound type, such as complex numbers"),
            DType::ObjectReference => Holds::Other("references, as MATLAB's cells are"),
            _ => Holds::Other("a type that is not numeric"),
        })
    }

    /// Locates the numbers of an array; chunked arrays are decompressed first.
    pub(super) fn plain(&self, name: &str, scratch: Option<&Path>) -> Result<Option<Located>> {
        let fail = |problem| damaged(&self.path, name, problem);
        let Some(dataset) = self.dataset(name)? else { return Ok(None) };
        match self.kind(&dataset, name)? {
            Holds::Numbers if !self.is_char(&dataset, name)? => {}
            Holds::Numbers | Holds::Words => return Ok(Some(Err("texts"))),
            Holds::Other(kind) => return Ok(Some(Err(kind))),
        }
        let mut shape = self.shape(&dataset, name)?;
        let len = shape.iter().product::<usize>();
        let mut number = hdf5_library::number(&dataset.datatype().map_err(fail)?);
        let (mut file, mut start) = (None, 0);
        if let (Layout::Contiguous { address: Some(address), size }, Some((number, _))) =
            (dataset.layout().map_err(fail)?, number)
            && size == (len * number.size()) as u64
            && address.checked_add(size).is_some_and(|end| end <= self.len)
        {
            let open = std::fs::File::open(&self.path);
            (file, start) = (Some(open.map_err(|error| failed(&self.path, &error))?), address);
        }
        if file.is_none() && !shape.is_empty() {
            let mut to = ScratchFile::new(scratch)?;
            let chunk = dataset.chunk_shape().map_err(fail)?.and_then(|sizes| sizes.first().copied());
            let chunk = chunk.unwrap_or(1).max(1);
            // As many rows as the memory limit allows, in whole chunks.
            let width = (len / shape[0].max(1)).max(1);
            let step = ((BLOCK / width) as u64 / chunk).max(1).saturating_mul(chunk);
            let mut first = 0;
            while first < shape[0] as u64 && len > 0 {
                let values = hdf5_library::numbers(&dataset, Some((first, step))).map_err(fail)?;
                let expected = (shape[0] as u64 - first).min(step) as usize * width;
                if values.len() != expected {
                    return Err(damaged(
                        &self.path,
                        name,
                        format!("{} numbers for {expected}", values.len()),
                    ));
                }
                to.put(&values)?;
                first = first.saturating_add(step);
            }
            let rows = to.rows(self.path.clone(), len, Vec::new())?;
            (file, start, number) = (Some(rows.file), 0, Some((rows.number, false)));
        }
        let (Some(file), Some((number, big_endian))) = (file, number) else {
            return Ok(Some(Err("a single number")));
        };
        if self.matlab {
            shape.reverse();
        }
        let (name, reversed) = (self.path.clone(), self.matlab);
        Ok(Some(Ok(Plain { name, file, number, big_endian, start, shape, reversed })))
    }

    /// Returns the shape of an array, if the file can hold that much.
    fn shape(&self, dataset: &Dataset, name: &str) -> Result<Vec<usize>> {
        hdf5_library::shape(dataset, self.len).map_err(|problem| damaged(&self.path, name, problem))
    }

    fn words(&self, dataset: &Dataset, name: &str) -> Result<Vec<String>> {
        self.shape(dataset, name)?;
        dataset.read_string().map_err(|problem| damaged(&self.path, name, problem))
    }
}

/// The rows of a character array, without trailing blanks.
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
