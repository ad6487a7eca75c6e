//! `Layer` for a named layer, which delegates to the layer it wraps.

use super::{NamedLayer, Part, PartMut, Shapes, precision};
use crate::config::{Config, Setting, Value};
use crate::error::{ExpectedShape, Result};
use crate::layer::check::wrong_shape;
use crate::layer::{BackwardContext, Layer, LayerTraits, Step};
use crate::param::{BuildContext, BuildRecord};
use crate::regularizer::Regularizer;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch, elements};

impl<F: Scalar> Layer<F> for NamedLayer<F> {
    fn kind(&self) -> &str {
        self.layer.kind()
    }

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        match &self.shapes {
            Some(_) if context.keeps_params() => self.rebuild(input, context),
            Some(shapes) if shapes.input == input => Ok(shapes.output.clone()),
            Some(shapes) => Err(wrong_shape(ExpectedShape::exactly(&shapes.input), input)),
            None => {
                elements::<F>(input)?;
                let activity = self.activity_regularizer.iter().try_for_each(Regularizer::check);
                activity.map_err(|error| error.of_argument("activity_regularizer"))?;
                let mut record = BuildRecord::default();
                let output = context.with_record(&mut record, |context| self.layer.build(input, context))?;
                elements::<F>(&output)?;
                if !self.trainable {
                    self.freeze(true);
                }
                let LayerTraits { is_view, by_last_axis, .. } = self.layer.traits();
                let (input, copy) = (input.to_vec(), output.clone());
                let open = [vec![false; input.len()], vec![false; output.len()]];
                self.shapes = Some(Shapes { input, output: copy, open, is_view, by_last_axis, record });
                Ok(output)
            }
        }
    }

    fn config(&self) -> Option<Config> {
        let mut config = self.layer.config()?;
        let policy = Config::of("keras", "DTypePolicy").with("name", precision::<F>());
        let common: [(&str, Value); 3] =
            [("name", self.label().into()), ("trainable", self.trainable.into()), ("dtype", policy.into())];
        config.fields.splice(0..0, common.map(|(name, value)| (name.to_string(), value)));
        if let Some(regularizer) = &self.activity_regularizer {
            config.set("activity_regularizer", regularizer.to_value());
        }
        Some(config)
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let (from, to) = self.folded(x.width(), y.width());
        self.layer.infer(x.reshape(from), y.reshape(to), scratch);
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        let (from, to) = self.folded(x.width(), y.width());
        self.layer.forward(x.reshape(from), y.reshape(to), step);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let (from, to) = self.folded(context.x.width(), context.y.width());
        self.layer.backward(context.reshape(from, to));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        self.layer.visit(f);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        self.layer.visit_mut(f);
    }

    fn traits(&self) -> LayerTraits {
        self.layer.traits()
    }
}
