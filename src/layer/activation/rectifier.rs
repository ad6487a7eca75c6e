//! ReLU and related activations as layers, with Keras's defaults for layers.

use crate::activation::Activation;
use crate::config::{setters, settings};
use crate::error::Result;
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// `y = x` above `threshold`, clipped to `0..=max_value` if that is set, and `negative_slope·(x − threshold)` below.
///
/// | setter | default |
/// |---|---|
/// | `max_value` | none |
/// | `negative_slope` | 0 |
/// | `threshold` | 0 |
///
/// # Shapes
/// Input and output `(..., channels)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let mut model = Sequential::new().input([3]).add(Relu::new().max_value(2.0));
/// model.build()?;
/// assert_eq!(model.predict(&array![[-1.0f32, 1.0, 3.0]])?, array![[0.0, 1.0, 2.0]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) for a number that is not finite, or a negative maximum.
///
/// # References
/// <https://keras.io/api/layers/activation_layers/relu/>
#[derive(Debug, Clone)]
pub struct Relu {
    negative_slope: f64,
    max_value: Option<f64>,
    threshold: f64,
}

/// `y = x` for `x ≥ 0`, else `negative_slope·x`.
///
/// As in Keras, the default slope is 0.3 for the layer and 0.2 for the function.
///
/// | setter | default |
/// |---|---|
/// | `negative_slope` | 0.3 |
///
/// # Shapes
/// Input and output `(..., channels)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let mut model = Sequential::new().input([2]).add(LeakyRelu::new().negative_slope(0.5));
/// model.build()?;
/// assert_eq!(model.predict(&array![[-1.0f32, 1.0]])?, array![[-0.5, 1.0]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) for a slope that is not finite.
///
/// # References
/// Maas et al. (2013), *Rectifier nonlinearities improve neural network acoustic models*;
/// <https://keras.io/api/layers/activation_layers/leaky_relu/>
#[derive(Debug, Clone)]
pub struct LeakyRelu {
    negative_slope: f64,
}

/// `y = x` for `x > 0`, else `alpha·(eˣ − 1)`.
///
/// | setter | default |
/// |---|---|
/// | `alpha` | 1 |
///
/// # Shapes
/// Input and output `(..., channels)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([2]).add(Elu::new().alpha(0.5));
/// model.build()?;
/// let y = model.predict(&ndarray::array![[-1.0, 2.0]])?;
/// assert!((y[[0, 0]] - 0.5 * ((-1.0f32).exp() - 1.0)).abs() < 1e-6 && y[[0, 1]] == 2.0);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) for an alpha that is not finite.
///
/// # References
/// Clevert et al. (2015), *Fast and accurate deep network learning by exponential linear units*;
/// <https://keras.io/api/layers/activation_layers/elu/>
#[derive(Debug, Clone)]
pub struct Elu {
    alpha: f64,
}

impl Relu {
    /// Creates the layer `max(x, 0)`.
    pub fn new() -> Self {
        Relu { negative_slope: 0.0, max_value: None, threshold: 0.0 }
    }

    /// The maximum output. Default: none.
    pub fn max_value(mut self, max_value: f64) -> Self {
        self.max_value = Some(max_value);
        self
    }

    setters! {
        /// The slope below the threshold. Default: 0.
        negative_slope: f64;
        /// The input at which the slope changes. Default: 0.
        threshold: f64;
    }

    fn function(&self) -> Activation {
        let Relu { negative_slope, max_value, threshold } = *self;
        match (negative_slope, max_value, threshold) {
            (0.0, None, 0.0) => Activation::Relu,
            _ => Activation::ReluWith { negative_slope, max_value, threshold },
        }
    }
}

impl LeakyRelu {
    /// Creates the layer with slope 0.3.
    pub fn new() -> Self {
        LeakyRelu { negative_slope: 0.3 }
    }

    setters! {
        /// The slope below 0. Default: 0.3.
        negative_slope: f64;
    }

    fn function(&self) -> Activation {
        Activation::LeakyRelu { negative_slope: self.negative_slope }
    }
}

impl Elu {
    /// Creates the layer with alpha 1.
    pub fn new() -> Self {
        Elu { alpha: 1.0 }
    }

    setters! {
        /// The limit of the output for large negative inputs, negated. Default: 1.
        alpha: f64;
    }

    fn function(&self) -> Activation {
        Activation::Elu { alpha: self.alpha }
    }
}

/// Implements a layer by the activation that its method `function` returns.
macro_rules! as_activation {
    ($($layer:ident, $kind:literal;)*) => {$(
        impl Default for $layer {
            fn default() -> Self {
                $layer::new()
            }
        }

        impl<F: Scalar> Layer<F> for $layer {
            saved!($kind);

            fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
                Layer::<F>::build(&mut self.function(), input, context)
            }

            fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
                Layer::infer(&self.function(), x, y, scratch);
            }

            fn backward(&mut self, context: BackwardContext<F>) {
                Layer::backward(&mut self.function(), context);
            }

            fn traits(&self) -> LayerTraits {
                LayerTraits { mask: MaskRule::Passes, by_last_axis: true, activation: Some(self.function()), ..LayerTraits::default() }
            }
        }
    )*};
}

as_activation! { Relu, "ReLU"; LeakyRelu, "LeakyReLU"; Elu, "ELU"; }

settings!([] Relu { "max_value": max_value, "negative_slope": negative_slope, "threshold": threshold });
settings!([] LeakyRelu { "negative_slope": negative_slope });
settings!([] Elu { "alpha": alpha });
