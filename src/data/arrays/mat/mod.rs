//! MATLAB files of versions 4 to 7, as written by `save` and scipy's `savemat`, compressed or not.
//!
//! From version 5 on, a file is a header of 128 bytes followed by elements: a type, a length, and that many bytes, padded
//! to a multiple of eight. An array is an element that contains elements: class, sizes, name, numbers. A compressed element
//! is a zlib stream of one element. A stated length alone allocates nothing: numbers are read from bytes that exist, and a
//! stream is decompressed as it is read.
//!
//! The elements are parsed here: the crate `matfile` (0.5) holds the whole file in memory, reads no version 4, and skips
//! cells, structures and text.
//!
//! # References
//! The MathWorks, *MAT-File Format*, versions 5 and 7.

mod array;
mod elements;
pub(super) mod old;
mod place;
mod sparse;
mod variables;

use super::value::ArrayValue;
use crate::error::Result;
use crate::files::input::Input;
pub(super) use place::plain;
use variables::each;

/// The names of all arrays and fields of structures, whether they can be read or not.
pub(super) fn names(input: &Input) -> Result<Vec<String>> {
    let mut names = Vec::new();
    each(input, &mut |front, element| {
        if front.is_struct() {
            names.extend(element.values()?.into_iter().map(|(name, _)| name));
        } else if !front.name.is_empty() {
            names.push(front.name);
        }
        Ok(true)
    })?;
    names.retain(|name| !name.is_empty());
    Ok(names)
}

/// The variable of this name, or the field of one.
pub(super) fn variable(input: &Input, name: &str) -> Result<Option<ArrayValue>> {
    let mut found = None;
    each(input, &mut |front, element| {
        if front.holds(name) {
            let mut values = element.values()?.into_iter();
            found = values.find(|(known, _)| known == name).map(|(_, value)| value);
        }
        Ok(found.is_none())
    })?;
    Ok(found)
}
