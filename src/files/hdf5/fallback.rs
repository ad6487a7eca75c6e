//! Files with newer superblocks, chunks or filters: `hdf5-pure` unpacks their arrays into a temporary file.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hdf5_pure::{Dataset, Group};

use super::super::budget::Budget;
use super::super::input::Input;
use super::{Array, DEEPEST, member};
use crate::files::{Parsed, hdf5_library};

/// Reads all arrays, and returns them with the file of their values. The memory for the file and for one array at a time
/// comes out of the budget.
pub(super) fn read(input: &Input, budget: &Budget) -> Parsed<(HashMap<String, Array>, Input<'static>)> {
    let read = AssertUnwindSafe(|| {
        let bytes = input.take("the file", 0, input.len(), budget).map_err(|error| error.to_string())?;
        let file = hdf5_library::from_bytes(bytes)?;
        let values = tempfile::tempfile().map_err(|error| error.to_string())?;
        let mut copy = Copy { len: input.len(), budget, values, end: 0, arrays: HashMap::new() };
        copy.group(&file.root(), "", 0)?;
        budget.give(input.len() as usize);
        let values = Input::file(input.name(), copy.values).map_err(|error| error.to_string())?;
        Ok((copy.arrays, values))
    });
    // The crate may panic on a damaged file.
    catch_unwind(read).unwrap_or_else(|_| Err("it is damaged".into()))
}

/// The copy of the arrays so far.
struct Copy<'a> {
    /// The length of the file.
    len: u64,
    budget: &'a Budget,
    values: File,
    /// The end of the values.
    end: u64,
    arrays: HashMap<String, Array>,
}

impl Copy<'_> {
    fn group(&mut self, group: &Group, path: &str, depth: usize) -> Parsed<()> {
        let fail = |problem: hdf5_pure::Error| format!("`{path}`: {problem}");
        for name in group.datasets().map_err(fail)? {
            let inner = member(path, &name);
            let array = self.array(&group.dataset(&name).map_err(fail)?);
            self.arrays.insert(inner.clone(), array.map_err(|problem| format!("`{inner}`: {problem}"))?);
        }
        for name in group.groups().map_err(fail)? {
            self.take(64)?;
            if depth == DEEPEST {
                return Err(format!("`{path}`: a cyclic or too deeply nested group"));
            }
            self.group(&group.group(&name).map_err(fail)?, &member(path, &name), depth + 1)?;
        }
        Ok(())
    }

    fn array(&mut self, dataset: &Dataset) -> Parsed<Array> {
        let text = |error: hdf5_pure::Error| error.to_string();
        let shape = hdf5_library::shape(dataset, self.len)?;
        let Some((number, false)) = hdf5_library::number(&dataset.datatype().map_err(text)?) else {
            return Err("a type that is not a plain little-endian number".into());
        };
        let len = shape.iter().product::<usize>() * number.size();
        let chunk = dataset.chunk_shape().map_err(text)?.unwrap_or_default();
        let chunk = chunk.iter().product::<u64>() as usize * number.size();
        self.take(2 * (shape.len() * 8 + size_of::<(String, Array)>()))?;
        self.take(len + chunk)?;
        let values = dataset.read_raw().map_err(text)?;
        if values.len() != len {
            return Err(format!("{} bytes for an array of shape {shape:?}", values.len()));
        }
        self.values.write_all(&values).map_err(|error| error.to_string())?;
        self.budget.give(len + chunk);
        let start = self.end;
        self.end += len as u64;
        Ok(Array { number, shape, start })
    }

    fn take(&self, bytes: usize) -> Parsed<()> {
        self.budget.take(bytes).map_err(|spent| spent.to_string())
    }
}
