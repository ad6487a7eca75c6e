//! Models with open axes: each layer computes for every length what it computes in a model of that length.

use cornu::data::{BatchSource, Buckets, Side};
use cornu::error::ExpectedShape;
use cornu::ndarray::{Array1, Array3, ArrayD, IxDyn};
use cornu::prelude::*;

use crate::roster;

/// Numbers in [−1, 1), or indices below 3.
fn samples(rows: usize, shape: &[usize], indices: bool) -> ArrayD<f64> {
    let mut rng = Rng::new(5);
    ArrayD::from_shape_simple_fn(IxDyn(&[&[rows], shape].concat()), || match indices {
        true => (rng.bits() % 3) as f64,
        false => 2.0 * rng.uniform() - 1.0,
    })
}

/// The model with fixed axes and the weights of `open`.
fn fixed(
    layer: &cornu::layer::NamedLayer<f64>,
    shape: &[usize],
    open: &Sequential<f64>,
) -> Option<Sequential<f64>> {
    let mut model = Sequential::<f64>::with_scalar().seed(3).input(shape).add(layer.clone());
    model.build().ok()?;
    for (path, value) in open.weights().unwrap() {
        model.set_weight(&path, &value.to_owned()).unwrap();
    }
    Some(model)
}

fn train(model: &mut Sequential<f64>, x: &ArrayD<f64>) -> Vec<f64> {
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let y = model.predict(x).unwrap().mapv(|y| y + 0.5);
    // Twice, so that the second draw of random numbers is compared, too.
    for _ in 0..2 {
        model.train_on_batch(x, &y, &Fit::new()).unwrap();
    }
    let mut all: Vec<f64> = model.predict(x).unwrap().into_iter().collect();
    all.extend(model.weights().unwrap().into_iter().flat_map(|(_, w)| w.iter().copied().collect::<Vec<_>>()));
    all
}

#[test]
fn every_layer_of_any_length_equals_one_of_that_length() {
    let (mut open_kinds, mut closed) = (Vec::new(), Vec::new());
    for case in roster::layers::<f64>() {
        let kind = case.layer.layer().kind().to_string();
        let mut axes: Vec<Option<usize>> = case.shape.iter().copied().map(Some).collect();
        axes[0] = None;
        let mut model = Sequential::<f64>::with_scalar().seed(3).input(axes).add(case.layer.clone());
        if let Err(error) = model.build() {
            assert!(matches!(error, Error::Layer { .. }), "{kind}: {error}");
            closed.push(kind);
            continue;
        }
        for length in [case.shape[0], case.shape[0] + 3, case.shape[0], 2 * case.shape[0] + 1] {
            let shape = [&[length], &case.shape[1..]].concat();
            let x = samples(4, &shape, case.takes_indices());
            let found = model.predict(&x);
            let Some(mut alone) = fixed(&case.layer, &shape, &model) else {
                assert!(matches!(found, Err(Error::Layer { .. })), "{kind} of {shape:?}: {found:?}");
                continue;
            };
            assert_eq!(found.unwrap(), alone.predict(&x).unwrap(), "{kind} of {shape:?}");
            let expected = train(&mut alone, &x);
            assert_eq!(train(&mut model.clone(), &x), expected, "{kind} of {shape:?}");
            // Nothing is left of longer samples.
            let mut used = model.clone();
            train(
                &mut used,
                &samples(6, &[&[3 * case.shape[0]], &case.shape[1..]].concat(), case.takes_indices()),
            );
            for (path, value) in model.weights().unwrap() {
                used.set_weight(&path, &value.to_owned()).unwrap();
            }
            assert_eq!(train(&mut used, &x), expected, "{kind} of {shape:?}, after longer ones");
        }
        open_kinds.push(kind);
    }
    for kind in [
        "LSTM",
        "Conv1D",
        "Embedding",
        "GlobalAveragePooling1D",
        "TimeDistributed",
        "Dense",
        "Dropout",
        "Bidirectional",
    ] {
        assert!(open_kinds.iter().any(|open| open == kind), "{kind} is not of any length: {open_kinds:?}");
    }
    assert!(closed.iter().all(|kind| !kind.contains("Pooling")), "{closed:?}");
}

#[test]
fn lengths_that_layers_cannot_take_are_refused_by_name() {
    let mut model = Sequential::new()
        .input([None, Some(2)])
        .add(Dense::new(3))
        .add(Conv1D::new(4, 5).name("wide"))
        .add(GlobalMaxPooling1D::new());
    model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
    assert_eq!(model.input_axes().unwrap().to_string(), "(None, 2)");
    let x = |steps| Array3::<f32>::ones((4, steps, 2));
    let before = model.predict(&x(7)).unwrap();
    let y = before.clone();
    let refused = [
        model.predict(&x(4)).unwrap_err(),
        model.evaluate(&x(4), &y, &Evaluate::new()).unwrap_err(),
        model.fit(&x(4), &y, &Fit::new()).unwrap_err(),
        model.train_on_batch(&x(4), &y, &Fit::new()).unwrap_err(),
    ];
    for error in refused {
        assert!(error.to_string().starts_with("layer 1 `wide` (Conv1D): expected an input"), "{error}");
    }
    assert!(matches!(model.predict(&x(0)).unwrap_err(), Error::Empty { .. }));
    let wide = Array3::<f32>::ones((4, 7, 3));
    let message = "x: expected samples of shape (any length, 2), found (7, 3)";
    assert_eq!(model.predict(&wide).unwrap_err().to_string(), message);
    assert_eq!(model.fit(&wide, &y, &Fit::new()).unwrap_err().to_string(), message);
    assert_eq!(model.evaluate(&wide, &y, &Evaluate::new()).unwrap_err().to_string(), message);
    assert_eq!(model.predict(&x(7)).unwrap(), before);
}

#[test]
fn parameters_that_depend_on_the_length_are_refused() {
    let mut model =
        Sequential::new().input([None, Some(2)]).add(Flatten::new()).add(Dense::new(3).name("F1"));
    let error = model.build().unwrap_err().to_string();
    let start =
        "layer 1 `F1` (Dense): `kernel`: expected the shape (2, 3) for samples of any length, found (";
    assert!(error.starts_with(start), "{error}");
    // A fixed length is still possible, and no axis is open by chance.
    let mut model = Sequential::new().input([5, 2]).add(Lstm::new(2));
    model.build().unwrap();
    let error = model.predict(&Array3::<f32>::zeros((1, 6, 2))).unwrap_err();
    let expected = ExpectedShape::Axes(vec![
        cornu::error::ExpectedAxis::Length(5),
        cornu::error::ExpectedAxis::Length(2),
    ]);
    assert!(matches!(&error, Error::SampleShape { expected: found, .. } if *found == expected), "{error}");
}

/// 60 series of 3 to 22 steps; the class is the sign of their sum.
fn series() -> (Vec<ndarray::Array2<f32>>, Array1<f32>) {
    let mut rng = Rng::new(7);
    let x: Vec<_> = (0..60)
        .map(|_| {
            let steps = 3 + (rng.bits() % 20) as usize;
            let mean = if rng.uniform() < 0.5 { -0.5 } else { 0.5 };
            ndarray::Array2::from_shape_simple_fn((steps, 2), || (mean + rng.normal()) as f32)
        })
        .collect();
    let y = x.iter().map(|x| f32::from(u8::from(x.sum() > 0.0))).collect();
    (x, y)
}

fn classifier() -> Sequential {
    let mut model = Sequential::new()
        .seed(11)
        .input([None, Some(2)])
        .add(Masking::new(0.0))
        .add(Gru::new(6).recurrent_dropout(0.1))
        .add(Dropout::new(0.1))
        .add(Dense::new(1).activation(Activation::Sigmoid));
    model.compile(Adam::new(0.02), BinaryCrossentropy::new(), [Accuracy::new()]).unwrap();
    model
}

#[test]
fn buckets_train_the_same_bits_for_the_same_seed() {
    let (x, y) = series();
    let source = Buckets::new(&x, &y).unwrap().count(4);
    let settings = || Fit::new().epochs(4).batch_size(8).validation_split(0.2).verbose(Verbose::Silent);
    let run = |diagnose| {
        let mut model = classifier();
        let history = model.fit_source(&source, &settings().diagnose(diagnose)).unwrap();
        let weights: Vec<f32> = model
            .weights()
            .unwrap()
            .into_iter()
            .flat_map(|(_, w)| w.iter().copied().collect::<Vec<_>>())
            .collect();
        (weights, history.last("loss"), history.last("val_loss"))
    };
    let first = run(Diagnose::Report);
    assert_eq!(first, run(Diagnose::Report));
    assert_eq!(first, run(Diagnose::Off), "the diagnosis changes nothing");
    let mut model = classifier();
    let history =
        model.fit_source(&source, &Fit::new().epochs(40).batch_size(8).verbose(Verbose::Silent)).unwrap();
    assert!(history.last("accuracy") > Some(0.9), "{:?}", history.last("accuracy"));
}

#[test]
fn masked_padding_changes_no_result_of_an_evaluation() {
    let (x, y) = series();
    let model = classifier();
    let scores = |count, side| {
        let source = Buckets::new(&x, &y).unwrap().count(count).padding(side);
        model.evaluate_source(&source, &Evaluate::new().batch_size(7)).unwrap()
    };
    let one_by_one: f64 = x
        .iter()
        .zip(&y)
        .map(|(x, y)| {
            let x = x.view().insert_axis(ndarray::Axis(0));
            model.evaluate(&x, &ndarray::array![*y], &Evaluate::new()).unwrap().get("loss").unwrap()
        })
        .sum();
    for (count, side) in [(1, Side::Pre), (4, Side::Pre), (60, Side::Post), (3, Side::Post)] {
        let found = scores(count, side).get("loss").unwrap();
        assert!((found - one_by_one / 60.0).abs() < 1e-6, "{count} buckets: {found}");
    }
}

#[test]
fn steps_with_targets_of_their_own_can_differ_in_number() {
    let (x, _) = series();
    let y: Vec<Vec<f32>> = x
        .iter()
        .map(|x| x.rows().into_iter().map(|row| f32::from(u8::from(row[0] > 0.0))).collect())
        .collect();
    let source = Buckets::per_step(&x, &y).unwrap();
    let mut model = Sequential::new()
        .seed(2)
        .input([None, Some(2)])
        .add(Masking::new(0.0))
        .add(Dense::new(1).activation(Activation::Sigmoid));
    model.compile(Adam::new(0.1), BinaryCrossentropy::new(), [Accuracy::new()]).unwrap();
    let quiet = || Fit::new().epochs(30).batch_size(8).verbose(Verbose::Silent);
    let history = model.fit_source(&source, &quiet()).unwrap();
    assert!(history.last("accuracy") > Some(0.97), "{:?}", history.last("accuracy"));
    let weighted = model.fit_source(&source, &quiet().class_weight(ClassWeight::Balanced)).unwrap_err();
    assert!(matches!(weighted, Error::Argument { .. }), "{weighted}");
}

#[test]
fn buckets_need_an_open_axis() {
    let (x, y) = series();
    let source = Buckets::new(&x, &y).unwrap();
    let quiet = || Fit::new().epochs(1).verbose(Verbose::Silent);
    let shape = BatchSource::<f32>::input_shape(&source);
    let model = |input: cornu::InputShape| {
        let mut model = Sequential::new().seed(1).input(input).add(Lstm::new(2)).add(Dense::new(1));
        model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
        model
    };
    let closed = model(shape.into()).fit_source(&source, &quiet()).unwrap_err();
    assert!(matches!(closed, Error::SampleShape { .. }), "{closed}");
    // Without an input shape, the steps become open.
    let mut model = Sequential::new().seed(1).add(Lstm::new(2)).add(Dense::new(1));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    model.fit_source(&source, &quiet()).unwrap();
    assert_eq!(model.input_axes().unwrap().to_string(), "(None, 2)");
    assert_eq!(model.predict(&Array3::<f32>::zeros((2, 1, 2))).unwrap().shape(), [2, 1]);
    // A flattened sequence has no fixed width, and the model stays as it was.
    let mut flat = Sequential::new().seed(1).add(Flatten::new()).add(Dense::new(1));
    flat.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    assert!(matches!(flat.fit_source(&source, &quiet()), Err(Error::Layer { index: 1, .. })));
    assert_eq!((flat.input_axes(), flat.output_shape()), (None, None));
    for results in cornu::distributed::threads(2, |world| {
        let settings = Fit::new().epochs(1).distributed(world).verbose(Verbose::Silent);
        classifier().fit_source(&source, &settings).map(|_| ())
    }) {
        assert!(matches!(results, Err(Error::Argument { .. })), "{results:?}");
    }
}

/// Series of these lengths, of two features.
fn of_lengths(lengths: &[usize]) -> (Vec<ndarray::Array2<f32>>, Array1<f32>) {
    let value = |i: usize, j: usize, k: usize| ((7 * i + 5 * j + 3 * k) % 13) as f32 / 13.0;
    let series = lengths.iter().enumerate();
    let x =
        series.map(|(i, &len)| ndarray::Array2::from_shape_fn((len, 2), |(j, k)| value(i, j, k))).collect();
    (x, (0..lengths.len()).map(|i| (i % 2) as f32).collect())
}

#[test]
fn validation_data_may_have_other_lengths_than_the_last_batch() {
    let (x, y) = of_lengths(&[3, 3, 3, 5, 5, 5]);
    let source = Buckets::new(&x, &y).unwrap();
    let (held_x, held_y) = of_lengths(&[5, 5, 3, 9]);
    let held = Buckets::new(&held_x, &held_y).unwrap();
    let (array, labels) =
        (Array3::from_shape_fn((4, 7, 2), |(i, j, k)| ((i + 2 * j + k) % 5) as f32), held_y.clone());
    let settings = || Fit::new().epochs(3).batch_size(2).verbose(Verbose::Silent);
    let check = |settings: Fit, score: &dyn Fn(&Sequential) -> cornu::callback::Logs| {
        let mut model = classifier();
        let history = model.fit_source(&source, &settings).unwrap();
        let expected = score(&model).get("loss").unwrap();
        let found = history.last("val_loss").unwrap();
        assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
    };
    let evaluate = || Evaluate::new().batch_size(2);
    check(settings().validation_source(&held), &|model| model.evaluate_source(&held, &evaluate()).unwrap());
    check(settings().validation_data(&array, &labels), &|model| {
        model.evaluate(&array, &labels, &evaluate()).unwrap()
    });
    let mut model = classifier();
    let short = Array3::<f32>::ones((4, 6, 2));
    model.fit(&short, &labels, &settings().validation_data(&array, &labels)).unwrap();
}

#[test]
fn lengths_and_outputs_are_checked_before_training() {
    let quiet = || Fit::new().epochs(1).batch_size(2).verbose(Verbose::Silent);
    let (x, y) = of_lengths(&[3, 3, 20, 20]);
    let source = Buckets::new(&x, &y).unwrap();
    let mut model = Sequential::new()
        .seed(1)
        .input([None, Some(2)])
        .add(Conv1D::new(4, 5))
        .add(GlobalMaxPooling1D::new());
    model = model.add(Dense::new(1));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let before: Vec<_> = model.weights().unwrap().into_iter().map(|(_, w)| w.to_owned()).collect();
    assert!(matches!(model.fit_source(&source, &quiet()), Err(Error::Layer { index: 0, .. })));
    let after: Vec<_> = model.weights().unwrap().into_iter().map(|(_, w)| w.to_owned()).collect();
    assert_eq!(before, after);
    // The outputs of a flattened sequence are no steps.
    let numbers = [vec![1.0f32, 2.0, 3.0], vec![1.0, 2.0, 3.0, 4.0, 5.0]];
    let source = Buckets::per_step(&numbers, &numbers).unwrap();
    let mut model = Sequential::new().seed(1).input([None]).add(Rescaling::new(2.0));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    assert!(matches!(
        model.evaluate_source(&source, &Evaluate::new()),
        Err(Error::Argument { argument: "output", .. })
    ));
}

#[test]
fn layers_that_need_a_multiple_can_have_open_axes() {
    let mut model =
        Sequential::new().seed(1).input([None, Some(2)]).add(Reshape::new([-1, 6])).add(Lstm::new(2));
    model.build().unwrap();
    assert_eq!(model.predict(&Array3::<f32>::zeros((2, 30, 2))).unwrap().shape(), [2, 2]);
    assert!(matches!(model.predict(&Array3::<f32>::zeros((2, 31, 2))), Err(Error::Layer { index: 0, .. })));
    // A layer that is added later is built for the data.
    let mut model = Sequential::new().seed(1).input([None, Some(2)]).add(Lstm::new(2));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let mut model = model.add(Dense::new(1));
    let (x, y) = (Array3::<f32>::zeros((2, 9, 2)), Array1::<f32>::zeros(2));
    model.fit(&x, &y, &Fit::new().epochs(1).verbose(Verbose::Silent)).unwrap();
    // One-hot rows of one index have no axis of steps.
    let mut model =
        Sequential::new().input([None]).add(CategoryEncoding::new(3).output_mode(OutputMode::OneHot));
    assert!(matches!(model.build(), Err(Error::Layer { index: 0, .. })));
}

#[test]
fn texts_are_read_whole_by_a_model_of_any_length() {
    let texts = ["good film", "not good at all", "a very very good and long film"];
    let tokenizer = cornu::data::Tokenizer::new().fit(&texts).unwrap();
    let mut model = Sequential::new()
        .seed(4)
        .input([None])
        .add(Embedding::new(tokenizer.vocabulary_size(), 8).mask_zero(true))
        .add(Gru::new(8))
        .add(Dense::new(3));
    model.build().unwrap();
    let x = tokenizer.encode_padded(&texts).unwrap().mapv(|index| index as f32);
    let expected = model.predict_classes(&x).unwrap().mapv(|class| ["a", "b", "c"][class].to_string());
    model.set_preparation("words", tokenizer);
    model.set_preparation("classes", LabelEncoder::fit(["a", "b", "c"].map(String::from)));
    assert_eq!(model.predict_texts(&texts).unwrap(), expected.to_vec());
}
