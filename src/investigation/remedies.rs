//! The remedies of a diagnosis, applied to copies of a model.

use super::trial::{TrialData, TrialSample, TrialSettings};
use crate::activation::Activation;
use crate::data::ClassWeight;
use crate::diagnosis::{Remedy, ReplacementLoss, SettingEdit, SettingValue};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Layer, LayerExt, MaskRule, Masking, NamedLayer, Normalization, Workspace, mask, names};
use crate::loss::{BinaryCrossentropy, CategoricalCrossentropy, Loss, MeanSquaredError};
use crate::loss::{SparseCategoricalCrossentropy, Target};
use crate::model::Sequential;
use crate::param::BuildContext;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// A remedy to try, with the code of the finding that suggests it.
#[derive(Clone)]
pub(super) struct Edit {
    pub(super) code: String,
    pub(super) remedy: Remedy,
    /// The settings that it changes.
    pub(super) settings: Vec<SettingEdit>,
}

impl Edit {
    /// The edit with another rate or number of units.
    pub(super) fn with(mut self, remedy: Remedy) -> Self {
        let number = match remedy {
            Remedy::LearningRate(rate) => Some(rate),
            Remedy::Units { units, .. } => Some(units as f64),
            _ => None,
        };
        if let (Some(edit), Some(number)) = (self.settings.first_mut(), number) {
            edit.new = SettingValue::Number(number);
        }
        Edit { remedy, ..self }
    }
}

/// Copies of the model, the data and the plan with these remedies applied.
pub(super) fn apply<F: Scalar>(
    model: &Sequential<F>,
    data: &TrialData<F>,
    plan: &TrialSettings,
    edits: &[Edit],
) -> Result<(Sequential<F>, TrialData<F>, TrialSettings)> {
    let (mut model, mut data, mut plan) = (model.clone(), data.clone(), plan.clone());
    // Adding a layer shifts the indices of the others, so it comes last.
    let (layers, others): (Vec<&Remedy>, Vec<&Remedy>) =
        edits.iter().map(|edit| &edit.remedy).partition(|edit| edit.adds_layer());
    for edit in others.into_iter().chain(layers) {
        match edit {
            Remedy::NormalizeInputs => normalize(&mut model, &data.train)?,
            Remedy::StandardizeTargets => {
                let y = &data.train.y;
                let mean = y.mean().unwrap_or_else(F::zero);
                let deviation = y.mapv(|y| (y - mean) * (y - mean)).mean().unwrap_or_else(F::one).sqrt();
                if !deviation.is_normal() {
                    return Err(Error::argument("y", "targets that vary", deviation.as_f64()));
                }
                let samples = data.held.iter_mut().chain([&mut data.train]);
                samples.for_each(|sample| sample.y.mapv_inplace(|y| (y - mean) / deviation));
            }
            Remedy::Activation { layer, activation } => {
                let changed =
                    model.layers.get_mut(*layer).is_some_and(|layer| layer.set_activation(*activation));
                if !changed {
                    return Err(Error::argument("layer", "one with an activation", *layer));
                }
            }
            Remedy::Hidden { from, to } => {
                let weighted = |layer: &&mut NamedLayer<F>| !layer.is_view() && layer.activation().is_some();
                let mut layers: Vec<&mut NamedLayer<F>> = model.layers.iter_mut().filter(weighted).collect();
                // The last layer is not hidden, nor is one that only a softmax follows.
                let logits = layers.len().saturating_sub(2);
                let ends_in_function = layers.last().is_some_and(|layer| !layer.has_params());
                let hidden = if ends_in_function { logits } else { layers.len().saturating_sub(1) };
                for layer in layers.iter_mut().take(hidden).filter(|layer| layer.activation() == Some(*from))
                {
                    layer.set_activation(*to);
                }
            }
            Remedy::Loss(loss) => set_loss(&mut model, *loss)?,
            Remedy::LearningRate(rate) => {
                if let Some(compiled) = &mut model.compiled {
                    // In place of a schedule, too.
                    *compiled.optimizer.learning_rate_mut() = (*rate).into();
                }
            }
            Remedy::Initialize { layer } => {
                let mut rng = Rng::stream(model.seed.value(), 1 << 51);
                if let Some(layer) = model.layers.get_mut(*layer) {
                    initialize(layer, &mut rng)?;
                }
            }
            Remedy::Epochs(times) => plan.steps *= times,
            Remedy::BatchSize(size) => {
                let size = (*size).clamp(1, data.train.rows());
                plan.steps = plan.steps * plan.batch_size / size;
                plan.batch_size = size;
            }
            Remedy::Shuffle => plan.shuffle = true,
            Remedy::Balance => plan.class_weight = ClassWeight::Balanced,
            Remedy::Dropout(rate) => model.layers.iter_mut().for_each(|layer| {
                let drops = layer.drop_rate() > *rate;
                let _ = drops && layer.set_drop_rate(*rate);
            }),
            Remedy::Penalty(factor) => {
                model.walk_mut(&mut |_, param| {
                    param.regularizer = param.regularizer.map(|regularizer| regularizer.times(*factor));
                });
                model.layers.iter_mut().for_each(|layer| layer.scale_activity_penalty(*factor));
            }
            Remedy::MaskZero { layer } => {
                if !model.layers.get_mut(*layer).is_some_and(|layer| layer.set_mask_zero(true)) {
                    return Err(Error::argument("layer", "an embedding", *layer));
                }
            }
            Remedy::Masking(value) => {
                let layer = Masking::new(*value).name(names::unused("Masking", &model.layers));
                insert(&mut model, 0, layer, &data.train.shape())?;
            }
            Remedy::Units { layer, units } => widen(&mut model, *layer, *units)?,
        }
    }
    mask::check(&model.layers)?;
    Ok((model, data, plan))
}

/// Inserts a normalization of the inputs before all layers but those that only rescale the inputs or mark their padding.
fn normalize<F: Scalar>(model: &mut Sequential<F>, sample: &TrialSample<F>) -> Result<()> {
    let rescales = |layer: &NamedLayer<F>| {
        let traits = layer.traits();
        let keeps_shape = layer.input_shape() == layer.output_shape();
        // A normalization before a mask would change the value that marks the padding.
        let masks = matches!(traits.mask, MaskRule::Creates(_));
        (traits.is_affine || masks) && !traits.is_noise && !layer.has_params() && keeps_shape
    };
    let place = model.layers.iter().take_while(|layer| rescales(layer)).count();
    let rows = sample.x.as_standard_layout();
    let input = Batch::new(rows.as_slice().unwrap_or_default(), sample.shape().iter().product());
    let scaled = Workspace::outputs_of(&model.layers[..place], input);
    let mut x = sample.x.mapv(|_| 0.0);
    x.iter_mut().zip(scaled).for_each(|(x, scaled)| *x = scaled.as_f64());
    let layer = Normalization::new().adapt(&x)?.name(names::unused("Normalization", &model.layers));
    insert(model, place, layer, &sample.shape())
}

/// Inserts a layer for inputs of this shape.
fn insert<F: Scalar>(
    model: &mut Sequential<F>,
    place: usize,
    mut layer: NamedLayer<F>,
    input: &[usize],
) -> Result<()> {
    layer.build(input, &mut BuildContext::of_layer(model.seed.value(), 0))?;
    model.layers.insert(place, layer);
    Ok(())
}

/// Sets the number of outputs of a layer, and redraws its weights and those of the layer that reads them.
fn widen<F: Scalar>(model: &mut Sequential<F>, place: usize, units: usize) -> Result<()> {
    let Some(layer) = model.layers.get_mut(place) else { return Ok(()) };
    if !layer.set_units(units) {
        return Err(Error::argument("layer", "one with a number of units", place));
    }
    let mut shape = layer.input_shape().unwrap_or_default().to_vec();
    let end = model.layers.last().and_then(|layer| layer.output_shape()).map(<[usize]>::to_vec);
    for (index, layer) in model.layers.iter_mut().enumerate().skip(place) {
        if layer.input_shape() == Some(&*shape) && index > place {
            break;
        }
        shape = layer.renew(&shape, &mut BuildContext::of_layer(model.seed.value(), index))?;
    }
    match end.as_deref() == model.layers.last().and_then(|layer| layer.output_shape()) {
        true => Ok(()),
        false => Err(Error::argument("layer", "one before the last", place)),
    }
}

/// Redraws the weights with the default initializers.
fn initialize<F: Scalar>(layer: &mut NamedLayer<F>, rng: &mut Rng) -> Result<()> {
    let mut result = Ok(());
    layer.visit_params_mut(&mut |param| {
        let initializer =
            if param.name() == "bias" { Initializer::Zeros } else { Initializer::GlorotUniform };
        let shape = param.shape().to_vec();
        match initializer.draw(&shape, rng) {
            Ok(values) if param.is_trainable() => param.value_mut().copy_from_slice(&values),
            Ok(_) => {}
            Err(error) => result = Err(error),
        }
    });
    result
}

/// Replaces the loss, and the last activation by the one that it needs.
fn set_loss<F: Scalar>(model: &mut Sequential<F>, loss: ReplacementLoss) -> Result<()> {
    let Some(compiled) = &mut model.compiled else { return Ok(()) };
    let sparse = matches!(compiled.loss.target(), Target::Classes { .. });
    let (loss, activation): (Box<dyn Loss<F>>, Activation) = match loss {
        ReplacementLoss::BinaryCrossentropy => (Box::new(BinaryCrossentropy::new()), Activation::Sigmoid),
        ReplacementLoss::CategoricalCrossentropy if sparse => {
            (Box::new(SparseCategoricalCrossentropy::new()), Activation::Softmax)
        }
        ReplacementLoss::CategoricalCrossentropy => {
            (Box::new(CategoricalCrossentropy::new()), Activation::Softmax)
        }
        ReplacementLoss::MeanSquaredError => (Box::new(MeanSquaredError::new()), Activation::Linear),
    };
    compiled.loss = loss;
    let last = model.layers.iter_mut().rev().find(|layer| !layer.is_view());
    match last.is_some_and(|layer| layer.set_activation(activation)) {
        true => Ok(()),
        false => Err(Error::argument("layer", "one with an activation", "the last layer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Lstm;
    use crate::training::Fit;

    #[test]
    fn a_normalization_is_inserted_behind_the_layer_that_marks_padding() {
        let x = ndarray::array![[[1.0f32], [5.0], [0.0]], [[3.0], [0.0], [0.0]]];
        let mut model = Sequential::new().input([3, 1]).add(Masking::new(0.0)).add(Lstm::new(2));
        model.build().unwrap();
        let sample = TrialSample::new(&x, &ndarray::array![0.0, 1.0], &Fit::new(), 1).unwrap();
        normalize(&mut model, &sample).unwrap();
        let kinds: Vec<_> = model.layers.iter().map(|layer| layer.kind().to_string()).collect();
        assert_eq!(kinds, ["Masking", "Normalization", "LSTM"]);
    }
}
