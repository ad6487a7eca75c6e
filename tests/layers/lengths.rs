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
            assert_eq!(train(&mut model.clone(), &x), train(&mut alone, &x), "{kind} of {shape:?}");
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
