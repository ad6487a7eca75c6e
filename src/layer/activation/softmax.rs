//! Softmax: y = e^x / Σ e^x along one axis. dx = y ⊙ (dy − ⟨dy, y⟩).

use crate::activation::Activation;
use crate::config::{setters, settings};
use crate::error::Result;
use crate::layer::axis::{JoinedAxes, MovedAxes};
use crate::layer::check::check_not_empty;
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Converts scores to probabilities, `y = eˣ / Σ eˣ`, along one axis, by default the last.
///
/// # Shapes
/// Input and output `(...)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let mut model = Sequential::new().input([2]).add(Softmax::new());
/// model.build()?;
/// assert_eq!(model.predict(&array![[3.0f32, 3.0]])?, array![[0.5, 0.5]].into_dyn());
///
/// let mut model = Sequential::new().input([2, 1]).add(Softmax::new().axis(1));
/// model.build()?;
/// assert_eq!(model.predict(&array![[[3.0f32], [3.0]]])?, array![[[0.5], [0.5]]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) if the samples have no such axis, and for an input with a mask
/// unless the axis is the last;
/// [`Error::InputShape`](crate::Error::InputShape) if an axis has length 0.
///
/// # References
/// <https://keras.io/api/layers/activation_layers/softmax/>
#[derive(Debug, Clone)]
pub struct Softmax {
    axis: JoinedAxes,
    vectors: MovedAxes,
}

impl Softmax {
    /// Creates a softmax along the last axis.
    pub fn new() -> Self {
        Softmax { axis: JoinedAxes(vec![-1]), vectors: MovedAxes::default() }
    }

    setters! {
        /// The axis, as in Keras: from 1 for the first axis of a sample (0 counts the samples), or from −1 for the last.
        /// Default: −1.
        axis: isize => axis.0[0];
    }
}

impl Default for Softmax {
    fn default() -> Self {
        Softmax::new()
    }
}

impl<F: Scalar> Layer<F> for Softmax {
    saved!("Softmax");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        check_not_empty(input)?;
        self.vectors = MovedAxes::new(&self.axis, input)?;
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        self.vectors.forward(x, y, scratch, |x, mut y, _| {
            y.data().copy_from_slice(x.data());
            Activation::Softmax.apply(y);
        });
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        // The slope depends on the output alone.
        let context = BackwardContext { x: context.y, ..context };
        self.vectors.backward(context, |context| {
            let Some(mut dx) = context.dx else { return };
            dx.data().copy_from_slice(context.dy.as_batch().data());
            Activation::Softmax.backward(context.x, context.x, dx);
        });
    }

    fn traits(&self) -> LayerTraits {
        // Along another axis, padding would take part in the sums.
        let is_last = self.vectors.are_last() && self.axis.0.len() == 1;
        let mask = if is_last { MaskRule::Passes } else { MaskRule::Refuses };
        LayerTraits {
            mask,
            activation: Some(Activation::Softmax),
            memory: self.vectors.memory(),
            ..LayerTraits::default()
        }
    }
}

settings!([] Softmax { "axis": axis });
