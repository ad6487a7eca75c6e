//! Layers of any length: building one again for samples of another shape, and the axes that differ.

use super::{NamedLayer, Shapes};
use crate::error::{Error, Result, Shape};
use crate::layer::Layer;
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::elements;

impl<F: Scalar> NamedLayer<F> {
    /// The axes of one input sample, once built; `None` for an axis of any length.
    pub(crate) fn input_axes(&self) -> Option<Vec<Option<usize>>> {
        self.shapes.as_ref().map(|shapes| axes(&shapes.input, &shapes.open[0]))
    }

    /// The axes of one output sample, once built; `None` for an axis of any length.
    pub(crate) fn output_axes(&self) -> Option<Vec<Option<usize>>> {
        self.shapes.as_ref().map(|shapes| axes(&shapes.output, &shapes.open[1]))
    }

    /// Which axes of the output have had several lengths.
    pub(crate) fn open_outputs(&self) -> &[bool] {
        self.shapes.as_ref().map_or(&[], |shapes| &shapes.open[1])
    }

    /// Builds the layer for samples of another shape, with the parameters and the random numbers that it has.
    ///
    /// On failure the layer has its parameters, but must be built again for a shape that fits it.
    pub(super) fn rebuild(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        elements::<F>(input)?;
        let mut kept = Vec::new();
        self.visit_params_mut(&mut |param| kept.push(param.take()));
        let mut record =
            self.shapes.as_mut().map(|shapes| std::mem::take(&mut shapes.record)).unwrap_or_default();
        let built = context.with_record(&mut record, |context| self.layer.build(input, context));
        let (mut kept, mut fault) = (kept.into_iter(), None);
        self.visit_params_mut(&mut |param| {
            let Some(old) = kept.next() else { return };
            if param.shape != old.shape && fault.is_none() {
                let expected = format!("the shape {} for samples of any length", Shape(&old.shape));
                fault = Some(Error::argument(param.name(), expected, Shape(&param.shape)));
            }
            *param = old;
        });
        if let Some(shapes) = &mut self.shapes {
            shapes.record = record;
        }
        let output = built?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        elements::<F>(&output)?;
        if self.output_shape().is_some_and(|old| old.len() != output.len()) {
            let expected = "outputs with as many axes for every length of the input";
            return Err(Error::argument(
                "input",
                expected,
                format!("{} for {}", Shape(&output), Shape(input)),
            ));
        }
        if let Some(Shapes {
            input: old_input, output: old_output, open: [open_input, open_output], ..
        }) = &mut self.shapes
        {
            for (old, new, open) in [(old_input, input, open_input), (old_output, &*output, open_output)] {
                open.iter_mut().zip(old.iter().zip(new)).for_each(|(open, (old, new))| *open |= old != new);
                old.clear();
                old.extend(new);
            }
        }
        Ok(output)
    }
}

/// The axes of a shape; `None` for one of any length.
fn axes(shape: &[usize], open: &[bool]) -> Vec<Option<usize>> {
    shape.iter().zip(open).map(|(axis, open)| (!open).then_some(*axis)).collect()
}
