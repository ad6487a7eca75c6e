//! Models with open axes: their layers are built again for each length, with the same parameters.

use std::collections::BTreeSet;

use super::{InputShape, Sequential};
use crate::error::{Error, Result};
use crate::layer::{NamedLayer, mask};
use crate::param::BuildContext;
use crate::rng::Rng;
use crate::scalar::Scalar;

/// The lengths that `build` tries for a model without data.
fn lengths() -> impl Iterator<Item = usize> {
    (1..=16).chain((5..=12).map(|power| 1 << power))
}

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

    /// The shape for which the layers are built without data, if the input shape is known. Its open axes have the first of some
    /// lengths that all layers take; a trial takes at most `memory` bytes.
    pub(crate) fn shape_to_build(&self, memory: Option<usize>) -> Result<Option<Vec<usize>>> {
        let (None, Some(open)) = (&self.input, &self.open) else { return Ok(self.input.clone()) };
        let mut first = None;
        for shape in lengths().map(|length| open.with_length(length)) {
            let mut context = BuildContext::new(Rng::new(0)).within(memory.unwrap_or(usize::MAX), false);
            match place(&mut self.layers.clone(), &shape, &mut context) {
                Ok(()) => return Ok(Some(shape)),
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        Err(first.unwrap_or(Error::NotBuilt))
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
        place(&mut copy.layers, shape, &mut BuildContext::of_built())?;
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

    /// A copy built for longer open axes than the current samples have.
    #[cfg(feature = "onnx")]
    pub(crate) fn lengthened(&self) -> Result<Self> {
        let (mut copy, mut result) = (self.clone(), Ok(()));
        let Some(open) = &self.open else { return Ok(copy) };
        for shape in longer(open, self.input.as_deref().unwrap_or_default()) {
            result = copy.resize(&shape);
            if result.is_ok() {
                break;
            }
        }
        result.map(|()| copy)
    }

    /// Refuses the shortest of these lengths of the first axis that a layer does not take.
    pub(crate) fn check_lengths(&self, lengths: &[usize]) -> Result<()> {
        let (mut copy, mut shape) = (self.clone(), self.input.clone().unwrap_or_default());
        let distinct: BTreeSet<usize> = lengths.iter().copied().collect();
        for length in distinct {
            shape[0] = length;
            copy.resize(&shape)?;
        }
        Ok(())
    }

    /// Builds layers of a model with open axes for a longer shape and back: parameters that depend on it are refused, and each layer
    /// learns which of its axes are open.
    pub(super) fn vary(
        layers: &mut [NamedLayer<F>],
        open: Option<&InputShape>,
        input: &[usize],
    ) -> Result<()> {
        let Some(open) = open else { return Ok(()) };
        let mut first = None;
        for shape in longer(open, input) {
            match place(layers, &shape, &mut BuildContext::of_built()) {
                Ok(()) => return place(layers, input, &mut BuildContext::of_built()),
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        Err(first.unwrap_or(Error::NotBuilt))
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
    if let Err(error) = place(layers, shape, &mut BuildContext::of_built()) {
        place(layers, input, &mut BuildContext::of_built())?;
        return Err(error);
    }
    input.clear();
    input.extend(shape);
    Ok(())
}

/// Shapes with longer open axes. The first is twice as long and more, so that pools with any usual stride have another number of
/// outputs; the others are multiples, for layers that need one.
fn longer(open: &InputShape, input: &[usize]) -> [Vec<usize>; 3] {
    let longest = open.axes().iter().zip(input).filter(|(axis, _)| axis.is_none()).map(|(_, len)| *len).max();
    let longest = longest.unwrap_or(0);
    let lengths =
        [longest.saturating_mul(2).saturating_add(64), longest.saturating_mul(2), longest.saturating_mul(3)];
    lengths.map(|length| open.with_length(length))
}

/// Builds the layers for samples of this shape.
fn place<F: Scalar>(layers: &mut [NamedLayer<F>], input: &[usize], context: &mut BuildContext) -> Result<()> {
    let mut shape = input.to_vec();
    for (index, layer) in layers.iter_mut().enumerate() {
        shape = layer.place(index, &shape, context)?;
    }
    mask::check(layers)
}
