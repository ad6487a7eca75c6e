//! Chain: y = f(x), f several layers in sequence. The shortcut of a `Residual`, and each branch of `Branches`.

use std::fmt;

use super::check_inner;
use crate::config::{Config, Registry, Value, refuse};
use crate::error::{Error, Result};
use crate::layer::mask::MaskSource;
use crate::layer::names::unused;
use crate::layer::workspace::{StepAt, Workspace};
use crate::layer::{
    BackwardContext, GlobalBatch, Layer, LayerTraits, MaskRule, Memory, NamedLayer, Part, PartMut, Step,
};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Layers in sequence that are one layer to their container. Without layers it is the identity.
#[derive(Clone)]
pub(super) struct Chain<F: Scalar> {
    layers: Vec<NamedLayer<F>>,
    workspace: Option<Workspace<F>>,
}

impl<F: Scalar> Chain<F> {
    pub(super) fn of(layers: Vec<NamedLayer<F>>) -> Self {
        Chain { layers, workspace: None }
    }

    /// A chain with this name.
    pub(super) fn named(name: impl Into<String>, layers: Vec<NamedLayer<F>>) -> NamedLayer<F> {
        NamedLayer::new(Box::new(Chain::of(layers))).with_label(name.into())
    }
}

/// Appends a layer; one without a name is named after its kind.
pub(in crate::layer) fn push<F: Scalar>(layers: &mut Vec<NamedLayer<F>>, layer: NamedLayer<F>) {
    let layer = layer.with_default_label(|kind| unused(kind, layers));
    layers.push(layer);
}

/// Builds layers in sequence for samples of this shape, and returns the output shape.
pub(super) fn build<F: Scalar>(
    layers: &mut [NamedLayer<F>],
    input: &[usize],
    context: &mut BuildContext,
) -> Result<Vec<usize>> {
    check_inner(layers)?;
    if let Some(layer) = layers.iter().find(|layer| matches!(layer.traits().mask, MaskRule::Creates(_))) {
        let expected = "layers that create no mask within a residual block or a branch";
        return Err(Error::argument("layers", expected, format!("`{}`", layer.label())));
    }
    let mut shape = input.to_vec();
    for (index, layer) in layers.iter_mut().enumerate() {
        shape = layer.place(index, &shape, context)?;
    }
    Ok(shape)
}

/// Runs layers one after another; all outputs but the last are in scratch memory.
pub(in crate::layer) fn infer<F: Scalar>(
    layers: &[NamedLayer<F>],
    sources: &[MaskSource],
    x: Batch<F>,
    mut y: BatchMut<F>,
    scratch: &mut Scratch<F>,
) {
    let mask = x.mask().filter(|_| sources.get(1) == Some(&MaskSource::Input));
    match layers {
        [] => y.data().copy_from_slice(x.data()),
        [layer, rest @ ..] if layer.is_view() => {
            infer(rest, &sources[1..], x.reshape(layer.widths().1).with_mask(mask), y, scratch);
        }
        [layer] => layer.infer(x, y, scratch),
        [layer, rest @ ..] => {
            let width = layer.widths().1;
            let (between, scratch) = scratch.take(x.rows() * width);
            layer.infer(x, BatchMut::new(between, width), scratch);
            infer(rest, &sources[1..], Batch::new(between, width).with_mask(mask), y, scratch);
        }
    }
}

/// Runs layers for training; their output is that of the workspace.
pub(in crate::layer) fn forward<F: Scalar>(
    layers: &mut [NamedLayer<F>],
    workspace: &mut Workspace<F>,
    x: Batch<F>,
    step: &Step<F>,
) {
    let Step { seed, number, first_row, global_batch, .. } = *step;
    workspace.forward(layers, x, StepAt { seed, number, first_row, global_batch });
}

/// Runs layers backwards from the gradient `dy` of their output.
pub(in crate::layer) fn backward<F: Scalar>(
    layers: &mut [NamedLayer<F>],
    workspace: &mut Workspace<F>,
    x: Batch<F>,
    dy: Batch<F>,
    to_input: bool,
    global_batch: GlobalBatch,
) {
    workspace.output_and_grad(x).1.data().copy_from_slice(dy.data());
    workspace.backward(layers, x, 0..layers.len(), to_input, global_batch);
}

/// The memory of layers in sequence with a workspace of their own.
pub(in crate::layer) fn memory<F: Scalar>(layers: &[NamedLayer<F>]) -> Memory {
    layers.iter().map(|layer| layer.traits().memory + Memory::per_row(2 * layer.widths().1)).sum()
}

/// The settings of layers, if all have some.
pub(super) fn to_value<F: Scalar>(layers: &[NamedLayer<F>]) -> Option<Value> {
    let layers: Option<Vec<Value>> = layers.iter().map(|layer| layer.config().map(Value::from)).collect();
    layers.map(Value::List)
}

/// Constructs layers from their settings.
pub(super) fn from_value<F: Scalar>(
    value: &Value,
    path: &str,
    kinds: &Registry<dyn Layer<F>>,
) -> Result<Vec<NamedLayer<F>>> {
    let Value::List(values) = value else { return Err(refuse(path, "a list of layers", value)) };
    let layer = |(i, value)| NamedLayer::from_value(value, &format!("{path}[{i}]"), kinds);
    values.iter().enumerate().map(layer).collect()
}

impl<F: Scalar> Layer<F> for Chain<F> {
    fn kind(&self) -> &str {
        "Chain"
    }

    fn config(&self) -> Option<Config> {
        Some(Config::of("cornu", "Chain").with("layers", to_value(&self.layers)?))
    }

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        let shape = build(&mut self.layers, input, context)?;
        if !self.layers.is_empty() {
            self.workspace.get_or_insert_default().plan(&self.layers);
        }
        Ok(shape)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, scratch: &mut Scratch<F>) {
        match &self.workspace {
            Some(workspace) => infer(&self.layers, workspace.mask_sources(), x, y, scratch),
            None => y.data().copy_from_slice(x.data()),
        }
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, step: &mut Step<F>) {
        let output = match &mut self.workspace {
            Some(workspace) => {
                forward(&mut self.layers, workspace, x, step);
                workspace.output(x)
            }
            None => x,
        };
        y.data().copy_from_slice(output.data());
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let BackwardContext { x, dy, dx, global_batch, .. } = context;
        let dx_of_x = match &mut self.workspace {
            Some(workspace) => {
                backward(&mut self.layers, workspace, x, dy.as_batch(), dx.is_some(), global_batch);
                workspace.input_grad(x.rows())
            }
            None => dy.as_batch(),
        };
        if let Some(mut dx) = dx {
            dx.data().copy_from_slice(dx_of_x.data());
        }
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        f(Part::Layers(&self.layers));
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Layers(&mut self.layers));
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            mask: MaskRule::of_chain(&self.layers),
            memory: memory(&self.layers),
            ..LayerTraits::default()
        }
    }
}

impl<F: Scalar> fmt::Debug for Chain<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_list().entries(&self.layers).finish()
    }
}
