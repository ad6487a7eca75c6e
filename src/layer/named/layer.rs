//! A node is a layer too: it passes everything on.

use super::{NamedLayer, Shapes};
use crate::activation::Activation;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::layer::{BackwardContext, Layer, Size, Step};
use crate::param::Param;
use crate::regularizer::Regularizer;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch, elements};

impl<F: Scalar> Layer<F> for NamedLayer<F> {
    fn kind(&self) -> &str {
        self.layer.kind()
    }

    fn build(&mut self, input: &[usize], rng: &mut Rng) -> Result<Vec<usize>> {
        match &self.shapes {
            Some(shapes) if shapes.input == input => Ok(shapes.output.clone()),
            Some(shapes) => Err(Error::InputShape {
                expected: crate::error::Shape(&shapes.input).to_string(),
                found: input.to_vec(),
            }),
            None => {
                elements::<F>(input)?;
                self.activity_regularizer.iter().try_for_each(Regularizer::check)?;
                let output = self.layer.build(input, rng)?;
                elements::<F>(&output)?;
                if !self.trainable {
                    self.layer.freeze(true);
                }
                self.shapes = Some(Shapes { input: input.to_vec(), output: output.clone() });
                Ok(output)
            }
        }
    }

    fn config(&self) -> Option<Config> {
        self.config_with_place()
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let (from, to) =
            (self.folded(x.width(), self.input_shape()), self.folded(y.width(), self.output_shape()));
        self.layer.infer(x.reshape(from), y.reshape(to), scratch);
    }

    fn infer_if_finite(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) -> Option<bool> {
        let (from, to) =
            (self.folded(x.width(), self.input_shape()), self.folded(y.width(), self.output_shape()));
        self.layer.infer_if_finite(x.reshape(from), y.reshape(to), scratch)
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        let (from, to) =
            (self.folded(x.width(), self.input_shape()), self.folded(y.width(), self.output_shape()));
        self.layer.forward(x.reshape(from), y.reshape(to), step);
    }

    fn backward(&mut self, pass: BackwardContext<F>) {
        let (from, to) = (
            self.folded(pass.x.width(), self.input_shape()),
            self.folded(pass.y.width(), self.output_shape()),
        );
        self.layer.backward(BackwardContext {
            x: pass.x.reshape(from),
            y: pass.y.reshape(to),
            dy: pass.dy.reshape(to),
            dx: pass.dx.map(|dx| dx.reshape(from)),
            scratch: pass.scratch,
            whole: pass.whole,
        });
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Param<F>)) {
        self.layer.visit(f);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut Param<F>)) {
        self.layer.visit_mut(f);
    }

    fn layers(&self) -> &[NamedLayer<F>] {
        self.layer.layers()
    }

    fn layers_mut(&mut self) -> &mut [NamedLayer<F>] {
        self.layer.layers_mut()
    }

    fn is_view(&self) -> bool {
        self.layer.is_view()
    }

    fn indices(&self) -> Option<usize> {
        self.layer.indices()
    }

    fn memory(&self, rows: usize) -> usize {
        self.layer.memory(rows)
    }

    fn activation(&self) -> Option<Activation> {
        self.layer.activation()
    }

    fn set_activation(&mut self, activation: Activation) -> bool {
        self.layer.set_activation(activation)
    }

    fn drop_rate(&self) -> f64 {
        self.layer.drop_rate()
    }

    fn set_size(&mut self, size: Size) -> bool {
        self.layer.set_size(size)
    }

    fn is_affine(&self) -> bool {
        self.layer.is_affine()
    }

    fn freeze(&mut self, frozen: bool) {
        self.layer.freeze(frozen || !self.trainable);
    }

    fn end_step(&mut self) {
        self.layer.end_step();
    }

    fn into_named(self) -> NamedLayer<F> {
        self
    }
}
