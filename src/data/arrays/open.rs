//! Detection of the file format by the first bytes.

use std::path::Path;

use super::plain::Located;
use super::value::ArrayValue;
use crate::error::{Error, FileError, Result};
use crate::files::input::Input;

/// An open file of a known format.
pub(super) enum Opened {
    #[cfg(feature = "npy")]
    Npy(Input<'static>),
    #[cfg(feature = "npy")]
    Npz(Input<'static>),
    #[cfg(feature = "mat")]
    Mat(Input<'static>),
    /// Version 4.
    #[cfg(feature = "mat")]
    OldMat(Input<'static>),
    #[cfg(feature = "hdf5")]
    Hdf5(super::hdf5::Hdf5),
}

impl Opened {
    pub(super) fn new(path: &Path) -> Result<Self> {
        let input = Input::open(path)?;
        let mut front = [0; 128];
        let len = input.len().min(128) as usize;
        input.read("its beginning", 0, &mut front[..len])?;
        let front = &front[..len];
        let signature = b"\x89HDF\r\n\x1a\n";
        let mut far = [0; 8];
        if input.len() >= 520 {
            input.read("its beginning", 512, &mut far)?;
        }
        if front.starts_with(signature) || (front.starts_with(b"MATLAB 7.3") || far == *signature) {
            #[cfg(feature = "hdf5")]
            return Ok(Opened::Hdf5(super::hdf5::Hdf5::open(path, front.starts_with(b"MATLAB"))?));
            #[cfg(not(feature = "hdf5"))]
            return Err(feature(path, "HDF5, also of MATLAB 7.3", "hdf5"));
        }
        if front.starts_with(b"\x93NUMPY") {
            #[cfg(feature = "npy")]
            return Ok(Opened::Npy(input));
            #[cfg(not(feature = "npy"))]
            return Err(feature(path, ".npy", "npy"));
        }
        if front.starts_with(b"PK") {
            #[cfg(feature = "npy")]
            return Ok(Opened::Npz(input));
            #[cfg(not(feature = "npy"))]
            return Err(feature(path, ".npz", "npy"));
        }
        if matches!(front.get(126..128), Some(b"IM" | b"MI")) {
            #[cfg(feature = "mat")]
            return Ok(Opened::Mat(input));
            #[cfg(not(feature = "mat"))]
            return Err(feature(path, ".mat", "mat"));
        }
        #[cfg(feature = "mat")]
        if super::mat::old::begins(front) {
            return Ok(Opened::OldMat(input));
        }
        Err(input.damaged("its beginning", "not a .npy, .npz, .mat or HDF5 file, or truncated"))
    }

    /// Returns the names of all arrays.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        match *self {
            #[cfg(feature = "npy")]
            Opened::Npy(_) => Ok(vec!["x".into()]),
            #[cfg(feature = "npy")]
            Opened::Npz(ref input) => super::numpy::names(input),
            #[cfg(feature = "mat")]
            Opened::Mat(ref input) => super::mat::names(input),
            #[cfg(feature = "mat")]
            Opened::OldMat(ref input) => super::mat::old::names(input),
            #[cfg(feature = "hdf5")]
            Opened::Hdf5(ref file) => file.names(),
        }
    }

    /// Locates the numbers with this name, or describes what is there instead.
    pub(super) fn plain(&self, name: &str, scratch: Option<&Path>) -> Result<Located> {
        let (path, found) = match *self {
            #[cfg(feature = "npy")]
            Opened::Npy(ref input) => (input.name(), super::numpy::plain_npy(input, name)?),
            #[cfg(feature = "npy")]
            Opened::Npz(ref input) => (input.name(), super::numpy::plain_member(input, name, scratch)?),
            #[cfg(feature = "mat")]
            Opened::Mat(ref input) => (input.name(), super::mat::plain(input, name, scratch)?),
            #[cfg(feature = "mat")]
            Opened::OldMat(ref input) => (input.name(), super::mat::old::plain(input, name)?),
            #[cfg(feature = "hdf5")]
            Opened::Hdf5(ref file) => (file.path(), file.plain(name, scratch)?),
        };
        found.map_or_else(|| Err(self.no(path, name)?), Ok)
    }

    /// Reads the entry with this name.
    pub(super) fn value(&self, name: &str) -> Result<ArrayValue> {
        let (path, found) = match *self {
            #[cfg(feature = "npy")]
            Opened::Npy(ref input) => (input.name(), super::numpy::npy(input, name)?),
            #[cfg(feature = "npy")]
            Opened::Npz(ref input) => (input.name(), super::numpy::member(input, name)?),
            #[cfg(feature = "mat")]
            Opened::Mat(ref input) => (input.name(), super::mat::variable(input, name)?),
            #[cfg(feature = "mat")]
            Opened::OldMat(ref input) => (input.name(), super::mat::old::variable(input, name)?),
            #[cfg(feature = "hdf5")]
            Opened::Hdf5(ref file) => (file.path(), file.value(name)?),
        };
        match found {
            Some(value) => Ok(value),
            None => Err(self.no(path, name)?),
        }
    }

    /// The error that no array has this name.
    fn no(&self, path: &str, name: &str) -> Result<Error> {
        let (path, known) = (path.into(), some(self.names()?));
        Ok(FileError::Column { path, what: "array", name: name.into(), known }.into())
    }
}

/// Shortens a list to twenty names.
pub(super) fn some(mut names: Vec<String>) -> Vec<String> {
    let count = names.len();
    if count > 20 {
        names.truncate(20);
        names.push(format!("... {count} in all"));
    }
    names
}

#[allow(dead_code, reason = "for a format whose feature is off")]
fn feature(path: &Path, format: &'static str, feature: &'static str) -> Error {
    FileError::Feature { path: path.display().to_string(), format, feature }.into()
}
