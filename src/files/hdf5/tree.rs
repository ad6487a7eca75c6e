//! The arrays of a file, found by the reader of plain files or, if it does not support the file, by `hdf5-pure`.

use std::collections::HashMap;

use super::super::budget::Budget;
use super::super::input::Input;
#[cfg(feature = "hdf5")]
use super::fallback;
use super::{Array, Fault, read};
use crate::error::Result;

/// All arrays of a file by their paths, such as `layers/dense/vars/0`.
#[derive(Debug)]
pub(crate) struct Tree {
    arrays: HashMap<String, Array>,
    /// Texts beside the arrays, by the path of their group and their name: `model_weights/dense@weight_names`.
    texts: HashMap<String, Vec<String>>,
    /// A copy of the values, if they are packed in the file.
    values: Option<Input<'static>>,
}

impl Tree {
    /// Reads the positions of all arrays, without their values.
    pub(crate) fn read(input: &Input, name: &str, budget: &Budget) -> Result<Self> {
        let (place, problem, is_array) = match read::read(input, name, budget, &[]) {
            Ok((arrays, texts)) => return Ok(Tree { arrays, texts, values: None }),
            Err(Fault::Damaged(error)) => return Err(error),
            Err(Fault::Unsupported { place, problem, is_array }) => (place, problem, is_array),
        };
        #[cfg(not(feature = "hdf5"))]
        let _ = is_array;
        #[cfg(feature = "hdf5")]
        let problem = match fallback::read(input, budget) {
            Ok((arrays, values)) if !is_array || arrays.contains_key(&place) => {
                return Ok(Tree { arrays, texts: HashMap::new(), values: Some(values) });
            }
            // It skips an array that it does not understand.
            Ok(_) => problem,
            Err(other) => format!("{problem}, which hdf5-pure cannot read either: {other}"),
        };
        Err(input.damaged(place, problem))
    }

    /// Reads the positions of all arrays, and the text attributes with these names in all groups.
    pub(crate) fn with_texts(input: &Input, name: &str, budget: &Budget, wanted: &[&str]) -> Result<Self> {
        match read::read(input, name, budget, wanted) {
            Ok((arrays, texts)) => Ok(Tree { arrays, texts, values: None }),
            Err(Fault::Damaged(error)) => Err(error),
            Err(Fault::Unsupported { place, problem, .. }) => Err(input.damaged(place, problem)),
        }
    }

    /// Returns the text attribute `name` of a group; empty if the group has none.
    pub(crate) fn texts(&self, group: &str, name: &str) -> &[String] {
        self.texts.get(&format!("{group}@{name}")).map_or(&[], |texts| texts)
    }

    /// Where the values are: in the file, or in a copy of them.
    pub(crate) fn values<'a>(&'a self, file: &'a Input<'a>) -> &'a Input<'a> {
        self.values.as_ref().unwrap_or(file)
    }

    /// The array at this path.
    pub(crate) fn get(&self, path: &str) -> Option<&Array> {
        self.arrays.get(path)
    }

    /// All paths.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.arrays.keys().map(|path| &**path)
    }
}
