//! Errors are detected before anything changes, and contain the place, what was expected, and what was found.

use cornu::error::{ExpectedAxis, ExpectedOutput, ExpectedShape, ExpectedTarget, Quantity};
use cornu::layer::NamedLayer;
use cornu::loss::Loss;
use cornu::ndarray::{Array1, Array2, Array3, array};
use cornu::prelude::*;

fn network() -> Sequential {
    let mut model = Sequential::new()
        .seed(1)
        .input([4])
        .add(Dense::new(3).activation(Activation::Relu).name("F1"))
        .add(Dense::new(3).name("F2"))
        .add(Softmax::new());
    model.compile(Sgd::new(0.1), CategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    model
}

fn sparse() -> Sequential {
    let mut model = network();
    model.compile(Sgd::new(0.1), SparseCategoricalCrossentropy::new(), ()).unwrap();
    model
}

fn x() -> Array2<f32> {
    Array2::from_shape_fn((6, 4), |(i, j)| (i * 4 + j) as f32 / 10.0)
}

fn y() -> Array2<f32> {
    to_categorical(&array![0, 1, 2, 0, 1, 2], None).unwrap()
}

fn quiet<'a>() -> Fit<'a> {
    Fit::new().verbose(Verbose::Silent)
}

/// All values of a model, or none if it is not built.
fn weights(model: &Sequential) -> Vec<f32> {
    model
        .weights()
        .map_or_else(|_| Vec::new(), |all| all.iter().flat_map(|(_, w)| w.iter().copied()).collect())
}

/// Checks that a refused fit leaves the model unchanged, and returns the error.
#[track_caller]
fn refused(mut model: Sequential, x: &Array2<f32>, y: &Array2<f32>, fit: &Fit) -> Error {
    let before = weights(&model);
    let error = model.fit(x, y, fit).expect_err("a refusal");
    assert_eq!(weights(&model), before);
    error
}

/// Checks that a value matches a pattern, and prints it if not.
macro_rules! expect {
    ($found:expr, $pattern:pat $(if $guard:expr)?) => {{
        let found = $found;
        assert!(matches!(&found, $pattern $(if $guard)?), "{found:?}");
        found
    }};
}

#[test]
fn layers_that_do_not_fit_are_named() {
    let mut model = Sequential::new().input([4]).add(Dense::new(3)).add(Activation::Glu.name("gate"));
    let error = expect!(model.build().unwrap_err(), Error::Layer { index: 1, name, kind, fault }
        if name == "gate" && kind == "Activation" && matches!(&**fault, Error::InputShape { expected: ExpectedShape::EvenLastAxis, found } if found == &[3]));
    assert!(
        error.to_string().starts_with("layer 1 `gate` (Activation): expected an input of shape"),
        "{error}"
    );
    assert!(matches!(model.weights(), Err(Error::NotBuilt)));

    let mut model = Sequential::new()
        .input([4])
        .add(Dense::new(2))
        .add(Normalization::new().statistics([0.0; 3], [1.0; 3]));
    expect!(model.build().unwrap_err(), Error::Layer { index: 1, fault, .. }
        if matches!(&**fault, Error::InputShape { expected: ExpectedShape::Features(3), found } if found == &[2]));

    // A layer within another one is named too.
    for wrapped in
        [TimeDistributed::new(Dense::new(0)).into_named(), Bidirectional::new(Lstm::new(0)).into_named()]
    {
        let error = Sequential::new().input([5, 4]).add(wrapped).build().unwrap_err();
        let Error::Layer { index: 0, fault, .. } = &error else { panic!("{error:?}") };
        let Error::Layer { index: 0, kind, fault, .. } = &**fault else { panic!("{error:?}") };
        assert!(["Dense", "LSTM"].contains(&&**kind), "{error}");
        assert!(matches!(**fault, Error::Argument { argument: "units", .. }), "{error:?}");
    }
}

#[test]
fn layer_arguments_are_checked_when_the_model_is_built() {
    let build = |model: Sequential| model.input([2]).build().unwrap_err();
    let inside = |error: &Error, wanted: &str| match error {
        Error::Layer { index: 0, fault, .. } => {
            matches!(&**fault, Error::Argument { argument, .. } if *argument == wanted)
        }
        _ => false,
    };
    for (layer, argument) in [
        (Sequential::new().add(Dense::new(0)), "units"),
        (Sequential::new().add(Dense::new(2).activation(Activation::Glu)), "activation"),
        (Sequential::new().add(Dense::new(2).activation(Activation::Elu { alpha: f64::NAN })), "alpha"),
        (Sequential::new().add(Activation::LeakyRelu { negative_slope: f64::INFINITY }), "negative_slope"),
        (
            Sequential::new().add(Dense::new(2).kernel_initializer(Initializer::Constant(f64::NAN))),
            "kernel_initializer",
        ),
        (
            Sequential::new().add(Dense::new(2).kernel_regularizer(Regularizer::L2(-1.0))),
            "kernel_regularizer",
        ),
        (Sequential::new().add(Dense::new(2).bias_regularizer(Regularizer::L1(-1.0))), "bias_regularizer"),
        (
            Sequential::new().add(Dense::new(2).activity_regularizer(Regularizer::L1(f64::NAN))),
            "activity_regularizer",
        ),
        (
            Sequential::new().add(Dense::new(2).kernel_constraint(Constraint::UnitNorm { axis: vec![2] })),
            "kernel_constraint",
        ),
        (
            Sequential::new()
                .add(Dense::new(2).kernel_constraint(Constraint::MaxNorm { max: -1.0, axis: vec![0] })),
            "kernel_constraint",
        ),
        (Sequential::new().add(Softmax::new().axis(2)), "axis"),
        (Sequential::new().add(Rescaling::new(f64::NAN)), "scale"),
        (Sequential::new().add(Normalization::new().statistics([0.0], [-1.0])), "variance"),
    ] {
        let error = build(layer);
        assert!(inside(&error, argument), "{argument}: {error:?}");
    }
    expect!(build(Sequential::new()), Error::NoLayers);
    let huge = build(Sequential::new().add(Dense::new(usize::MAX)));
    expect!(huge, Error::Layer { fault, .. } if matches!(**fault, Error::TooLarge { .. }));
    let twice = build(Sequential::new().add(Dense::new(1).name("a")).add(Dense::new(1).name("a")));
    expect!(twice, Error::DuplicateName { first: 0, second: 1, .. });
}

#[test]
fn layers_of_sequences_and_images_check_their_arguments() {
    let find = |layer: NamedLayer, shape: &[usize]| match Sequential::new().input(shape).add(layer).build() {
        Err(Error::Layer { index: 0, fault, .. }) => *fault,
        other => panic!("{other:?}"),
    };
    for (layer, argument) in [
        (Conv1D::new(0, 3).into_named(), "filters"),
        (Conv1D::new(2, 0).into_named(), "kernel_size"),
        (Conv1D::new(2, 3).strides(0).into_named(), "strides"),
        (Conv1D::new(2, 3).strides(2).dilation_rate(2).into_named(), "dilation_rate"),
        (Conv1D::new(4, 3).groups(3).into_named(), "groups"),
        (Conv1D::new(3, 3).groups(2).into_named(), "groups"),
        (DepthwiseConv1D::new(3).depth_multiplier(0).into_named(), "depth_multiplier"),
        (DepthwiseConv1D::new(3).padding(Padding::Causal).into_named(), "padding"),
        (DepthwiseConv1D::new(3).dilation_rate(0).into_named(), "dilation_rate"),
        (SeparableConv1D::new(0, 3).into_named(), "filters"),
        (Conv1DTranspose::new(0, 3).into_named(), "filters"),
        (Conv1DTranspose::new(2, 0).into_named(), "kernel_size"),
        (Conv1DTranspose::new(2, 3).strides(0).into_named(), "strides"),
        (Conv1DTranspose::new(2, 3).strides(2).dilation_rate(2).into_named(), "dilation_rate"),
        (Conv1DTranspose::new(2, 3).output_padding(1).into_named(), "output_padding"),
        (Conv1DTranspose::new(2, 3).padding(Padding::Causal).into_named(), "padding"),
        (AveragePooling1D::new(0).into_named(), "pool_size"),
        (MaxPooling1D::new(2).padding(Padding::Causal).into_named(), "padding"),
        (Dropout::new(1.0).into_named(), "rate"),
        (Dropout::new(-0.1).into_named(), "rate"),
        (Dropout::new(f64::NAN).into_named(), "rate"),
        (SpatialDropout1D::new(2.0).into_named(), "rate"),
        (SpatialDropout2D::new(2.0).into_named(), "rate"),
        (AlphaDropout::new(1.0).into_named(), "rate"),
        (GaussianDropout::new(1.0).into_named(), "rate"),
        (GaussianNoise::new(1.5).into_named(), "stddev"),
        (BatchNormalization::new().momentum(1.5).into_named(), "momentum"),
        (BatchNormalization::new().epsilon(0.0).into_named(), "epsilon"),
        (LayerNormalization::new().axis([3]).into_named(), "axis"),
        (RmsNormalization::new().axis([1]).into_named(), "axis"),
        (RmsNormalization::new().axis([2, 2]).into_named(), "axis"),
        (RmsNormalization::new().axis([]).into_named(), "axis"),
        (RmsNormalization::new().epsilon(f64::NAN).into_named(), "epsilon"),
        (GroupNormalization::new().into_named(), "groups"),
        (GroupNormalization::new().groups(3).into_named(), "groups"),
        (GroupNormalization::new().groups(0).into_named(), "groups"),
        (GroupNormalization::new().groups(isize::MIN).into_named(), "groups"),
        (GroupNormalization::new().groups(2).axis(0).into_named(), "axis"),
        (GroupNormalization::new().groups(2).epsilon(f64::NAN).into_named(), "epsilon"),
        (AdaptiveMaxPooling1D::new(0).into_named(), "output_size"),
        (AdaptiveAveragePooling1D::new(0).into_named(), "output_size"),
        (UnitNormalization::new().axis(3).into_named(), "axis"),
        (PRelu::new().shared_axes([3]).into_named(), "shared_axes"),
        (Embedding::new(0, 3).into_named(), "input_dim"),
        (Embedding::new(3, 0).into_named(), "output_dim"),
        (Reshape::new([-1, -1]).into_named(), "target_shape"),
        (Reshape::new([0, -1]).into_named(), "target_shape"),
        (Reshape::new([40, -2]).into_named(), "target_shape"),
        (Reshape::new([isize::MAX, 2]).into_named(), "target_shape"),
        (Permute::new([1, 1]).into_named(), "dims"),
        (UpSampling1D::new(0).into_named(), "size"),
        (SimpleRnn::new(0).into_named(), "units"),
        (Lstm::new(2).dropout(1.0).into_named(), "dropout"),
        (Gru::new(2).recurrent_dropout(-1.0).into_named(), "recurrent_dropout"),
        (
            Residual::new().add(Dense::new(4).activity_regularizer(Regularizer::L1(0.1))).into_named(),
            "activity_regularizer",
        ),
        (Residual::new().add(Dense::new(4)).shortcut(Dense::new(3)).into_named(), "shortcut"),
        (Branches::new(Merge::Add).add(Dense::new(3)).branch().into_named(), "branches"),
        (Branches::new(Merge::Concatenate).add(Flatten::new()).branch().into_named(), "branches"),
        (Branches::new(Merge::Concatenate).add(MaxPooling1D::new(2)).branch().into_named(), "branches"),
    ] {
        let fault = find(layer, &[10, 4]);
        assert!(
            matches!(&fault, Error::Argument { argument: found, .. } if *found == argument),
            "{argument}: {fault:?}"
        );
    }
    for size in [[0, 2], [2, 0]] {
        let (max, average) = (AdaptiveMaxPooling2D::new(size), AdaptiveAveragePooling2D::new(size));
        for layer in [max.into_named(), average.into_named()] {
            expect!(find(layer, &[9, 9, 1]), Error::Argument { argument: "output_size", .. });
        }
    }
    for layer in [UpSampling2D::new([0, 2]), UpSampling2D::new([2, 0])] {
        expect!(find(layer.into_named(), &[9, 9, 1]), Error::Argument { argument: "size", .. });
    }
    const HUGE: usize = usize::MAX;
    let same = Padding::Same;
    for (layer, argument) in [
        (Conv2D::new(2, [3, 3]).padding(same).dilation_rate([1, HUGE]).into_named(), "dilation_rate"),
        (DepthwiseConv2D::new([3, 0]).into_named(), "kernel_size"),
        (DepthwiseConv2D::new([3, HUGE]).padding(same).into_named(), "kernel_size"),
        (DepthwiseConv2D::new([3, 3]).strides([0, 1]).into_named(), "strides"),
        (DepthwiseConv2D::new([3, 3]).dilation_rate([1, 0]).into_named(), "dilation_rate"),
        (DepthwiseConv2D::new([3, 3]).dilation_rate([HUGE / 2, 1]).into_named(), "dilation_rate"),
        (DepthwiseConv2D::new([3, 3]).depth_multiplier(0).into_named(), "depth_multiplier"),
        (DepthwiseConv2D::new([3, 3]).padding(Padding::Causal).into_named(), "padding"),
        (SeparableConv2D::new(0, [3, 3]).into_named(), "filters"),
        (SeparableConv2D::new(2, [0, 3]).into_named(), "kernel_size"),
        (SeparableConv2D::new(2, [3, 3]).strides([1, 0]).into_named(), "strides"),
        (
            SeparableConv2D::new(2, [3, 3]).padding(same).dilation_rate([1, HUGE]).into_named(),
            "dilation_rate",
        ),
        (SeparableConv2D::new(2, [3, 3]).depth_multiplier(0).into_named(), "depth_multiplier"),
        (SeparableConv2D::new(2, [3, 3]).padding(Padding::Causal).into_named(), "padding"),
        (Conv2DTranspose::new(0, [3, 3]).into_named(), "filters"),
        (Conv2DTranspose::new(2, [3, 0]).into_named(), "kernel_size"),
        (Conv2DTranspose::new(2, [3, HUGE]).into_named(), "kernel_size"),
        (Conv2DTranspose::new(2, [3, 3]).strides([2, 0]).into_named(), "strides"),
        (Conv2DTranspose::new(2, [3, 3]).strides([2, HUGE / 2]).into_named(), "strides"),
        (
            Conv2DTranspose::new(2, [3, 3]).strides([2, HUGE]).output_padding([1, HUGE - 1]).into_named(),
            "strides",
        ),
        (Conv2DTranspose::new(2, [3, 3]).dilation_rate([0, 1]).into_named(), "dilation_rate"),
        (Conv2DTranspose::new(2, [3, 3]).dilation_rate([1, HUGE]).into_named(), "dilation_rate"),
        (Conv2DTranspose::new(2, [3, 3]).strides([2, 1]).dilation_rate([1, 2]).into_named(), "dilation_rate"),
        (
            Conv2DTranspose::new(2, [3, 3]).strides([2, 1]).output_padding([1, 1]).into_named(),
            "output_padding",
        ),
        (Conv2DTranspose::new(2, [3, 3]).padding(Padding::Causal).into_named(), "padding"),
    ] {
        let fault = find(layer, &[10, 9, 4]);
        assert!(
            matches!(&fault, Error::Argument { argument: found, .. } if *found == argument),
            "{argument}: {fault:?}"
        );
    }
    for layer in [
        DepthwiseConv2D::new([3, 3]).depth_multiplier(HUGE).into_named(),
        SeparableConv2D::new(HUGE, [3, 3]).into_named(),
        SeparableConv2D::new(2, [1, HUGE / 4]).padding(same).into_named(),
        Conv2DTranspose::new(HUGE, [3, 3]).into_named(),
        Conv2DTranspose::new(2, [1, 1]).strides([1 << 20, 1 << 20]).into_named(),
    ] {
        expect!(find(layer, &[10, 9, 4]), Error::TooLarge { .. });
    }
    let empty = Conv1DTranspose::new(2, 4).padding(same).output_padding(0);
    expect!(find(empty.into_named(), &[1, 4]), Error::Argument { argument: "output_padding", .. });
    let dilated = Conv2D::new(2, [3, 3]).padding(Padding::Causal);
    expect!(find(dilated.into_named(), &[9, 9, 1]), Error::Argument { argument: "padding", .. });
    expect!(find(Residual::new().into_named(), &[3]), Error::NoLayers);
    expect!(find(Residual::new().shortcut(Dense::new(3)).into_named(), &[3]), Error::NoLayers);
    expect!(find(Branches::new(Merge::Add).into_named(), &[3]), Error::NoLayers);
    let orthogonal = PRelu::new().alpha_initializer(Initializer::Orthogonal { gain: 1.0 });
    expect!(find(orthogonal.into_named(), &[3]), Error::ArrayShape { argument: "alpha_initializer", expected: ExpectedShape::Rank { least: 2, most: None }, found }
        if found == &[3]);
    for (layer, expected) in [
        (Reshape::new([7, -1]).into_named(), ExpectedShape::CountMultipleOf(7)),
        (Reshape::new([3, 13]).into_named(), ExpectedShape::Count(39)),
        (Permute::new([2, 3, 1]).into_named(), ExpectedShape::Rank { least: 3, most: Some(3) }),
    ] {
        let fault = find(layer, &[10, 4]);
        assert!(
            matches!(&fault, Error::InputShape { expected: shape, found } if *shape == expected && found == &[10, 4]),
            "{expected}: {fault:?}"
        );
    }
}

/// A layer with several parameters names the setter whose value it refuses.
#[test]
fn errors_name_the_setter_of_the_parameter() {
    let bad = Regularizer::L2(-1.0);
    for (layer, shape, argument) in [
        (Conv1D::new(2, 3).bias_regularizer(bad).into_named(), &[9, 2][..], "bias_regularizer"),
        (DepthwiseConv1D::new(3).depthwise_regularizer(bad).into_named(), &[9, 2], "depthwise_regularizer"),
        (
            SeparableConv1D::new(2, 3).pointwise_regularizer(bad).into_named(),
            &[9, 2],
            "pointwise_regularizer",
        ),
        (
            DepthwiseConv2D::new([3, 3]).depthwise_regularizer(bad).into_named(),
            &[9, 9, 2],
            "depthwise_regularizer",
        ),
        (
            SeparableConv2D::new(2, [3, 3]).pointwise_regularizer(bad).into_named(),
            &[9, 9, 2],
            "pointwise_regularizer",
        ),
        (Conv1DTranspose::new(2, 3).kernel_regularizer(bad).into_named(), &[9, 2], "kernel_regularizer"),
        (Conv2DTranspose::new(2, [3, 3]).bias_regularizer(bad).into_named(), &[9, 9, 2], "bias_regularizer"),
        (Gru::new(2).recurrent_regularizer(bad).into_named(), &[9, 2], "recurrent_regularizer"),
        (BatchNormalization::new().beta_regularizer(bad).into_named(), &[4], "beta_regularizer"),
        (LayerNormalization::new().gamma_regularizer(bad).into_named(), &[4], "gamma_regularizer"),
        (GroupNormalization::new().groups(2).beta_regularizer(bad).into_named(), &[4], "beta_regularizer"),
        (Embedding::new(3, 2).embeddings_regularizer(bad).into_named(), &[4], "embeddings_regularizer"),
        (PRelu::new().alpha_regularizer(bad).into_named(), &[4], "alpha_regularizer"),
    ] {
        let found = Sequential::<f32>::new().input(shape).add(layer).build().unwrap_err();
        expect!(found, Error::Layer { fault, .. } if matches!(&**fault, Error::Argument { argument: name, .. } if *name == argument));
    }
}

#[test]
fn invalid_indices_are_refused_before_training() {
    let model = || {
        let mut model =
            Sequential::new().seed(1).add(Embedding::new(7, 2)).add(Flatten::new()).add(Dense::new(1));
        model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
        model
    };
    let y = Array1::<f32>::zeros(3);
    for (wrong, place) in [(7.0, 1), (-1.0, 2), (2.5, 0)] {
        let mut x = Array2::<f32>::zeros((3, 4));
        x[[place, 3]] = wrong;
        let mut model = model();
        expect!(model.fit(&x, &y, &quiet()).unwrap_err(), Error::Index { row, count: 7, found, .. }
            if *row == place && *found == f64::from(wrong));
        assert!(matches!(model.weights(), Err(Error::NotBuilt)));
        model.fit(&Array2::<f32>::zeros((3, 4)), &y, &quiet()).unwrap();
        expect!(model.predict(&x).unwrap_err(), Error::Index { .. });
        expect!(model.evaluate(&x, &y, &Evaluate::new()).unwrap_err(), Error::Index { .. });
    }
}

#[test]
fn options_of_optimizers_are_checked() {
    let compile =
        |rule: cornu::optimizer::Tuned| network().compile(rule, MeanSquaredError::new(), ()).unwrap_err();
    let rule = || Sgd::new(0.1);
    expect!(compile(rule().weight_decay(-1.0)), Error::Argument { argument: "weight_decay", .. });
    expect!(compile(rule().clip_norm(0.0)), Error::Argument { argument: "clip_norm", .. });
    expect!(compile(rule().clip_value(f64::NAN)), Error::Argument { argument: "clip_value", .. });
    expect!(compile(rule().global_clip_norm(-1.0)), Error::Argument { argument: "global_clip_norm", .. });
    expect!(compile(rule().clip_norm(1.0).clip_value(1.0)), Error::Argument { argument: "clip", .. });
    expect!(
        compile(rule().accumulate_gradients(0)),
        Error::Argument { argument: "accumulate_gradients", .. }
    );
    let average = cornu::optimizer::WeightAverage::new(1.0);
    expect!(compile(rule().average_weights(average)), Error::Argument { argument: "momentum", .. });
    let huber = network().compile(rule(), Huber::new().delta(0.0), ());
    expect!(huber.unwrap_err(), Error::Argument { argument: "delta", .. });
    let focal =
        network().compile(rule(), CategoricalFocalCrossentropy::new().alpha_per_class([1.0, 2.0]), ());
    expect!(focal.unwrap_err(), Error::Argument { argument: "alpha", .. });
}

#[test]
fn optimizers_and_losses_are_checked_by_compile() {
    let mut model = network();
    let mut compile = |optimizer: Sgd| model.compile(optimizer, MeanSquaredError::new(), ()).unwrap_err();
    expect!(compile(Sgd::new(-1.0)), Error::Argument { argument: "learning_rate", .. });
    expect!(compile(Sgd::new(f64::NAN)), Error::Argument { argument: "learning_rate", .. });
    expect!(compile(Sgd::new(0.1).momentum(1.5)), Error::Argument { argument: "momentum", .. });
    let adam = |adam: Adam| network().compile(adam, MeanSquaredError::new(), ()).unwrap_err();
    expect!(adam(Adam::new(0.1).beta_1(1.0)), Error::Argument { argument: "beta_1", .. });
    expect!(adam(Adam::new(0.1).beta_2(-0.1)), Error::Argument { argument: "beta_2", .. });
    expect!(adam(Adam::new(0.1).epsilon(f64::NAN)), Error::Argument { argument: "epsilon", .. });

    let mut one = Sequential::new().input([4]).add(Dense::new(1));
    let categorical = one.compile(Sgd::new(0.1), CategoricalCrossentropy::new(), ());
    expect!(categorical.unwrap_err(), Error::LossOutput { loss, output, expected: ExpectedOutput::Classes(2) }
        if loss == "categorical_crossentropy" && output == &[1]);
    let sparse = one.compile(Sgd::new(0.1), SparseCategoricalCrossentropy::new(), ());
    expect!(sparse.unwrap_err(), Error::LossOutput { .. });
    let smoothed = network().compile(Sgd::new(0.1), CategoricalCrossentropy::new().label_smoothing(1.5), ());
    expect!(smoothed.unwrap_err(), Error::Argument { argument: "label_smoothing", .. });
}

#[test]
fn the_error_for_an_unready_model_names_the_missing_call() {
    let mut model = Sequential::new().add(Dense::new(3));
    expect!(model.fit(&x(), &y(), &quiet()).unwrap_err(), Error::NotCompiled);
    expect!(model.predict(&x()).unwrap_err(), Error::NotBuilt);
    expect!(model.evaluate(&x(), &y(), &Evaluate::new()).unwrap_err(), Error::NotCompiled);
    expect!(model.build().unwrap_err(), Error::NotBuilt);
    expect!(model.weights().unwrap_err(), Error::NotBuilt);
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    expect!(model.evaluate(&x(), &y(), &Evaluate::new()).unwrap_err(), Error::NotBuilt);
    // A refused first fit leaves the model unbuilt.
    expect!(model.fit(&x(), &x(), &quiet()).unwrap_err(), Error::TargetShape { .. });
    expect!(model.weights().unwrap_err(), Error::NotBuilt);
}

#[test]
fn shapes_and_lengths_are_compared() {
    let wide = Array2::zeros((6, 5));
    expect!(refused(network(), &wide, &y(), &quiet()), Error::SampleShape { argument, expected, found }
        if argument == "x" && *expected == ExpectedShape::Axes(vec![ExpectedAxis::Length(4)]) && found == &[5]);
    expect!(network().predict(&wide).unwrap_err(), Error::SampleShape { .. });
    expect!(network().evaluate(&wide, &y(), &Evaluate::new()).unwrap_err(), Error::SampleShape { .. });
    let deep = network().predict(&Array3::<f32>::zeros((6, 4, 1))).unwrap_err();
    expect!(deep, Error::SampleShape { found, .. } if found == &[4, 1]);
    let short = y().slice(cornu::ndarray::s![..5, ..]).to_owned();
    expect!(refused(network(), &x(), &short, &quiet()), Error::Length { x: 6, found: 5, argument } if argument == "y");
    expect!(refused(network(), &Array2::zeros((0, 4)), &Array2::zeros((0, 3)), &quiet()),
        Error::Empty { shape, .. } if shape == &[0, 4]);
    expect!(network().predict(&Array2::<f32>::zeros((0, 4))).unwrap_err(), Error::Empty { .. });
    expect!(refused(network(), &x(), &Array2::zeros((6, 4)), &quiet()), Error::TargetShape { output, found, expected, .. }
        if output == &[3] && found == &[4] && *expected == ExpectedTarget::Output(vec![3]));
    // Class indices for a loss that reads one-hot rows: the error suggests both solutions.
    let error = network().fit(&x(), &array![0, 1, 2, 0, 1, 2], &quiet()).unwrap_err();
    assert!(error.to_string().contains("SparseCategoricalCrossentropy, or to_categorical"), "{error}");
    expect!(sparse().fit(&x(), &y(), &quiet()).unwrap_err(), Error::TargetShape { found, expected, .. }
        if found == &[3] && *expected == ExpectedTarget::ClassIndices(vec![1]));
}

#[test]
fn values_that_are_not_finite_are_refused() {
    for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (mut bad_x, mut bad_y) = (x(), y());
        bad_x[[4, 2]] = wrong;
        bad_y[[3, 1]] = wrong;
        expect!(refused(network(), &bad_x, &y(), &quiet()), Error::NonFinite { row: 4, column: 2, argument, .. } if argument == "x");
        expect!(refused(network(), &x(), &bad_y, &quiet()), Error::NonFinite { row: 3, column: 1, argument, .. } if argument == "y");
        expect!(network().predict(&bad_x).unwrap_err(), Error::NonFinite { row: 4, column: 2, .. });
        // A relu hides it from the outputs, but not from the sums of the layer.
        let mut first = Sequential::new().seed(1).input([4]).add(Dense::new(2).activation(Activation::Relu));
        first.build().unwrap();
        expect!(first.predict(&bad_x).unwrap_err(), Error::NonFinite { row: 4, column: 2, .. });
        let (test_x, test_y) = (x(), y());
        let fit = quiet().validation_data(&bad_x, &test_y);
        expect!(refused(network(), &test_x, &test_y, &fit), Error::NonFinite { argument, .. } if argument == "validation x");
    }
}

#[test]
fn labels_out_of_range_are_refused() {
    for (labels, row, wrong) in
        [(array![0.0, 1.0, 3.0], 2, 3.0), (array![-1.0, 0.0, 0.0], 0, -1.0), (array![0.0, 0.5, 0.0], 1, 0.5)]
    {
        let some = x().slice(cornu::ndarray::s![..3, ..]).to_owned();
        let before = sparse();
        let mut model = before.clone();
        let error = model.fit(&some, &labels, &quiet()).unwrap_err();
        expect!(error, Error::Label { row: r, found, classes: 3, .. } if *r == row && *found == wrong);
        assert_eq!(weights(&model), weights(&before));
    }
    let mut two = y();
    two[[1, 1]] = 2.0;
    expect!(refused(network(), &x(), &two, &quiet()), Error::Probability { row: 1, found, .. } if *found == 2.0);
}

#[test]
fn settings_out_of_range_are_refused() {
    for (fit, wanted) in [
        (quiet().batch_size(0), "batch_size"),
        (quiet().validation_batch_size(0), "validation_batch_size"),
        (quiet().validation_freq(0), "validation_freq"),
        (quiet().validation_split(0.0), "validation_split"),
        (quiet().validation_split(1.0), "validation_split"),
        (quiet().validation_split(-0.5), "validation_split"),
        (quiet().validation_split(f64::NAN), "validation_split"),
        (quiet().validation_split(0.99), "validation_split"),
    ] {
        expect!(refused(network(), &x(), &y(), &fit), Error::Argument { argument, .. } if *argument == wanted);
    }
    let zero = network().evaluate(&x(), &y(), &Evaluate::new().batch_size(0));
    expect!(zero.unwrap_err(), Error::Argument { argument: "batch_size", .. });
}

#[test]
fn class_and_sample_weights_are_checked() {
    let by_class = |weights: &[f64]| quiet().class_weight(ClassWeight::PerClass(weights.to_vec()));
    expect!(
        refused(network(), &x(), &y(), &by_class(&[1.0, 2.0])),
        Error::ClassWeightCount { expected: 3, found: 2 }
    );
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        expect!(
            refused(network(), &x(), &y(), &by_class(&[1.0, 1.0, wrong])),
            Error::Weight { argument: "class", index: 2, .. }
        );
        let weight = array![1.0, 1.0, wrong, 1.0, 1.0, 1.0];
        expect!(
            refused(network(), &x(), &y(), &quiet().sample_weight(&weight)),
            Error::Weight { argument: "sample", index: 2, .. }
        );
    }
    let short = Array1::<f64>::ones(5);
    expect!(
        refused(network(), &x(), &y(), &quiet().sample_weight(&short)),
        Error::Length { x: 6, found: 5, .. }
    );
    let wide = Array2::<f64>::ones((6, 2));
    expect!(refused(network(), &x(), &y(), &quiet().sample_weight(&wide)), Error::SampleShape { .. });
}

#[test]
fn errors_for_unknown_names_list_the_known_ones() {
    let mut model = network();
    expect!(model.layer("F3").unwrap_err(), Error::Unknown { what: "layer", known, .. } if known == &["F1", "F2", "softmax"]);
    expect!(model.weight("F1/gamma").unwrap_err(), Error::Unknown { what: "weight", known, .. } if known.len() == 4);
    let before = weights(&model);
    let error = model.set_weight("F1/kernel", &Array2::<f32>::zeros((3, 4))).unwrap_err();
    expect!(error, Error::WeightShape { path, expected, found } if path == "F1/kernel" && expected == &[4, 3] && found == &[3, 4]);
    expect!(model.set_weights("F1", &[]).unwrap_err(), Error::WeightCount { expected: 2, found: 0, .. });
    let kernel_alone_fits = [Array2::<f32>::zeros((4, 3)).into_dyn(), Array1::zeros(2).into_dyn()];
    expect!(model.set_weights("F1", &kernel_alone_fits).unwrap_err(), Error::WeightShape { .. });
    assert_eq!(weights(&model), before);
    let mut predictor = model.predictor().unwrap();
    expect!(predictor.predict_into(&x(), &mut [0.0; 5]).unwrap_err(), Error::Argument { argument: "y", .. });
}

/// A linear model whose loss grows without bound.
fn runaway(learning_rate: f64, epochs: usize) -> (Sequential, Result<History>) {
    let mut model = Sequential::new().seed(2).add(Dense::new(3).name("below")).add(Dense::new(1).name("top"));
    model.compile(Sgd::new(learning_rate), MeanSquaredError::new(), ()).unwrap();
    let x = Array2::from_shape_fn((8, 2), |(i, j)| (i + j) as f32);
    let y = Array1::from_iter((0..8).map(|i| i as f32));
    let fit = quiet().epochs(epochs).batch_size(4).shuffle(false);
    let history = model.fit(&x, &y, &fit);
    (model, history)
}

#[test]
fn a_diverging_training_keeps_its_last_finite_weights() {
    let (model, ended) = runaway(0.5, 1000);
    let error = ended.unwrap_err();
    let Error::Diverged { epoch, batch, ref place, .. } = error else { panic!("{error:?}") };
    assert!(epoch > 1 && (1..=2).contains(&batch) && place.starts_with("layer "), "{error}");
    assert!(weights(&model).iter().all(|w| w.is_finite()));

    // One step less gives the same weights: the failed step changed nothing.
    let mut again = Sequential::new().seed(2).add(Dense::new(3).name("below")).add(Dense::new(1).name("top"));
    again.compile(Sgd::new(0.5), MeanSquaredError::new(), ()).unwrap();
    let x = Array2::from_shape_fn((8, 2), |(i, j)| (i + j) as f32);
    let y = Array1::from_iter((0..8).map(|i| i as f32));
    /// Stops after a number of batches.
    struct StopAfter(usize);
    impl cornu::callback::Callback<f32> for StopAfter {
        fn on_batch_end(
            &mut self,
            at: &mut cornu::callback::CallbackContext<f32>,
        ) -> Result<cornu::callback::Flow> {
            match at.epoch * at.batches + at.batch == self.0 {
                true => Ok(cornu::callback::Flow::Stop("enough".into())),
                false => Ok(cornu::callback::Flow::Continue),
            }
        }
    }
    let finite = 2 * (epoch - 1) + batch - 1;
    again
        .fit(&x, &y, &quiet().epochs(1000).batch_size(4).shuffle(false).callback(StopAfter(finite)))
        .unwrap();
    assert_eq!(weights(&again), weights(&model));
}

#[test]
fn the_first_layer_with_a_non_finite_output_is_named() {
    let mut model = Sequential::new()
        .seed(1)
        .add(Dense::new(2).kernel_initializer(Initializer::Ones).name("fine"))
        .add(Activation::Exponential.name("boom"))
        .add(Dense::new(1).name("after"));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let x = Array2::<f32>::from_elem((2, 2), 1e4);
    let error = model.fit(&x, &array![1.0, 2.0], &quiet()).unwrap_err();
    expect!(error, Error::Diverged { epoch: 1, batch: 1, quantity: Quantity::Loss, place, .. } if place == "layer 1 `boom` (Activation)");
}

#[test]
fn an_overflowing_gradient_with_a_finite_loss_is_an_error() {
    // The loss is |x·w|, about 1e30; its gradient with respect to w is x, but that of the scaled layer overflows f32.
    let mut model = Sequential::new()
        .seed(1)
        .input([1])
        .add(Dense::new(1).use_bias(false).kernel_initializer(Initializer::Constant(1e-15)).name("F1"))
        .add(Rescaling::new(1e20))
        .add(Rescaling::new(1e20));
    model.compile(Sgd::new(0.1), MeanAbsoluteError::new(), ()).unwrap();
    let error = model.fit(&array![[1.0f32]], &array![0.0], &quiet()).unwrap_err();
    expect!(error, Error::Diverged { quantity: Quantity::Gradient, epoch: 1, batch: 1, .. });
    assert_eq!(weights(&model), [1e-15]);
}

#[test]
fn nan_outputs_end_a_training_with_any_loss() {
    fn diverges(loss: impl Loss<f32> + 'static) {
        let name = loss.name().to_string();
        let mut model = Sequential::new()
            .input([2])
            .add(Dense::new(2).kernel_initializer(Initializer::Constant(3e38)))
            .add(Activation::Softmax);
        model.compile(Sgd::new(0.1), loss, [Accuracy::new()]).unwrap();
        let (x, y) = (array![[9.0f32, -9.0]], array![[0.0f32, 1.0]]);
        let found = model.fit(&x, &y, &Fit::new().verbose(Verbose::Silent));
        assert!(matches!(found, Err(Error::Diverged { .. })), "{name}: {found:?}");
    }
    diverges(Hinge);
    diverges(SquaredHinge);
    diverges(CategoricalHinge);
    diverges(KlDivergence);
    diverges(Poisson);
    diverges(LogCosh);
    diverges(CosineSimilarity);
    diverges(Huber::new());
    diverges(MeanSquaredError);
    diverges(MeanAbsoluteError);
    diverges(MeanSquaredLogarithmicError);
    diverges(MeanAbsolutePercentageError);
    diverges(BinaryCrossentropy::new());
    diverges(CategoricalCrossentropy::new());
    diverges(BinaryFocalCrossentropy::new());
    diverges(CategoricalFocalCrossentropy::new());
}
