//! An activation function as a layer: y = f(x). dx = dy ⊙ f'(x).

use crate::activation::{Activation, glu_backward};
use crate::config::{Config, Entry, Fields, Settings};
use crate::error::{ExpectedShape, Result};
use crate::layer::check::wrong_shape;
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, PartMut, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

impl<F: Scalar> Layer<F> for Activation {
    saved!("Activation");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        self.check()?;
        let Some((&width, outer)) = input.split_last() else {
            return Err(wrong_shape(ExpectedShape::last("channels"), input));
        };
        Ok([outer, &[self.output_width(width)?]].concat())
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, _: &mut Scratch<F>) {
        Activation::forward(self, x, y);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(dx) = context.dx else { return };
        if *self == Activation::Glu {
            return glu_backward(context.x, context.dy.as_batch(), dx);
        }
        self.propagate(context.x, context.y, context.dy.as_batch(), dx);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Activation(self));
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            mask: MaskRule::Passes,
            by_last_axis: true,
            is_affine: true,
            activation: Some(*self),
            ..LayerTraits::default()
        }
    }
}

impl Settings for Activation {
    fn write(&self, to: &mut Config) {
        self.put("activation", to);
    }

    fn read(&mut self, from: &mut Fields) -> Result<()> {
        self.demand("activation", from)
    }
}
