//! Rescaling: y = scale·x + offset. dx = scale·dy.

use crate::config::{Setting, Value, settings};
use crate::error::{Error, ExpectedAxis, ExpectedShape, Result};
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Rescales the input, `y = scale·x + offset`, for example by `1/255` for bytes.
///
/// # Shapes
/// Input and output `(...)`, of the same shape; `(..., channels)` for numbers per channel.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let mut model = Sequential::new().input([1]).add(Rescaling::new(2.0).offset(-1.0));
/// model.build()?;
/// assert_eq!(model.predict(&array![[3.0f32]])?, array![[5.0]].into_dyn());
///
/// let mut model = Sequential::new().input([2]).add(Rescaling::per_channel([2.0, 3.0], [1.0]));
/// model.build()?;
/// assert_eq!(model.predict(&array![[1.0f32, 1.0]])?, array![[3.0, 4.0]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] if a number is not finite, [`Error::InputShape`] if there are several, and not one for
/// each channel.
///
/// # References
/// <https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/>
#[derive(Debug, Clone)]
pub struct Rescaling {
    scale: PerChannel,
    offset: PerChannel,
}

/// One number, or one for each channel of the last axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PerChannel(pub(crate) Vec<f64>);

impl Rescaling {
    /// Creates a layer that multiplies by `scale`.
    pub fn new(scale: f64) -> Self {
        Rescaling::per_channel([scale], [0.0])
    }

    /// Creates a layer with a scale and an offset for each channel of the last axis, or a single one for all.
    pub fn per_channel(scale: impl Into<Vec<f64>>, offset: impl Into<Vec<f64>>) -> Self {
        Rescaling { scale: PerChannel(scale.into()), offset: PerChannel(offset.into()) }
    }

    /// The offset added after the multiplication. Default: 0.
    pub fn offset(mut self, offset: f64) -> Self {
        self.offset = PerChannel(vec![offset]);
        self
    }
}

impl PerChannel {
    /// The numbers of the channels, again and again.
    fn each<F: Scalar>(&self) -> impl Iterator<Item = F> {
        self.0.iter().map(|&x| F::of(x)).cycle()
    }
}

impl<F: Scalar> Layer<F> for Rescaling {
    saved!("Rescaling");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        for (argument, PerChannel(values)) in [("scale", &self.scale), ("offset", &self.offset)] {
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(Error::argument(argument, "a finite number", value));
            }
            if values.len() != 1 && input.last() != Some(&values.len()) {
                return Err(Error::InputShape {
                    expected: ExpectedShape::Axes(vec![
                        ExpectedAxis::Others,
                        ExpectedAxis::Length(values.len()),
                    ]),
                    found: input.to_vec(),
                });
            }
        }
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let numbers = y.data().iter_mut().zip(x.data());
        if let ([scale], [offset]) = (&self.scale.0[..], &self.offset.0[..]) {
            let (scale, offset) = (F::of(*scale), F::of(*offset));
            return numbers.for_each(|(y, &x)| *y = x * scale + offset);
        }
        let channels = self.scale.each::<F>().zip(self.offset.each::<F>());
        numbers.zip(channels).for_each(|((y, &x), (scale, offset))| *y = x * scale + offset);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(mut dx) = context.dx else { return };
        let numbers = dx.data().iter_mut().zip(context.dy.as_batch().data());
        if let [scale] = self.scale.0[..] {
            let scale = F::of(scale);
            return numbers.for_each(|(dx, &dy)| *dx = dy * scale);
        }
        numbers.zip(self.scale.each::<F>()).for_each(|((dx, &dy), scale)| *dx = dy * scale);
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { mask: MaskRule::Passes, is_affine: true, ..LayerTraits::default() }
    }
}

impl Setting for PerChannel {
    const EXPECTED: &'static str = "a number, or one for each channel";

    fn to_value(&self) -> Value {
        match self.0[..] {
            [one] => one.into(),
            _ => self.0.clone().into(),
        }
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        match value {
            Value::List(_) => Vec::from_value(value, path).map(PerChannel),
            _ => f64::from_value(value, path).map(|one| PerChannel(vec![one])),
        }
    }
}

settings!([] Rescaling { "scale" required: scale, "offset": offset });
