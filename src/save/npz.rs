//! Weights as `.npz`: a zip archive with a `.npy` file for each weight, under its path.
//!
//! # References
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::io::{self, Write};

use super::array::{Array, Number};
use super::budget::Budget;
use super::input::Input;
use super::weights;
use super::zip::{Archive, Writer};
use crate::error::Result;
use crate::model::Sequential;
use crate::scalar::Scalar;

const MAGIC: &[u8] = b"\x93NUMPY";
/// The longest header that is read; NumPy's own limit is 10,000.
const LONGEST: usize = 10_000;

/// Writes all weights.
pub(super) fn write<F: Scalar>(model: &Sequential<F>, to: &mut dyn Write) -> io::Result<()> {
    let mut archive = Writer::new(to);
    let mut params = Vec::new();
    model.walk(&mut |path, _, param| params.push((path, param)));
    for (path, param) in params {
        archive.add(&format!("{path}.npy"), &|put| {
            put(&header::<F>(param.shape()))?;
            Number::of_scalar::<F>().emit(param.value(), put)
        })?;
    }
    archive.finish()
}

/// The front of a `.npy` file, of a length that 64 divides.
fn header<F: Scalar>(shape: &[usize]) -> Vec<u8> {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let shape = match &sizes[..] {
        [one] => format!("({one},)"),
        sizes => format!("({})", sizes.join(", ")),
    };
    let kind = if Number::of_scalar::<F>() == Number::F32 { "<f4" } else { "<f8" };
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    text.extend(std::iter::repeat_n(' ', (64 - (11 + text.len()) % 64) % 64));
    text.push('\n');
    [MAGIC, &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()
}

/// Reads all weights.
pub(super) fn read<F: Scalar>(model: &mut Sequential<F>, input: &Input, budget: &Budget) -> Result<()> {
    let archive = Archive::open(input, budget)?;
    let mut names: Vec<String> = Vec::new();
    let mut found: Vec<(Input, Array)> = Vec::new();
    for member in archive.names() {
        let spent = budget.take(2 * (member.len() + size_of::<(Input, Array, String)>() + 64));
        spent.map_err(|spent| input.spent(member, spent))?;
        let Some(content) = archive.member(member, budget)? else { continue };
        let array = array(&content, member)?;
        names.push(member.trim_end_matches(".npy").into());
        found.push((content, array));
    }
    weights::load(model, &names, &|place| Ok((&found[place].0, found[place].1.clone())), budget)
}

/// Where the numbers of a `.npy` file are.
fn array(input: &Input, name: &str) -> Result<Array> {
    let fail = |problem: &str| input.damaged(name, problem);
    let mut fixed = [0; 12];
    let len = (fixed.len() as u64).min(input.len()) as usize;
    input.read(name, 0, &mut fixed[..len])?;
    let (front, size) = match fixed {
        [b'\x93', b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, ..] => {
            (10, usize::from(u16::from_le_bytes([low, high])))
        }
        [b'\x93', b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d] => {
            (12, u32::from_le_bytes([a, b, c, d]) as usize)
        }
        _ => return Err(fail("no .npy file")),
    };
    if size > LONGEST {
        return Err(fail("a header of more than 10,000 bytes"));
    }
    let mut text = vec![0; size];
    input.read(name, front, &mut text)?;
    let text = std::str::from_utf8(&text).map_err(|_| fail("a header that is no text"))?;
    // What stands after a key, up to the next one.
    let after = |key: &str| text.split_once(&format!("'{key}':")).map_or("", |(_, rest)| rest.trim_start());
    let number = match after("descr").get(..5) {
        Some("'<f4'") => Number::F32,
        Some("'<f8'") => Number::F64,
        Some("'<f2'") => Number::F16,
        Some("'<i4'") => Number::I32,
        Some("'<i8'") => Number::I64,
        _ => return Err(fail("expected numbers of '<f4' or '<f8', found others")),
    };
    let in_columns = match after("fortran_order") {
        rest if rest.starts_with("False") => false,
        rest if rest.starts_with("True") => true,
        _ => return Err(fail("a header without `fortran_order`")),
    };
    let sizes = after("shape").strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let (sizes, _) = sizes.ok_or_else(|| fail("a header without `shape`"))?;
    let sizes = sizes.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape: std::result::Result<Vec<usize>, _> = sizes.map(str::parse).collect();
    let shape = shape.map_err(|_| fail("a shape that is none"))?;
    if in_columns && shape.iter().filter(|&&size| size != 1).count() > 1 {
        return Err(fail("an array in Fortran order; write it by `numpy.ascontiguousarray`"));
    }
    let start = front + size as u64;
    let bytes = shape.iter().try_fold(number.size() as u64, |n, &size| n.checked_mul(size as u64));
    if bytes != Some(input.len() - start) {
        return Err(fail("its length is not that of its shape"));
    }
    Ok(Array { number, shape, start })
}
