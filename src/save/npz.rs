//! Weights as `.npz`: a zip archive with one `.npy` file per weight, named by its path.
//!
//! # References
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::io::{self, Write};

use super::assign;
use crate::error::Result;
use crate::files::array::{Array, Number};
use crate::files::budget::Budget;
use crate::files::input::Input;
use crate::files::zip::{Archive, ArchiveWriter};
use crate::model::Sequential;
use crate::scalar::Scalar;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Writes all weights.
pub(super) fn write<F: Scalar>(model: &Sequential<F>, to: &mut dyn Write) -> io::Result<()> {
    let mut archive = ArchiveWriter::new(to);
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

/// The header of a `.npy` file, padded to a multiple of 64 bytes.
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
    assign::load(model, &names, &|place| Ok((&found[place].0, found[place].1.clone())), budget)
}

/// Locates the numbers of a `.npy` file, which must be C order, little-endian and complete.
fn array(input: &Input, name: &str) -> Result<Array> {
    let npy = crate::files::npy::promised(input, name)?;
    let weights = [Number::F32, Number::F64, Number::F16, Number::I32, Number::I64];
    if npy.big_endian || !weights.contains(&npy.array.number) {
        return Err(input.damaged(name, "expected numbers of '<f4' or '<f8', found others"));
    }
    if npy.in_columns {
        let problem = "an array in Fortran order; write it by `numpy.ascontiguousarray`";
        return Err(input.damaged(name, problem));
    }
    if npy.bytes() != Some(input.len() - npy.array.start) {
        return Err(input.damaged(name, "its length does not match its shape"));
    }
    Ok(npy.array)
}
