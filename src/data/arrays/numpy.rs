//! `.npy` and `.npz`.

use super::Value;
use crate::error::Result;
use crate::files::budget::Budget;
use crate::files::input::Input;
use crate::files::npy;
use crate::files::zip::Archive;

/// What a member may unpack to is bound by what deflate can do.
fn budget(input: &Input) -> Budget {
    Budget::bytes(usize::try_from(input.len().saturating_mul(1040) + (1 << 20)).unwrap_or(usize::MAX))
}

/// The names of an archive's arrays.
pub(super) fn names(input: &Input) -> Result<Vec<String>> {
    let archive = Archive::open(input, &budget(input))?;
    Ok(archive.names().map(|name| name.strip_suffix(".npy").unwrap_or(name).to_string()).collect())
}

/// An array of an archive.
pub(super) fn member(input: &Input, name: &str) -> Result<Option<Value>> {
    let budget = budget(input);
    let archive = Archive::open(input, &budget)?;
    let long = format!("{name}.npy");
    let content = match archive.member(&long, &budget)? {
        Some(content) => Some(content),
        None => archive.member(name, &budget)?,
    };
    let Some(content) = content else { return Ok(None) };
    Ok(Some(Value::Numbers(npy::header(&content, name)?.values(&content, name)?)))
}

/// The file's own array, called `x`, or that of another file, by its path.
pub(super) fn npy(input: &Input, name: &str) -> Result<Option<Value>> {
    let array = |input: &Input| npy::header(input, "its header")?.values(input, "its numbers");
    if name == "x" || name == input.name() {
        return Ok(Some(Value::Numbers(array(input)?)));
    }
    if !name.to_lowercase().ends_with(".npy") {
        return Ok(None);
    }
    Ok(Some(Value::Numbers(array(&Input::open(std::path::Path::new(name))?)?)))
}
