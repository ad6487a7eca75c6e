//! Stateful layers: what starts with the states, what moves them, and what is refused.

use cornu::ndarray::{Array2, Array3, ArrayD, Axis, concatenate, s};
use cornu::prelude::*;

/// 3 sequences of 12 steps of 2 numbers.
fn sequences() -> Array3<f64> {
    let mut rng = Rng::new(4);
    Array3::from_shape_simple_fn((3, 12, 2), || rng.normal())
}

/// The same in samples of 4 steps: the first part of each sequence, then the second of each, and the third.
fn parts() -> Array3<f64> {
    let x = sequences();
    concatenate![Axis(0), x.slice(s![.., ..4, ..]), x.slice(s![.., 4..8, ..]), x.slice(s![.., 8.., ..])]
}

fn layers(stateful: bool) -> Vec<(&'static str, Sequential<f64>)> {
    let model = || Sequential::<f64>::with_scalar().seed(2).input([None, Some(2)]);
    let cells = StackedRnnCells::new().add(Lstm::new(3)).add(SimpleRnn::new(2)).stateful(stateful);
    let block = Residual::new().add(Gru::new(2).stateful(stateful).return_sequences(true));
    vec![
        ("SimpleRnn", model().add(SimpleRnn::new(3).stateful(stateful))),
        ("Lstm", model().add(Lstm::new(3).stateful(stateful))),
        ("Gru", model().add(Gru::new(3).stateful(stateful))),
        ("Gru, before", model().add(Gru::new(3).stateful(stateful).reset_after(false))),
        ("StackedRnnCells", model().add(cells)),
        ("Residual", model().add(block).add(Lstm::new(2).stateful(stateful))),
    ]
}

#[track_caller]
fn close(name: &str, found: &ArrayD<f64>, expected: &ArrayD<f64>) {
    assert_eq!(found.shape(), expected.shape(), "{name}");
    let distance = (found - expected).iter().fold(0.0, |most: f64, d| most.max(d.abs()));
    assert!(distance < 1e-12, "{name}: {distance}");
}

#[test]
fn parts_of_a_sequence_continue_each_other() {
    for ((name, mut stateful), (_, mut whole)) in layers(true).into_iter().zip(layers(false)) {
        whole.build().unwrap();
        let expected = whole.predict(&sequences()).unwrap();
        let last = |y: ArrayD<f64>| y.slice(s![6.., ..]).to_owned().into_dyn();

        // Trained with a rate of 0, the model has the states after all parts but the last.
        stateful.compile(Sgd::new(0.0), MeanSquaredError::new(), ()).unwrap();
        stateful.build().unwrap();
        let width = stateful.output_shape().unwrap()[0];
        let fit = Fit::new().epochs(1).batch_size(3).shuffle(false).verbose(Verbose::Silent);
        let (x, y) = (parts(), Array2::<f64>::zeros((9, width)));
        stateful.fit(&x.slice(s![..6, .., ..]), &y.slice(s![..6, ..]), &fit).unwrap();
        let rest = stateful.predict(&x.slice(s![6.., .., ..])).unwrap();
        close(name, &rest, &expected);
        // Neither a prediction nor an evaluation moved them.
        stateful.evaluate(&x, &y, &Evaluate::new().batch_size(3)).unwrap();
        assert_eq!(stateful.predict(&x.slice(s![6.., .., ..])).unwrap(), rest, "{name}");

        // From batch to batch of one prediction, and from call to call of a predictor.
        stateful.reset_states();
        let mut predictor = stateful.predictor().unwrap();
        let mut y = vec![0.0; 3 * width];
        for part in 0..3 {
            predictor.predict_into(&x.slice(s![3 * part..3 * part + 3, .., ..]), &mut y).unwrap();
        }
        close(name, &ArrayD::from_shape_vec(vec![3, width], y).unwrap(), &expected);
        let mut y = vec![0.0; 9 * width];
        predictor.reset_states();
        predictor.predict_into(&x.slice(s![..3, .., ..]), &mut y[..3 * width]).unwrap();
        predictor.predict_into(&x.slice(s![3.., .., ..]), &mut y[3 * width..]).unwrap();
        close(name, &last(ArrayD::from_shape_vec(vec![9, width], y).unwrap()), &expected);
        // Parts of other lengths, one sequence alone.
        predictor.reset_states();
        let mut y = vec![0.0; width];
        for range in [0..1, 1..8, 8..12] {
            predictor.predict_into(&sequences().slice(s![1..2, range, ..]), &mut y).unwrap();
        }
        let alone = ArrayD::from_shape_vec(vec![1, width], y).unwrap();
        close(name, &alone, &expected.slice(s![1..2, ..]).to_owned().into_dyn());
    }
}

#[test]
fn a_validation_continues_the_training_and_leaves_its_states() {
    let (_, model) = layers(true).remove(1);
    let (x, y) = (parts(), Array2::<f64>::zeros((9, 3)));
    let fit = || Fit::new().epochs(2).batch_size(3).shuffle(false).verbose(Verbose::Silent);
    let train = |validated: bool| {
        let mut model = model.clone();
        model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
        let settings = if validated { fit().validation_split(0.3) } else { fit() };
        let rows = if validated { 9 } else { 6 };
        let history = model.fit(&x.slice(s![..rows, .., ..]), &y.slice(s![..rows, ..]), &settings).unwrap();
        (history.last("val_loss"), model)
    };
    let ((validated, a), (_, b)) = (train(true), train(false));
    assert_eq!(a.weights().unwrap(), b.weights().unwrap());
    let (x, y) = (x.slice(s![6.., .., ..]), y.slice(s![6.., ..]));
    assert_eq!(a.predict(&x).unwrap(), b.predict(&x).unwrap());
    assert_eq!(b.evaluate(&x, &y, &Evaluate::new().batch_size(3)).unwrap().get("loss"), validated);
}

#[test]
fn batches_that_do_not_continue_each_other_are_refused() {
    let mut model = Sequential::new().seed(1).input([4, 2]).add(Lstm::new(2).stateful(true).name("memory"));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let (x, y) = (Array3::<f32>::ones((12, 4, 2)), Array2::<f32>::ones((12, 2)));
    let fit = || Fit::new().epochs(1).batch_size(4).shuffle(false).verbose(Verbose::Silent);
    let before = model.weights().unwrap().into_iter().map(|(_, w)| w.to_owned()).collect::<Vec<_>>();
    let mut refuse = |settings: Fit, start: &str| {
        let error = model.fit(&x, &y, &settings).unwrap_err().to_string();
        assert!(error.starts_with(start), "{error}");
        let after = model.weights().unwrap().into_iter().map(|(_, w)| w.to_owned()).collect::<Vec<_>>();
        assert_eq!(before, after);
    };
    refuse(fit().shuffle(true), "`shuffle`: expected false, to train the stateful layer `memory`");
    refuse(fit().batch_size(5), "`x`: expected a multiple of 5 samples: row i of a batch continues row i");
    let uneven = Fit::new().batch_size(3).validation_split(0.25).validation_batch_size(2).shuffle(false);
    refuse(uneven, "`validation_batch_size`: expected 3 rows");
    refuse(fit().validation_split(0.5), "`x`: expected a multiple of 4 samples");
    for found in cornu::distributed::threads(2, |world| {
        let mut model = model.clone();
        let fit = Fit::new().batch_size(4).shuffle(false).verbose(Verbose::Silent);
        model.fit(&x, &y, &fit.distributed(world)).map(drop).unwrap_err().to_string()
    }) {
        assert!(found.contains("expected one rank, for the stateful layer `memory`"), "{found}");
    }

    model.fit(&x, &y, &fit()).unwrap();
    let states =
        "expected 4 rows, as many as the states of layer `memory` have; `reset_states` drops them, found 6";
    for error in [
        model.fit(&x, &y, &fit().batch_size(6)).map(drop).unwrap_err(),
        model.evaluate(&x, &y, &Evaluate::new().batch_size(6)).map(drop).unwrap_err(),
        model
            .train_on_batch(&x.slice(s![..6, .., ..]), &y.slice(s![..6, ..]), &Fit::new())
            .map(drop)
            .unwrap_err(),
        model
            .test_on_batch(&x.slice(s![..6, .., ..]), &y.slice(s![..6, ..]), &Evaluate::new())
            .map(drop)
            .unwrap_err(),
        model.layer_outputs(&x.slice(s![..6, .., ..])).map(drop).unwrap_err(),
    ] {
        assert!(error.to_string().contains(states) || error.to_string().contains("multiple of 4"), "{error}");
    }
    assert!(model.predict(&x.slice(s![..6, .., ..])).is_err());
    model.reset_states();
    model.fit(&x, &y, &fit().batch_size(6)).unwrap();
    model.predict(&x.slice(s![..6, .., ..])).unwrap();
}

#[test]
fn a_step_that_fails_leaves_the_states() {
    let mut model = Sequential::new().seed(1).input([1, 1]).add(
        SimpleRnn::new(1).activation(Activation::Linear).kernel_initializer(Initializer::Ones).stateful(true),
    );
    model.compile(Sgd::new(0.0), MeanSquaredError::new(), ()).unwrap();
    let (x, y) = (Array3::<f32>::ones((1, 1, 1)), Array2::<f32>::zeros((1, 1)));
    model.train_on_batch(&x, &y, &Fit::new()).unwrap();
    let before = model.predict(&x).unwrap();
    let far = Array3::from_elem((1, 1, 1), f32::MAX);
    assert!(model.train_on_batch(&(&far * 0.9), &y, &Fit::new()).is_err());
    model.set_weight("simple_rnn/kernel", &Array2::<f32>::from_elem((1, 1), 3.0)).unwrap();
    assert!(model.train_on_batch(&far, &y, &Fit::new()).is_err());
    model.set_weight("simple_rnn/kernel", &Array2::<f32>::ones((1, 1))).unwrap();
    assert!(model.predict(&x).unwrap()[[0, 0]].is_finite(), "{before}");
}

#[test]
fn an_attribution_and_a_check_of_gradients_start_with_zeros() {
    let mut model = Sequential::<f64>::with_scalar().seed(1).input([4, 2]).add(Gru::new(2).stateful(true));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let x = parts();
    let (x, y) = (x.slice(s![..3, .., ..]), Array2::<f64>::ones((3, 2)));
    model.train_on_batch(&x, &y, &Fit::new()).unwrap();
    for (path, error) in model.check_gradient(&x, &y).unwrap() {
        assert!(error < 1e-7, "{path}: {error}");
    }
}
