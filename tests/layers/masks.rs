//! Masks: the rule of each layer, gradients, and padding that changes nothing.

use cornu::layer::MaskRule;
use cornu::ndarray::{Array2, Array3, Axis, array, concatenate, s};
use cornu::prelude::*;

use crate::roster;

/// The layers that pass the mask of their input: those with `supports_masking` in Keras 3.15.1.
const PASSING: [&str; 20] = [
    "Activation",
    "AlphaDropout",
    "Dense",
    "Dropout",
    "ELU",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization",
    "LayerNormalization",
    "LeakyReLU",
    "Normalization",
    "PReLU",
    "ReLU",
    "Rescaling",
    "Residual",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "TimeDistributed",
    "UnitNormalization",
];

#[test]
fn every_layer_treats_masks_as_in_keras() {
    for case in roster::layers::<f32>() {
        let mut model = case.model();
        model.build().expect("a model");
        let layer = model.layers()[0].layer();
        let (kind, rule) = (layer.kind().to_string(), layer.traits().mask);
        // Inner layers decide with their containers, and settings with the layer.
        let expected = match &*kind {
            "Masking" | "Embedding" => matches!(rule, MaskRule::Creates(_)),
            "SimpleRNN" | "LSTM" | "GRU" | "RNN" | "Bidirectional" => matches!(rule, MaskRule::Uses { .. }),
            "BatchNormalization" => matches!(rule, MaskRule::Uses { passes: true } | MaskRule::Refuses),
            "GlobalAveragePooling1D" => rule == MaskRule::Uses { passes: false },
            "Residual" | "Branches" => rule != MaskRule::Refuses,
            "TimeDistributed" => matches!(rule, MaskRule::Passes | MaskRule::Uses { passes: true }),
            "Softmax" => matches!(rule, MaskRule::Passes | MaskRule::Refuses),
            kind if PASSING.contains(&kind) => rule == MaskRule::Passes,
            _ => rule == MaskRule::Ends,
        };
        assert!(expected, "{kind}: {rule:?}");
    }
}

/// Copies all weights to a model with the same layers.
fn copy_weights<F: Scalar>(from: &Sequential<F>, to: &mut Sequential<F>) {
    for (path, value) in from.weights().expect("weights") {
        to.set_weight(&path, &value).expect("the same shapes");
    }
}

/// Samples of 6 steps of 3 numbers: padding behind, in front, between, nowhere, everywhere.
fn padded() -> Array3<f64> {
    let mut rng = Rng::stream(3, 1);
    let mut x = Array3::from_shape_simple_fn((5, 6, 3), || rng.normal());
    x.slice_mut(s![0, 4.., ..]).fill(0.0);
    x.slice_mut(s![1, ..2, ..]).fill(0.0);
    x.slice_mut(s![2, 1..3, ..]).fill(0.0);
    x.slice_mut(s![4, .., ..]).fill(0.0);
    x
}

#[test]
fn gradients_under_a_mask_are_those_of_differences() {
    let model = || Sequential::<f64>::with_scalar().seed(1).input([6, 3]).add(Masking::new(0.0));
    let models = [
        model().add(Lstm::new(2)),
        model().add(Lstm::new(2).return_sequences(true).activation(Activation::Softsign)).add(Flatten::new()),
        model().add(Gru::new(2).return_sequences(true)).add(Gru::new(2).go_backwards(true)),
        model().add(Gru::new(2).reset_after(false).return_sequences(true)).add(GlobalAveragePooling1D::new()),
        model().add(SimpleRnn::new(2).return_sequences(true).zero_output_for_mask(true)).add(Flatten::new()),
        model().add(SimpleRnn::new(2).zero_output_for_mask(true)),
        model().add(Bidirectional::new(Lstm::new(2).return_sequences(true))).add(Flatten::new()),
        model().add(Bidirectional::new(Gru::new(2)).merge_mode(MergeMode::Mul)),
        model().add(BatchNormalization::new()).add(SimpleRnn::new(2)),
        model().add(BatchNormalization::new()).add(Flatten::new()),
        model().add(TimeDistributed::new(BatchNormalization::new())).add(SimpleRnn::new(2)),
        model().add(Residual::new().add(Dense::new(3)).add(BatchNormalization::new())).add(Gru::new(2)),
        model()
            .add(
                Residual::new()
                    .add(Dense::new(4))
                    .shortcut(BatchNormalization::new())
                    .shortcut(Dense::new(4)),
            )
            .add(Gru::new(2)),
        model()
            .add(Branches::new(Merge::Concatenate).branch().add(BatchNormalization::new()).branch())
            .add(Gru::new(2)),
        model()
            .add(Branches::new(Merge::Concatenate).branch().add(Conv1D::new(2, 1)).branch())
            .add(Gru::new(2)),
        model().add(LayerNormalization::new()).add(GlobalAveragePooling1D::new()),
    ];
    for mut model in models {
        let mut y = vec![5];
        model.build().expect("a model");
        y.extend_from_slice(model.output_shape().expect("a shape"));
        let mut rng = Rng::stream(4, 1);
        let y = cornu::ndarray::ArrayD::from_shape_simple_fn(y, || rng.normal());
        let name = format!("{model:?}");
        model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).expect("a model");
        // A step that is padding in all samples is skipped.
        let mut together = padded();
        together.slice_mut(s![.., 3, ..]).fill(0.0);
        for x in [padded(), together] {
            // The mask itself has no slope, so padding is not moved: only parameters are compared.
            for (path, error) in model.check_gradient(&x, &y).expect("gradients") {
                assert!(path == "x" || error < 1e-6, "{name}, {path}: {error:e}");
            }
        }
    }
}

#[test]
fn a_loss_per_step_counts_only_steps_of_the_mask() {
    let mut model = Sequential::<f64>::with_scalar()
        .seed(1)
        .input([6, 3])
        .add(Masking::new(0.0))
        .add(Gru::new(2).return_sequences(true))
        .add(Dense::new(2));
    let metrics = [cornu::metric::MeanAbsoluteError::new()];
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), metrics).expect("a model");
    let x = padded();
    let mut y = Array3::<f64>::zeros((5, 6, 2));
    let scores = model.evaluate(&x, &y, &Evaluate::new()).expect("scores");
    for (mut y, x) in y.outer_iter_mut().zip(x.outer_iter()) {
        for (mut y, x) in y.outer_iter_mut().zip(x.outer_iter()) {
            if x.iter().all(|x| *x == 0.0) {
                y.fill(1e6);
            }
        }
    }
    let others = model.evaluate(&x, &y, &Evaluate::new()).expect("scores");
    for key in ["loss", "mean_absolute_error"] {
        assert!(scores.get(key).expect("a score") < 10.0);
        assert_eq!(scores.get(key), others.get(key), "{key}");
    }
    for (path, error) in model.check_gradient(&x, &y).expect("gradients") {
        assert!(path == "x" || error < 1e-6, "{path}: {error:e}");
    }
    // Padding alone: no row counts.
    let (none, y) = (Array3::<f64>::zeros((2, 6, 3)), Array3::<f64>::ones((2, 6, 2)));
    assert_eq!(model.evaluate(&none, &y, &Evaluate::new()).expect("scores").get("loss"), Some(0.0));
    let weights = |model: &Sequential<f64>| -> Vec<_> {
        model.weights().expect("weights").into_iter().map(|(_, w)| w.to_owned()).collect()
    };
    let before = weights(&model);
    model.fit(&none, &y, &Fit::new().verbose(Verbose::Silent)).expect("a training");
    assert_eq!(weights(&model), before);
}

#[test]
fn padding_on_either_side_changes_no_prediction() {
    let mut rng = Rng::stream(5, 1);
    let x = Array3::from_shape_simple_fn((4, 5, 3), || rng.normal() as f32);
    let zeros = Array3::zeros((4, 2, 3));
    let behind = concatenate(Axis(1), &[x.view(), zeros.view()]).expect("samples");
    let in_front = concatenate(Axis(1), &[zeros.view(), x.view()]).expect("samples");
    let model = |steps: usize| Sequential::new().seed(1).input([steps, 3]).add(Masking::new(0.0));
    let models = |steps: usize| {
        [
            model(steps).add(SimpleRnn::new(4)),
            model(steps).add(Lstm::new(4).go_backwards(true)),
            model(steps).add(Gru::new(4).return_sequences(true)).add(Lstm::new(3)),
            model(steps).add(Bidirectional::new(Lstm::new(3).return_sequences(true))).add(Gru::new(2)),
            model(steps).add(Dense::new(3)).add(GlobalAveragePooling1D::new()),
        ]
    };
    for (mut whole, mut short) in models(7).into_iter().zip(models(5)) {
        whole.build().expect("a model");
        short.build().expect("a model");
        copy_weights(&whole, &mut short);
        let expected = short.predict(&x).expect("outputs");
        for x in [&behind, &in_front] {
            assert_eq!(whole.predict(x).expect("outputs"), expected, "{whole:?}");
        }
    }
}

#[test]
fn outputs_of_padding_alone_are_finite() {
    let x = Array3::<f32>::zeros((2, 4, 3));
    for layer in [
        Lstm::new(2).into_named(),
        Bidirectional::new(Gru::new(2)).into_named(),
        GlobalAveragePooling1D::new().into_named(),
    ] {
        let mut model = Sequential::new().input([4, 3]).add(Masking::new(0.0)).add(layer);
        model.build().expect("a model");
        assert!(model.predict(&x).expect("outputs").iter().all(|y| *y == 0.0), "{model:?}");
    }
}

#[test]
fn the_mask_of_words_ends_where_a_layer_ends_it() {
    // After the convolution, padding counts as other words.
    let words = array![[1.0f32, 2.0, 0.0]];
    let mut model =
        Sequential::new().input([3]).add(Embedding::new(4, 2).mask_zero(true)).add(Conv1D::new(2, 1));
    model = model.add(GlobalAveragePooling1D::new());
    model.build().expect("a model");
    let mut plain = Sequential::new().input([3]).add(Embedding::new(4, 2)).add(Conv1D::new(2, 1));
    plain = plain.add(GlobalAveragePooling1D::new());
    plain.build().expect("a model");
    copy_weights(&model, &mut plain);
    assert_eq!(model.predict(&words).expect("outputs"), plain.predict(&words).expect("outputs"));
}

#[test]
fn layers_that_cannot_treat_a_mask_are_refused() {
    let refused = |layer: cornu::layer::NamedLayer| {
        let mut model = Sequential::new().input([4, 3]).add(Masking::new(0.0)).add(Dense::new(3)).add(layer);
        let error = model.build().expect_err("a refused layer");
        assert!(model.output_shape().is_none(), "the model has changed");
        error.to_string()
    };
    let found = "`mask`: expected an input without a mask, found the mask of layer 0 `masking`";
    let softmax = cornu::layer::Softmax::new().axis(1).into_named();
    assert_eq!(refused(softmax), format!("layer 2 `softmax` (Softmax): {found}"));
    let norm = BatchNormalization::new().axis(1).into_named();
    assert_eq!(refused(norm), format!("layer 2 `batch_normalization` (BatchNormalization): {found}"));
    let within = refused(Residual::new().add(Masking::new(0.0)).into_named());
    assert!(within.contains("create no mask within a residual block"), "{within}");
    for value in [f64::NAN, 1e300] {
        let error =
            Sequential::<f32>::new().input([2]).add(Masking::new(value)).build().expect_err("no number");
        assert!(error.to_string().contains("`mask_value`: expected a finite number"), "{error}");
    }
}

#[test]
fn a_mask_ends_where_its_axes_end() {
    // In all of them an axis of the mask of words is as long as one of the features.
    let words = |shape: [usize; 2]| {
        Sequential::<f64>::with_scalar().seed(1).input(shape).add(Embedding::new(10, 4).mask_zero(true))
    };
    let models = [
        words([3, 2]).add(TimeDistributed::new(GlobalMaxPooling1D::new())).add(Dense::new(2)),
        words([3, 4]).add(TimeDistributed::new(Lstm::new(4))).add(BatchNormalization::new()),
        words([3, 2]).add(
            Residual::new()
                .add(TimeDistributed::new(GlobalMaxPooling1D::new()))
                .add(BatchNormalization::new())
                .add(TimeDistributed::new(RepeatVector::new(2))),
        ),
        words([3, 2]).add(
            Residual::new()
                .add(TimeDistributed::new(GlobalMaxPooling1D::new()))
                .add(Gru::new(4).return_sequences(true))
                .add(TimeDistributed::new(RepeatVector::new(2))),
        ),
    ];
    for mut model in models {
        let name = format!("{model:?}");
        model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).expect("a model");
        let mut rng = Rng::stream(2, 1);
        let draw = |shape: &[usize]| [&[4], shape].concat();
        let input = draw(model.input_shape().expect("a shape"));
        let output = draw(model.output_shape().expect("a shape"));
        // Every sample begins with padding.
        let x = cornu::ndarray::ArrayD::from_shape_fn(input, |at| match at[2] {
            0 => 0.0,
            _ => (rng.uniform() * 10.0).floor(),
        });
        let y = cornu::ndarray::ArrayD::from_shape_simple_fn(output, || rng.normal());
        let other = y.mapv(|y| y + 1.0);
        let loss = |y| model.evaluate(&x, y, &Evaluate::new()).expect("scores").get("loss").expect("a loss");
        let (found, expected) = (loss(&y), model.predict(&x).expect("outputs") - &y);
        let expected = expected.mapv(|e| e * e).mean().expect("numbers");
        // In the first `Residual` the mask passes to the outputs, which then count with it.
        let ends = !name.contains("Residual") || model.layers()[1].layer().traits().mask == MaskRule::Ends;
        assert!(ends && (found - expected).abs() < 1e-12, "{name}: {found}, {expected}");
        assert!(loss(&other) != found);
        for (path, error) in model.check_gradient(&x, &y).expect("gradients") {
            assert!(path == "x" || error < 1e-6, "{name}, {path}: {error:e}");
        }
        model.fit(&x, &y, &Fit::new().verbose(Verbose::Silent)).expect("a training");
    }
}

#[test]
fn a_mask_of_sentences_and_words_reaches_the_inner_layer() {
    // Two sentences of three words; the mask of the words is used within each sentence and ends with it.
    let words = array![[[1.0f32, 2.0, 0.0], [3.0, 0.0, 0.0]]];
    let mut model = Sequential::new()
        .input([2, 3])
        .add(Embedding::new(4, 2).mask_zero(true))
        .add(TimeDistributed::new(Lstm::new(2)))
        .add(Gru::new(2));
    model.build().expect("a model");
    let mut one = Sequential::new().input([1]).add(Embedding::new(4, 2)).add(Lstm::new(2));
    one.build().expect("a model");
    for (path, value) in model.weights().expect("weights").into_iter().take(4) {
        let path = path.replace("time_distributed/layer/", "lstm/");
        one.set_weight(&path, &value).expect("the same shapes");
    }
    let second = one.predict(&array![[3.0f32]]).expect("an output");
    let outputs = model.layer_outputs(&words).expect("outputs");
    assert_eq!(outputs[1].slice(s![0, 1, ..]).to_vec(), second.slice(s![0, ..]).to_vec());
    let _: Array2<f32> = outputs[2].clone().into_dimensionality().expect("a matrix");
}
