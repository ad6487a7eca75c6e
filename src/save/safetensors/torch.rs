//! Weights in PyTorch's layout: `weight` is outputs × inputs, and the spatial axes of a convolution come last.

use std::path::Path;

use super::super::{Loader, assign};
use super::header::{Header, of_other_type};
use crate::error::{Error, Result};
use crate::files::array::Array;
use crate::files::input::Input;
use crate::layer::{Layer, NamedLayer};
use crate::model::Sequential;
use crate::scalar::Scalar;

impl<F: Scalar> Sequential<F> {
    /// Loads weights from a `.safetensors` file written by PyTorch, given a map from its names to paths.
    ///
    /// Each weight of the model must be named; other tensors in the file are ignored, whatever their type. Numbers of 16 bits,
    /// `BF16` included, and integers of 32 and 64 bits are converted; a named tensor of another type is refused.
    ///
    /// Axes are permuted: those of a `Dense` or recurrent kernel are swapped; `(out, in, steps)` or `(out, in, rows,
    /// columns)` of a convolution become `(steps, in, out)` or `(rows, columns, in, out)`. Two names for one path are
    /// added, for the two biases of a PyTorch LSTM, whose gates have the same order. The gates of a GRU are
    /// reordered, and its two biases become the two rows of `bias`: `bias_ih` the first, `bias_hh` the second, and
    /// other names in the given order. A `Gru` with `reset_after(false)` does not exist in PyTorch and is refused.
    ///
    /// # Errors
    /// [`Error::NotBuilt`]; [`Error::Unknown`] for an unknown name or path, or a weight that is not named;
    /// [`Error::WeightShape`]; [`FileError::Damaged`](crate::error::FileError::Damaged),
    /// [`FileError::Io`](crate::error::FileError::Io). The model is then unchanged.
    ///
    /// # Example
    /// ```no_run
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([784]).add(Dense::new(10).name("F1"));
    /// model.build()?;
    /// // torch: safetensors.torch.save_file(net.state_dict(), "net.safetensors")
    /// model.load_torch_weights("net.safetensors", [("fc1.weight", "F1/kernel"), ("fc1.bias", "F1/bias")])?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn load_torch_weights<'a>(
        &mut self,
        path: impl AsRef<Path>,
        names: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<()> {
        let names: Vec<(&str, &str)> = names.into_iter().collect();
        let input = Input::open(path.as_ref())?;
        let budget = Loader::<F>::with_scalar().budget(input.len());
        let header = Header::read(&input, &budget)?;
        let weights = self.weights()?;
        let known: Vec<String> = weights.iter().map(|(path, _)| path.clone()).collect();
        if let Some((_, path)) = names.iter().find(|(_, path)| !known.iter().any(|known| known == path)) {
            return Err(Error::Unknown { what: "weight in the model", name: (*path).into(), known });
        }
        let kinds = kinds(self.layers());
        let mut values: Vec<Vec<F>> = Vec::new();
        for ((path, weight), kind) in weights.iter().zip(&kinds) {
            let mut sum: Option<Vec<F>> = None;
            // One row per name, or the sum of all.
            let (rows, shape) = kind.rows(weight.shape());
            let sources = names.iter().filter(|(_, to)| to == path);
            if rows > 1 && sources.clone().count() != rows {
                let problem = format!("expected {rows} names for it, found {}", sources.count());
                return Err(input.damaged(path.as_str(), problem));
            }
            let mut parts: Vec<(usize, Vec<F>)> = Vec::new();
            for (number, (name, _)) in sources.enumerate() {
                let found = header.tensors.iter().find(|(known, _)| known == name);
                if let Some((_, kind)) = header.others.iter().find(|(known, _)| known == name) {
                    return Err(input.damaged(*name, of_other_type(kind)));
                }
                let Some((_, array)) = found else {
                    let known = header.tensors.iter().map(|(name, _)| name.clone()).collect();
                    return Err(Error::Unknown { what: "tensor in the file", name: (*name).into(), known });
                };
                let value = turned(&input, array, path, shape, kind, &budget)?;
                match &mut sum {
                    _ if rows > 1 => parts.push((row_of(name, number), value)),
                    None => sum = Some(value),
                    Some(sum) => sum.iter_mut().zip(value).for_each(|(sum, value)| *sum += value),
                }
            }
            if rows > 1 {
                parts.sort_by_key(|(row, _)| *row);
                sum = Some(parts.into_iter().flat_map(|(_, row)| row).collect());
            }
            if let (true, Some(sum)) = (kind.kind == GRU, &mut sum) {
                exchange_gates(sum, weight.shape());
            }
            let missing = || Error::Unknown {
                what: "name for the weight",
                name: path.clone(),
                known: names.iter().map(|(_, path)| (*path).into()).collect(),
            };
            values.push(sum.ok_or_else(missing)?);
        }
        assign::set(self, values);
        Ok(())
    }
}

const GRU: &str = "GRU";

/// The kind of a parameter.
struct ParamKind {
    /// The kind of layer.
    kind: String,
    /// The parameter's name.
    name: &'static str,
    /// Whether PyTorch has such a layer.
    is_there: bool,
}

impl ParamKind {
    /// The number of PyTorch arrays per parameter, as its rows, and the shape of each.
    fn rows<'a>(&self, shape: &'a [usize]) -> (usize, &'a [usize]) {
        match shape {
            [rows, row @ ..] if self.kind == GRU && self.name == "bias" && !row.is_empty() => (*rows, row),
            _ => (1, shape),
        }
    }
}

/// Returns the kind of each parameter, in the model's order.
fn kinds<F: Scalar>(layers: &[NamedLayer<F>]) -> Vec<ParamKind> {
    let mut all = Vec::new();
    for layer in layers {
        let before = || layer.config().is_some_and(|config| config.get("reset_after") == Some(&false.into()));
        let is_there = layer.kind() != GRU || !before();
        layer.visit_params(&mut |param| {
            all.push(ParamKind { kind: layer.kind().into(), name: param.name(), is_there })
        });
        all.extend(kinds(layer.layers()));
    }
    all
}

/// The row of a GRU's bias that a name means.
fn row_of(name: &str, number: usize) -> usize {
    match name {
        name if name.contains("bias_ih") => 0,
        name if name.contains("bias_hh") => 1,
        _ => number,
    }
}

/// Swaps the first two of the three gates: PyTorch has reset, update, new; cornu has update, reset, new.
fn exchange_gates<F: Scalar>(value: &mut [F], shape: &[usize]) {
    let wide = shape.last().copied().unwrap_or(0);
    for row in value.chunks_exact_mut(wide.max(1)) {
        let (reset, rest) = row.split_at_mut(wide / 3);
        reset.swap_with_slice(&mut rest[..wide / 3]);
    }
}

/// Returns the numbers of an array with the axes in our order.
fn turned<F: Scalar>(
    input: &Input,
    array: &Array,
    path: &str,
    wanted: &[usize],
    kind: &ParamKind,
    budget: &crate::files::budget::Budget,
) -> Result<Vec<F>> {
    if !kind.is_there {
        return Err(input.damaged(path, "PyTorch has no GRU with `reset_after(false)`"));
    }
    // For each of our axes, PyTorch's.
    let axes: &[usize] = match (&*kind.kind, kind.name, wanted.len()) {
        (_, "kernel" | "recurrent_kernel", 2) => &[1, 0],
        ("DepthwiseConv1D", "kernel", _) | (_, "depthwise_kernel", 3) => &[2, 0, 1],
        ("DepthwiseConv2D", "kernel", _) | (_, "depthwise_kernel", 4) => &[2, 3, 0, 1],
        (_, "kernel" | "pointwise_kernel", 3) => &[2, 1, 0],
        (_, "kernel" | "pointwise_kernel", 4) => &[2, 3, 1, 0],
        _ => &[0, 1, 2, 3][..wanted.len().min(4)],
    };
    let mut shape = array.shape.clone();
    // PyTorch has one channel per filter; we have multiples per channel.
    if let (&[2, 0, 1] | &[2, 3, 0, 1], &[filters, 1, ..]) = (axes, &shape[..]) {
        let channels = wanted[wanted.len() - 2].max(1);
        (shape[0], shape[1]) = (channels, filters / channels);
    }
    let here: Vec<usize> = axes.iter().filter_map(|&axis| shape.get(axis).copied()).collect();
    if shape.len() != wanted.len() || here != wanted {
        let (expected, found) = (axes_there(wanted, axes), array.shape.clone());
        return Err(Error::WeightShape { path: path.into(), expected, found });
    }
    let value: Vec<F> = assign::read(input, array, path, budget)?;
    if axes.is_sorted() {
        return Ok(value);
    }
    budget.take_many::<F>(value.len()).map_err(|spent| input.spent(path, spent))?;
    let view = ndarray::ArrayViewD::from_shape(shape, &value).map_err(Error::outside)?;
    Ok(view.permuted_axes(axes).iter().copied().collect())
}

/// Returns the shape expected in the file.
fn axes_there(wanted: &[usize], axes: &[usize]) -> Vec<usize> {
    let mut shape = wanted.to_vec();
    axes.iter().zip(wanted).for_each(|(&axis, &size)| shape[axis] = size);
    shape
}
