//! Weights as `.npz`: one array for each weight, under its path.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use ndarray::{ArrayD, IxDyn, OwnedRepr};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpyError, ReadNpzError};

use super::atomic;
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::scalar::Scalar;

impl<F: Scalar> Sequential<F> {
    /// Writes all weights to a `.npz` file, each under its path, as `F1/kernel`; NumPy reads it by `numpy.load`. The
    /// file is whole or not there, whatever happens.
    ///
    /// # Errors
    /// [`Error::NotBuilt`], or an [`Error::Outside`] that names the file.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let path = std::env::temp_dir().join("cornu-example-weights.npz");
    /// let mut model = Sequential::new().seed(1).input([3]).add(Dense::new(2).name("F1"));
    /// model.build()?;
    /// model.save_weights(&path)?;
    /// let mut other = Sequential::new().seed(2).input([3]).add(Dense::new(2).name("F1"));
    /// other.build()?;
    /// other.load_weights(&path)?;
    /// assert_eq!(other.weight("F1/kernel")?, model.weight("F1/kernel")?);
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let weights = self.weights()?;
        let written = atomic::replace(path, |file| {
            let mut npz = NpzWriter::new(BufWriter::new(file));
            for (name, weight) in &weights {
                match F::NAME {
                    "f32" => npz.add_array(name, &weight.mapv(|w| w.as_f64() as f32)),
                    _ => npz.add_array(name, &weight.mapv(|w| w.as_f64())),
                }
                .map_err(std::io::Error::other)?;
            }
            npz.finish().map(drop).map_err(std::io::Error::other)
        });
        written.map_err(|error| named(path, error))
    }

    /// Reads all weights from a `.npz` file that [`Sequential::save_weights`] wrote, of either precision.
    ///
    /// # Errors
    /// [`Error::NotBuilt`]; an [`Error::Outside`] that names a file which is missing or damaged; [`Error::Unknown`] or
    /// [`Error::WeightShape`] for a weight that only one of the two has,
    /// or of another shape. The model is unchanged then.
    ///
    /// # Example
    /// See [`Sequential::save_weights`].
    pub fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| named(path, error))?;
        let mut npz = NpzReader::new(file).map_err(|error| named(path, error))?;
        let names: Vec<String> = npz.names().map_err(|error| named(path, error))?;
        let known: Vec<String> = names.iter().map(|name| name.trim_end_matches(".npy").into()).collect();
        let paths: Vec<String> = self.weights()?.into_iter().map(|(path, _)| path).collect();
        if let Some(name) = known.iter().find(|name| !paths.contains(name)) {
            return Err(Error::Unknown { what: "weight in the model", name: name.clone(), known: paths });
        }
        let mut values: Vec<ArrayD<f64>> = Vec::new();
        for (wanted, weight) in self.weights()? {
            let Some(place) = known.iter().position(|name| *name == wanted) else {
                return Err(Error::Unknown { what: "weight in the file", name: wanted, known });
            };
            let narrow = npz.by_name::<OwnedRepr<f32>, IxDyn>(&names[place]);
            let value = match narrow {
                Ok(value) => value.mapv(f64::from),
                Err(ReadNpzError::Npy(ReadNpyError::WrongDescriptor(_))) => npz
                    .by_name::<OwnedRepr<f64>, IxDyn>(&names[place])
                    .map_err(|error| named(path, format!("{wanted}: {error}")))?,
                Err(error) => return Err(named(path, format!("{wanted}: {error}"))),
            };
            if value.shape() != weight.shape() {
                let (expected, found) = (weight.shape().to_vec(), value.shape().to_vec());
                return Err(Error::WeightShape { path: wanted, expected, found });
            }
            values.push(value);
        }
        let mut values = values.iter();
        self.walk_mut(&mut |_, param| {
            if let Some(value) = values.next() {
                param.array_mut().zip_mut_with(value, |to, &from| *to = F::of(from));
            }
        });
        Ok(())
    }
}

/// An error with the file that it is about.
fn named(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::outside(std::io::Error::other(format!("{}: {error}", path.display())))
}
