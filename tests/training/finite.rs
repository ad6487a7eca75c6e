//! An update that is not finite leaves weights, optimizer and moving averages as they were, and names the parameter.

use cornu::error::Quantity;
use cornu::ndarray::{Array1, Array2, array};
use cornu::optimizer::{CosineDecay, LearningRate, Optimizer, OptimizerTraits, Update, WeightAverage};
use cornu::prelude::*;

fn quiet<'a>() -> Fit<'a> {
    Fit::new().verbose(Verbose::Silent).shuffle(false)
}

fn weights(model: &Sequential) -> Vec<f32> {
    model.weights().unwrap().iter().flat_map(|(_, w)| w.iter().copied()).collect()
}

/// y = relu(x·w) summed, where one unit is dead: its weights have no gradient.
fn network(optimizer: impl Optimizer<f32> + 'static) -> Sequential {
    let mut model = Sequential::new()
        .seed(3)
        .input([2])
        .add(
            Dense::new(3)
                .activation(Activation::Relu)
                .bias_initializer(Initializer::Constant(-0.5))
                .name("F1"),
        )
        .add(Dense::new(1).name("F2"));
    model.compile(optimizer, MeanSquaredError::new(), ()).unwrap();
    let dead = array![[0.5, -9.0, 0.25], [0.25, -9.0, 0.5]];
    model.set_weight("F1/kernel", &dead).unwrap();
    model
}

fn data() -> (Array2<f32>, Array1<f32>) {
    (array![[1.0, 0.5], [2.0, 1.0], [0.5, 3.0]], array![1.0, 2.0, -1.0])
}

/// Trains until an update is not finite, which must be that of `steps` + 1, and compares with a training of `steps` steps.
#[track_caller]
fn check(make: impl Fn() -> Sequential, steps: usize, place: &str) {
    let (x, y) = data();
    let mut model = make();
    let error = model.fit(&x, &y, &quiet().epochs(steps + 3).batch_size(3)).unwrap_err();
    let Error::Diverged { epoch, quantity: Quantity::Update, value, place: found, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*epoch, steps + 1, "{error}");
    assert!(!value.is_finite() && found.contains(place), "{error}");
    let mut reference = make();
    for _ in 0..steps {
        reference.train_on_batch(&x, &y, &quiet()).unwrap();
    }
    assert_eq!(weights(&model), weights(&reference));

    let before = weights(&model);
    let again = model.train_on_batch(&x, &y, &quiet()).unwrap_err();
    assert!(matches!(again, Error::Diverged { quantity: Quantity::Update, .. }), "{again:?}");
    assert_eq!(weights(&model), before);
}

#[test]
fn an_update_that_is_not_finite_changes_nothing() {
    // A learning rate of 0 divides 0 by 0.
    check(|| network(Ftrl::new(CosineDecay::new(0.1, 4))), 4, "`F1/kernel`, at a learning rate of 0e0");
    // A dead unit has m = v = 0.
    check(|| network(Adam::new(0.01).epsilon(0.0)), 0, "weight `F1/kernel`");
    check(|| network(Nadam::new(0.01).epsilon(0.0)), 0, "weight `F1/kernel`");
    check(|| network(Adamax::new(0.01).epsilon(0.0)), 0, "weight `F1/kernel`");
    check(|| network(RmsProp::new(0.01).epsilon(0.0)), 0, "weight `F1/kernel`");
    check(
        || network(Adagrad::new(0.01).initial_accumulator_value(0.0).epsilon(0.0)),
        0,
        "weight `F1/kernel`",
    );
    check(|| network(Adafactor::new(0.01).epsilon_1(0.0)), 0, "`F1/kernel`");
    check(|| network(Lamb::new(0.01).epsilon(0.0)), 0, "weight `F1/kernel`");
    check(|| network(Muon::new(0.01).muon_a(f64::MAX)), 0, "weight `F1/kernel`");
    check(|| network(Sgd::new(3e38)), 0, "at a learning rate of 3e38");
    check(|| network(Sgd::new(3e38).momentum(0.9)), 0, "at a learning rate of 3e38");
    check(|| network(Lion::new(f64::MAX)), 0, "weight `F1/kernel`");
    check(
        || network(Sgd::new(|step| if step < 2 { 0.01 } else { f64::NAN })),
        2,
        "at a learning rate of NaN",
    );
    check(
        || network(Adam::new(|step| if step < 3 { 0.01 } else { f64::INFINITY })),
        3,
        "at a learning rate of inf",
    );
    check(|| network(Sgd::new(0.01).weight_decay(1e300)), 0, "weight `F1/kernel`");
    let averaged =
        || Adam::new(|step| if step < 2 { 0.01 } else { f64::NAN }).average_weights(WeightAverage::new(0.5));
    let (x, y) = data();
    let mut model = network(averaged());
    let error = model.fit(&x, &y, &quiet().epochs(5).batch_size(3)).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 3, quantity: Quantity::Update, .. }), "{error:?}");
    let mut reference = network(averaged());
    (0..2).for_each(|_| drop(reference.train_on_batch(&x, &y, &quiet()).unwrap()));
    assert_eq!(weights(&model), weights(&reference));
}

/// Sets its slot, and nothing else, to infinity at the third update.
#[derive(Debug, Clone)]
struct BadSlot(LearningRate);

impl Optimizer<f32> for BadSlot {
    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("bad_slot").slots([0.0])
    }
    fn learning_rate(&self) -> &LearningRate {
        &self.0
    }
    fn learning_rate_mut(&mut self) -> &mut LearningRate {
        &mut self.0
    }
    fn update(&self, at: Update, value: &mut [f32], grad: &[f32], slots: &mut [&mut [f32]]) {
        value.iter_mut().zip(grad).for_each(|(w, g)| *w -= at.learning_rate as f32 * g);
        slots[0].fill(if at.t == 3 { f32::INFINITY } else { 1.0 });
    }
}

#[test]
fn a_slot_that_is_not_finite_is_refused_like_a_weight() {
    check(|| network(BadSlot(0.01.into())), 2, "optimizer state of `F1/kernel`");
}

#[test]
fn a_sum_of_gradients_that_overflows_is_refused() {
    let mut model = Sequential::new().input([1]).add(Dense::new(1).use_bias(false).name("F1"));
    model.compile(Sgd::new(1e-30).accumulate_gradients(3), MeanAbsoluteError::new(), ()).unwrap();
    model.set_weight("F1/kernel", &array![[1e-3]]).unwrap();
    let (x, y) = (Array2::from_elem((3, 1), 2e38f32), Array1::<f32>::zeros(3));
    let error = model.fit(&x, &y, &quiet().batch_size(1)).unwrap_err();
    let Error::Diverged { batch: 2, quantity: Quantity::Update, place, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(place.contains("optimizer state of `F1/kernel`"), "{error}");
    assert_eq!(weights(&model), [1e-3]);
}

#[test]
fn a_moving_average_that_is_not_finite_is_refused() {
    let mut model = Sequential::new().input([1]).add(BatchNormalization::new().name("bn")).add(Dense::new(1));
    model.compile(Sgd::new(0.01), MeanSquaredError::new(), ()).unwrap();
    let before = weights(&model);
    let (x, y) = (array![[1e25], [-1e25]], array![0.0, 0.0]);
    let error = model.fit(&x, &y, &quiet()).unwrap_err();
    let Error::Diverged { quantity: Quantity::Update, place, .. } = &error else { panic!("{error:?}") };
    assert_eq!(place, "moving average `bn/moving_variance`");
    assert_eq!(weights(&model), before);
}

#[test]
fn large_and_unbounded_updates_compute_the_same_bits() {
    /// SGD without the promise that its updates are finite.
    #[derive(Debug, Clone)]
    struct Unbounded(Sgd);
    impl Optimizer<f32> for Unbounded {
        fn traits(&self) -> OptimizerTraits {
            Optimizer::<f32>::traits(&self.0).bounded(false)
        }
        fn learning_rate(&self) -> &LearningRate {
            Optimizer::<f32>::learning_rate(&self.0)
        }
        fn learning_rate_mut(&mut self) -> &mut LearningRate {
            Optimizer::<f32>::learning_rate_mut(&mut self.0)
        }
        fn update(&self, at: Update, value: &mut [f32], grad: &[f32], slots: &mut [&mut [f32]]) {
            self.0.update(at, value, grad, slots);
        }
    }
    let (x, y) = data();
    let rule = || Sgd::new(0.01).momentum(0.9);
    let (mut a, mut b) = (network(rule()), network(Unbounded(rule())));
    for model in [&mut a, &mut b] {
        model.fit(&x, &y, &quiet().epochs(20).batch_size(2)).unwrap();
    }
    assert_eq!(weights(&a), weights(&b));
}

#[test]
fn the_average_of_accumulated_updates_is_that_of_keras() {
    // One weight of 1, x = 1, y = 0, mean squared error, η = 0.1: Keras 3.15.1 on JAX.
    let average = WeightAverage::new(0.5);
    for (average, expected) in
        [(average, [0.8, 0.72, 0.4818]), (average.overwrite_every(2), [0.8, 0.72, 0.5526])]
    {
        for (batches, expected) in [2, 4, 8].into_iter().zip(expected) {
            let mut model = Sequential::<f64>::with_scalar()
                .input([1])
                .add(Dense::new(1).use_bias(false).kernel_initializer(Initializer::Ones));
            let rule = Sgd::new(0.1).accumulate_gradients(2).average_weights(average);
            model.compile(rule, MeanSquaredError::new(), ()).unwrap();
            let (x, y) = (Array2::<f64>::ones((batches, 1)), Array1::<f64>::zeros(batches));
            model.fit(&x, &y, &Fit::new().batch_size(1).verbose(Verbose::Silent)).unwrap();
            let w = model.weights().unwrap()[0].1[[0, 0]];
            assert!((w - expected).abs() < 1e-12, "{batches} batches: {w}, expected {expected}");
        }
    }
}
