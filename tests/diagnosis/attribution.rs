//! Integrated gradients: they sum to the difference of the outputs for all layers; and invalid requests.

use cornu::inspect::IntegratedGradients;
use cornu::layer::{BackwardContext, BuildContext};
use cornu::ndarray::{Array, Array2, Array3, ArrayD, Axis, array};
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};

fn drawn(shape: &[usize], stream: u64) -> ArrayD<f64> {
    let mut rng = Rng::stream(9, stream);
    Array::from_shape_simple_fn(shape, || rng.normal())
}

/// Trains briefly with all noise on, and compares the sums of the attributions with the difference of the outputs.
#[track_caller]
fn check_complete(model: Sequential<f64>, input: &[usize], steps: usize, tolerance: f64) {
    let mut model = model.seed(2).input(input);
    model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
    let x = drawn(&[&[24], input].concat(), 1);
    let y = model.predict(&x).unwrap().mapv(|y| 0.5 * y + 0.3);
    model.fit(&x, &y, &Fit::new().epochs(2).batch_size(8).verbose(Verbose::Silent)).unwrap();
    let before = model.weights().unwrap().into_iter().map(|(_, w)| w.to_owned()).collect::<Vec<_>>();
    let baseline = drawn(&[&[1], input].concat(), 2);
    let outputs: usize = model.output_shape().unwrap().iter().product();
    for output in [None, Some(outputs - 1)] {
        let settings = IntegratedGradients::new().steps(steps).baseline(&baseline);
        let settings = output.map_or(settings.clone(), |output| settings.clone().output(output));
        let few = x.slice_axis(Axis(0), (0..3).into()).to_owned();
        let why = model.integrated_gradients(&few, &settings).unwrap();
        assert_eq!(why.values.shape(), few.shape());
        let predicted = model.predict(&few).unwrap();
        for (i, row) in predicted.outer_iter().enumerate() {
            let at = why.outputs[i];
            assert_eq!(row.iter().nth(at), Some(&why.at_sample[i]));
            assert!(output.is_some_and(|output| output == at) || row.iter().all(|y| *y <= why.at_sample[i]));
        }
        for gap in why.gaps() {
            assert!(gap.abs() < tolerance, "{gap} of {:?}", why.at_sample);
        }
        assert!(why.values.iter().any(|value| value.abs() > 1e-3), "all attributions are 0");
    }
    let after: Vec<_> = model.weights().unwrap().into_iter().map(|(_, w)| w.to_owned()).collect();
    assert_eq!(before, after, "the model is unchanged");
}

fn empty() -> Sequential<f64> {
    Sequential::with_scalar()
}

#[test]
fn attributions_sum_to_the_difference_of_the_outputs() {
    let smooth =
        empty().add(Dense::new(7).activation(Activation::Tanh)).add(Dense::new(3)).add(Softmax::new());
    check_complete(smooth, &[5], 300, 1e-5);
    let corners = empty().add(Dense::new(9).activation(Activation::Relu)).add(Dense::new(2));
    check_complete(corners, &[5], 4000, 2e-3);
    let noisy = empty()
        .add(GaussianNoise::new(0.5))
        .add(Dense::new(6).activation(Activation::Gelu { approximate: false }))
        .add(Dropout::new(0.5))
        .add(BatchNormalization::new())
        .add(GaussianDropout::new(0.3))
        .add(Residual::new().add(Dropout::new(0.2)).add(Dense::new(6)).add(GaussianNoise::new(1.0)))
        .add(AlphaDropout::new(0.2))
        .add(Dense::new(2).activity_regularizer(Regularizer::L2(0.1)));
    check_complete(noisy, &[4], 500, 1e-5);
    let signals = empty()
        .add(Conv1D::new(4, 3).activation(Activation::Tanh))
        .add(SpatialDropout1D::new(0.5))
        .add(LayerNormalization::new())
        .add(Bidirectional::new(Lstm::new(3)))
        .add(Dense::new(2));
    check_complete(signals, &[8, 2], 400, 1e-5);
    check_complete(empty().add(Flatten::new()).add(Dense::new(2)), &[3, 2], 1, 1e-12);
}

#[test]
fn attributions_of_a_linear_model_are_inputs_times_weights() {
    let mut model = Sequential::new().input([3]).add(Rescaling::new(0.5)).add(Dense::new(1));
    model.build().unwrap();
    model.set_weight("dense/kernel", &array![[2.0], [0.0], [-4.0]]).unwrap();
    let baseline = array![[1.0, 1.0, 1.0]];
    let why = model
        .integrated_gradients(&array![[3.0, 5.0, 2.0]], &IntegratedGradients::new().baseline(&baseline))
        .unwrap();
    assert_eq!(why.values, array![[2.0, 0.0, -2.0]].into_dyn());
}

/// Doubles its input in a prediction, and passes it on unchanged in training.
#[derive(Debug, Clone)]
struct TwoFaced;

impl<F: Scalar> Layer<F> for TwoFaced {
    fn kind(&self) -> &str {
        "TwoFaced"
    }
    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        Ok(input.to_vec())
    }
    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        y.data().iter_mut().zip(x.data()).for_each(|(y, x)| *y = *x + *x);
    }
    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, _: &mut cornu::layer::Step<F>) {
        y.data().copy_from_slice(x.data());
    }
    fn backward(&mut self, _: BackwardContext<F>) {}
}

#[test]
fn invalid_attribution_requests_are_refused() {
    let mut model = Sequential::new().input([2]).add(Dense::new(3));
    let x = array![[1.0, 2.0]];
    let settings = IntegratedGradients::new;
    assert!(matches!(model.integrated_gradients(&x, &settings()), Err(Error::NotBuilt)));
    model.build().unwrap();
    let refused = |settings: IntegratedGradients, argument: &str| {
        let found = model.integrated_gradients(&x, &settings);
        assert!(matches!(&found, Err(Error::Argument { argument: at, .. }) if *at == argument), "{found:?}");
    };
    refused(settings().steps(0), "steps");
    refused(settings().output(3), "output");
    let two = Array2::<f32>::zeros((2, 2));
    refused(settings().baseline(&two), "baseline");
    let wide = Array3::<f32>::zeros((1, 2, 1));
    assert!(matches!(model.integrated_gradients(&wide, &settings()), Err(Error::SampleShape { .. })));
    let nan = array![[f32::NAN, 0.0]];
    assert!(matches!(model.integrated_gradients(&nan, &settings()), Err(Error::NonFinite { .. })));

    let mut words =
        Sequential::new().input([3]).add(Embedding::new(5, 2)).add(Flatten::new()).add(Dense::new(1));
    words.build().unwrap();
    let found = words.integrated_gradients(&array![[0, 1, 2]], &settings());
    assert!(matches!(found, Err(Error::Argument { argument: "model", .. })), "{found:?}");
    let mut two_faced = Sequential::new().input([2]).add(TwoFaced);
    two_faced.build().unwrap();
    let found = two_faced.integrated_gradients(&x, &settings());
    assert!(matches!(found, Err(Error::Argument { argument: "model", .. })), "{found:?}");
}

/// `golden/attribution.py` computed the values.
#[test]
fn attributions_agree_with_keras_and_jax() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("../golden/attribution.json")).unwrap();
    let dense = empty()
        .input([6])
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(Dropout::new(0.5))
        .add(Dense::new(3).activation(Activation::Softmax));
    let signals = empty()
        .input([12, 2])
        .add(Conv1D::new(4, 3).activation(Activation::Gelu { approximate: false }))
        .add(Lstm::new(3))
        .add(Dense::new(2));
    for (case, mut model) in golden["cases"].as_array().unwrap().iter().zip([dense, signals]) {
        let numbers = |value: &serde_json::Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
        };
        model.build().unwrap();
        let shapes = model.weights().unwrap().into_iter().map(|(path, w)| (path, w.shape().to_vec()));
        let shapes: Vec<(String, Vec<usize>)> = shapes.collect();
        for ((path, shape), values) in shapes.into_iter().zip(case["weights"].as_array().unwrap()) {
            let weight = ArrayD::from_shape_vec(shape, numbers(values)).unwrap();
            model.set_weight(&path, &weight).unwrap();
        }
        let input = model.input_shape().unwrap().to_vec();
        let array = |name: &str| {
            let values = numbers(&case[name]);
            let count = values.len() / input.iter().product::<usize>();
            ArrayD::from_shape_vec([&[count], &*input].concat(), values).unwrap()
        };
        let (x, baseline) = (array("x"), array("baseline"));
        let settings = IntegratedGradients::new()
            .steps(case["steps"].as_u64().unwrap() as usize)
            .output(case["output"].as_u64().unwrap() as usize)
            .baseline(&baseline);
        let why = model.integrated_gradients(&x, &settings).unwrap();
        let near = |found: &[f64], expected: &[f64]| {
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-10, "{}: {found} and {expected}", case["name"]);
            }
        };
        near(&why.values.iter().copied().collect::<Vec<_>>(), &numbers(&case["values"]));
        near(&why.at_sample, &numbers(&case["at_sample"]));
        near(&why.at_baseline[..1], &[case["at_baseline"].as_f64().unwrap()]);
    }
}
