//! Models with open axes: their layers are built again for each length, with the same parameters.

use super::{InputShape, Sequential};
use crate::error::{Error, Result};
use crate::layer::{NamedLayer, mask};
use crate::param::BuildContext;
use crate::rng::Rng;
use crate::scalar::Scalar;

/// The longest axis that `build` tries for a model without data.
const LONGEST: usize = 1 << 12;

impl<F: Scalar> Sequential<F> {
    /// The shape of one input sample; `None` for an axis of any length.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let model = Sequential::new().input([None, Some(3)]);
    /// assert_eq!(model.input_axes().unwrap().to_string(), "(None, 3)");
    /// assert_eq!(Sequential::new().input_axes(), None);
    /// ```
    pub fn input_axes(&self) -> Option<InputShape> {
        self.open.clone().or_else(|| self.input.as_deref().map(InputShape::from))
    }

    /// The shape for which the layers are built without data, if the input shape is known. Its open axes have the shortest of the
    /// lengths 1, 2, 4, ... that all layers take, of which a trial takes at most `memory` bytes.
    pub(crate) fn shape_to_build(&self, memory: Option<usize>) -> Result<Option<Vec<usize>>> {
        let (None, Some(open)) = (&self.input, &self.open) else { return Ok(self.input.clone()) };
        let mut length = 1;
        loop {
            let shape = open.with_length(length);
            // The memory of parameters without values is not touched.
            let context = || BuildContext::new(Rng::new(0)).within(memory.unwrap_or(usize::MAX), false);
            match place(&mut self.layers.clone(), &shape, context) {
                Ok(()) => return Ok(Some(shape)),
                Err(error) if length == LONGEST => return Err(error),
                Err(_) => length *= 2,
            }
        }
    }

    /// A copy of the model built for samples of this shape, or `None` if it is built for them or does not take them.
    ///
    /// # Errors
    /// [`Error::Layer`] from the first layer that does not take the length.
    pub(crate) fn resized(&self, shape: &[usize]) -> Result<Option<Self>> {
        if !self.is_built() || !self.resizes(shape) {
            return Ok(None);
        }
        let mut copy = self.clone();
        place(&mut copy.layers, shape, BuildContext::of_built)?;
        copy.input = Some(shape.to_vec());
        Ok(Some(copy))
    }

    /// Builds the layers again for samples of this shape, if the model takes them. On failure the model is unchanged.
    ///
    /// # Errors
    /// [`Error::Layer`] from the first layer that does not take the length.
    pub(crate) fn resize(&mut self, shape: &[usize]) -> Result<()> {
        if !self.resizes(shape) {
            return Ok(());
        }
        let Some(input) = &mut self.input else { return Err(Error::NotBuilt) };
        resize(&mut self.layers, input, shape)
    }

    /// A shape with longer open axes than the current samples have.
    #[cfg(feature = "onnx")]
    pub(crate) fn longer_shape(&self) -> Vec<usize> {
        let input = self.input.as_deref().unwrap_or_default();
        self.open.as_ref().map_or_else(|| input.to_vec(), |open| longer(open, input))
    }

    /// Whether samples of this shape need other layers.
    fn resizes(&self, shape: &[usize]) -> bool {
        self.input.as_deref() != Some(shape)
            && !shape.contains(&0)
            && self.open.as_ref().is_some_and(|open| open.includes(shape))
    }
}

/// Builds the layers again for samples of this shape. On failure they remain built for `input`.
pub(crate) fn resize<F: Scalar>(
    layers: &mut [NamedLayer<F>],
    input: &mut Vec<usize>,
    shape: &[usize],
) -> Result<()> {
    if let Err(error) = place(layers, shape, BuildContext::of_built) {
        place(layers, input, BuildContext::of_built)?;
        return Err(error);
    }
    input.clear();
    input.extend(shape);
    Ok(())
}

/// Builds layers of a model with open axes for a longer shape and back: parameters that depend on it are refused, and each layer
/// learns which of its axes are open.
pub(super) fn vary<F: Scalar>(
    layers: &mut [NamedLayer<F>],
    open: Option<&InputShape>,
    input: &[usize],
) -> Result<()> {
    let Some(open) = open else { return Ok(()) };
    place(layers, &longer(open, input), BuildContext::of_built)?;
    place(layers, input, BuildContext::of_built)
}

/// A shape with longer open axes: twice as long and more, so that pools with any usual stride have another number of outputs.
fn longer(open: &InputShape, input: &[usize]) -> Vec<usize> {
    let longest = open.axes().iter().zip(input).filter(|(axis, _)| axis.is_none()).map(|(_, len)| *len).max();
    open.with_length(longest.unwrap_or(0).saturating_mul(2).saturating_add(64))
}

/// Builds the layers for samples of this shape, each in a new context.
fn place<F: Scalar>(
    layers: &mut [NamedLayer<F>],
    input: &[usize],
    context: impl Fn() -> BuildContext,
) -> Result<()> {
    let mut shape = input.to_vec();
    for (index, layer) in layers.iter_mut().enumerate() {
        shape = layer.place(index, &shape, &mut context())?;
    }
    mask::check(layers)
}
