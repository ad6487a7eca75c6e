//! Softmax: y = e^x / Σ e^x along one axis. dx = y ⊙ (dy − ⟨dy, y⟩).

use crate::activation::{Activation, softmax_backward, softmax_forward};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::layer::axis::{AlongAxis, JoinedAxes};
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
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
/// At `build`: [`Error::Argument`](crate::Error::Argument) if the samples have no such axis.
///
/// # References
/// <https://keras.io/api/layers/activation_layers/softmax/>
#[derive(Debug, Clone)]
pub struct Softmax {
    axis: JoinedAxes,
    vectors: AlongAxis,
}

impl Softmax {
    /// Creates a softmax along the last axis.
    pub fn new() -> Self {
        Softmax { axis: JoinedAxes(vec![-1]), vectors: AlongAxis { len: 1, stride: 1 } }
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
        self.vectors = self.axis.along(input)?;
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        y.data().copy_from_slice(x.data());
        let AlongAxis { len, stride } = self.vectors;
        if stride == 1 {
            return Activation::Softmax.apply(y.reshape(len));
        }
        for block in y.data().chunks_exact_mut((len * stride).max(1)) {
            (0..stride).for_each(|start| softmax_forward(&mut block[start..], len, stride));
        }
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(mut dx) = context.dx else { return };
        dx.data().copy_from_slice(context.dy.as_batch().data());
        let AlongAxis { len, stride } = self.vectors;
        let block = (len * stride).max(1);
        for (y, dx) in context.y.data().chunks_exact(block).zip(dx.data().chunks_exact_mut(block)) {
            (0..stride).for_each(|start| softmax_backward(&y[start..], &mut dx[start..], len, stride));
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { activation: Some(Activation::Softmax), ..LayerTraits::default() }
    }
}

settings!([] Softmax { "axis": axis });
