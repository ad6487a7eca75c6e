//! The treatment of data, settings and seeds by `fit`, `evaluate` and `predict`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cornu::callback::{Callback, CallbackContext, Flow};
use cornu::data::Samples;
use cornu::ndarray::{Array1, Array2, Array3, Axis, array, s};
use cornu::prelude::*;

const CLASSES: usize = 3;

/// Three clusters in four dimensions.
fn data(rows: usize) -> (Array2<f32>, Array1<usize>) {
    let mut rng = Rng::new(9);
    let y = Array1::from_iter((0..rows).map(|i| i % CLASSES));
    let x = Array2::from_shape_fn((rows, 4), |(i, j)| {
        let centre = if j == y[i] { 2.0 } else { 0.0 };
        (centre + 0.7 * rng.normal()) as f32
    });
    (x, y)
}

fn network(seed: u64) -> Sequential {
    let mut model = Sequential::new()
        .seed(seed)
        .add(Dense::new(8).activation(Activation::Tanh).name("F1"))
        .add(Dense::new(CLASSES).activation(Activation::Softmax).name("output"));
    model.compile(Adam::new(0.02), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    model
}

fn quiet<'a, F: Scalar>() -> Fit<'a, F> {
    Fit::new().verbose(Verbose::Silent)
}

fn bits(model: &Sequential) -> Vec<u32> {
    model
        .weights()
        .unwrap()
        .iter()
        .flat_map(|(_, w)| w.iter().map(|v| v.to_bits()).collect::<Vec<_>>())
        .collect()
}

/// The weights after three epochs on these samples.
fn trained(x: &impl Samples<f32>, y: &impl Samples<f32>) -> Vec<u32> {
    let mut model = network(4);
    model.fit(x, y, &quiet().epochs(3).batch_size(16)).unwrap();
    bits(&model)
}

#[test]
fn fit_learns() {
    let (x, y) = data(300);
    let mut model = network(1);
    let history = model.fit(&x, &y, &quiet().epochs(20)).unwrap();
    assert!(history.last("accuracy") > Some(0.9), "{history:?}");
    assert_eq!(history.epochs().len(), 20);
    assert_eq!(history.times().len(), 20);
    assert_eq!(history.names().collect::<Vec<_>>(), ["loss", "accuracy"]);
    let right = model.predict_classes(&x).unwrap().iter().zip(&y).filter(|(a, b)| a == b).count();
    let scores = model.evaluate(&x, &y, &Evaluate::new().batch_size(7)).unwrap();
    assert_eq!(scores.get("accuracy"), Some(right as f64 / 300.0));
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    // The second model is so wide that threads share its summed axis.
    check_bits(700, 130, || Adam::new(0.01));
    check_bits(3100, 40, || Sgd::new(0.01));
}

fn check_bits<O: cornu::optimizer::Optimizer<f32> + 'static>(
    inputs: usize,
    units: usize,
    rule: impl Fn() -> O + Sync,
) {
    let mut rng = Rng::new(2);
    let x = Array2::from_shape_fn((130, inputs), |_| rng.normal() as f32);
    let y = Array1::from_iter((0..130).map(|i| i % 5));
    let run = || {
        let mut model =
            Sequential::new().seed(3).add(Dense::new(units).activation(Activation::Relu)).add(Dense::new(5));
        let loss = SparseCategoricalCrossentropy::new().from_logits(true);
        model.compile(rule(), loss, ()).unwrap();
        model.fit(&x, &y, &quiet().epochs(2).batch_size(64)).unwrap();
        // A single row takes another path through the matrix product, which may also use several threads.
        for _ in 0..20 {
            let alone = model.predict(&x.slice(s![..1, ..])).unwrap();
            assert_eq!(alone.index_axis(Axis(0), 0), model.predict(&x).unwrap().index_axis(Axis(0), 0));
        }
        (bits(&model), model.predict(&x).unwrap())
    };
    let (weights, outputs) = run();
    #[cfg(feature = "rayon")]
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (again, same) = pool.install(run);
        assert!(again == weights && same == outputs, "{threads} threads");
    }
    assert!(run() == (weights, outputs));
}

#[test]
fn a_model_without_a_seed_is_reproducible_from_random_seed() {
    let (x, y) = data(60);
    let unseeded = || {
        let mut model = Sequential::new().add(Dense::new(CLASSES).activation(Activation::Softmax));
        model.compile(Sgd::new(0.1), SparseCategoricalCrossentropy::new(), ()).unwrap();
        model
    };
    let (mut a, mut b) = (unseeded(), unseeded());
    assert_ne!(a.random_seed(), b.random_seed());
    let history = a.fit(&x, &y, &quiet().epochs(2)).unwrap();
    assert_eq!(history.seed(), a.random_seed());
    b = b.seed(history.seed());
    b.fit(&x, &y, &quiet().epochs(2)).unwrap();
    assert_eq!(bits(&a), bits(&b));
}

/// Records the order in which rows are read.
struct Watched<'a> {
    inner: &'a Array2<f32>,
    order: std::cell::RefCell<Vec<usize>>,
}

impl Samples<f32> for Watched<'_> {
    fn count(&self) -> usize {
        Samples::<f32>::count(self.inner)
    }
    fn sample_shape(&self) -> Vec<usize> {
        Samples::<f32>::sample_shape(self.inner)
    }
    fn read(&self, index: usize, row: &mut [f32]) {
        self.order.borrow_mut().push(index);
        Samples::<f32>::read(self.inner, index, row);
    }
}

#[test]
fn each_epoch_has_its_own_permutation() {
    let (x, y) = data(40);
    let watched = Watched { inner: &x, order: Default::default() };
    let mut model = network(1);
    let mut epochs = |fit: Fit| {
        watched.order.borrow_mut().clear();
        model.fit(&watched, &y, &fit.diagnose(Diagnose::Off)).unwrap();
        // The first 40 reads check the data; a diagnosis would add more.
        watched.order.borrow()[40..].chunks(40).map(<[usize]>::to_vec).collect::<Vec<_>>()
    };
    let mut all = epochs(quiet().epochs(3).batch_size(7));
    all.extend(epochs(quiet().epochs(2).batch_size(7)));
    for (i, order) in all.iter().enumerate() {
        let mut sorted = order.clone();
        sorted.sort();
        assert!(sorted.into_iter().eq(0..40));
        assert!(!order.iter().copied().eq(0..40));
        assert!(all[..i].iter().all(|other| other != order));
    }
    let plain = epochs(quiet().epochs(2).batch_size(7).shuffle(false));
    assert!(plain.iter().all(|order| order.iter().copied().eq(0..40)));
}

#[test]
fn any_array_with_the_same_numbers_trains_the_same() {
    let (x, y) = data(50);
    let expected = trained(&x, &y);
    assert_eq!(trained(&x.mapv(f64::from), &y), expected);
    assert_eq!(trained(&x.view(), &y.mapv(|v| v as i32)), expected);
    let columns_first = x.t().as_standard_layout().into_owned();
    assert_eq!(trained(&columns_first.t(), &y.mapv(|v| v as f64)), expected);
    let mut doubled = Array2::zeros((50, 8));
    doubled.slice_mut(s![.., ..;2]).assign(&x);
    assert_eq!(trained(&doubled.slice(s![.., ..;2]), &y.view().insert_axis(Axis(1))), expected);
    let whole = Array2::from_shape_fn((50, 4), |(i, j)| (i * j) as u8);
    assert_eq!(trained(&whole, &y), trained(&whole.mapv(f32::from), &y));
    let cube: Array3<f32> = x.clone().insert_axis(Axis(2));
    let mut model = Sequential::new().seed(4).add(Flatten::new()).add(Dense::new(2));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    model.fit(&cube, &Array2::<f32>::zeros((50, 2)), &quiet()).unwrap();
    assert_eq!(model.input_shape(), Some(&[4, 1][..]));
}

#[test]
fn labels_in_any_form_train_the_same() {
    let (x, y) = data(50);
    let run = |one_hot: bool| {
        let mut model = network(4);
        if one_hot {
            model.compile(Adam::new(0.02), CategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
            model.fit(&x, &to_categorical::<f32, _, _>(&y, None).unwrap(), &quiet().epochs(3)).unwrap();
        } else {
            let words = y.iter().map(|&class| ["ant", "bee", "cat"][class].to_string());
            let encoder = LabelEncoder::fit(words.clone());
            model.fit(&x, &encoder.encode(words).unwrap(), &quiet().epochs(3)).unwrap();
        }
        bits(&model)
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn the_split_takes_the_end_of_the_data() {
    let (x, y) = data(50);
    let (mut split, mut given) = (network(4), network(4));
    let (head, tail) = (s![..37, ..], s![37.., ..]);
    let fit = quiet().epochs(3).batch_size(8).validation_split(0.25);
    let a = split.fit(&x, &y, &fit).unwrap();
    let (tail_x, tail_y) = (x.slice(tail), y.slice(s![37..]));
    let fit = quiet().epochs(3).batch_size(8).validation_data(&tail_x, &tail_y);
    let b = given.fit(&x.slice(head), &y.slice(s![..37]), &fit).unwrap();
    assert_eq!(bits(&split), bits(&given));
    assert_eq!(a.get("val_loss"), b.get("val_loss"));
    let scores = split.evaluate(&tail_x, &tail_y, &Evaluate::new().batch_size(8)).unwrap();
    assert_eq!((scores.get("loss"), scores.get("accuracy")), (a.last("val_loss"), a.last("val_accuracy")));
    assert_eq!(a.names().collect::<Vec<_>>(), ["loss", "accuracy", "val_loss", "val_accuracy"]);
}

#[test]
fn epochs_is_the_final_epoch_and_validation_freq_skips_epochs() {
    let (x, y) = data(30);
    let mut model = network(1);
    let fit = quiet().initial_epoch(2).epochs(6).validation_split(0.2).validation_freq(2);
    let history = model.fit(&x, &y, &fit).unwrap();
    assert_eq!(history.epochs(), [2, 3, 4, 5]);
    assert_eq!(history.get("val_loss").map(<[f64]>::len), Some(2));
    assert!(model.fit(&x, &y, &quiet().initial_epoch(3).epochs(3)).unwrap().epochs().is_empty());
}

#[test]
fn class_weights_multiply_sample_weights() {
    let (x, y) = data(45);
    let uneven: Vec<usize> = (0..45).filter(|i| i % 3 == 0 || i % 9 < 4).collect();
    let (x, y) = (x.select(Axis(0), &uneven), y.select(Axis(0), &uneven));
    let run = |fit: Fit| {
        let mut model = network(4);
        model.fit(&x, &y, &fit.epochs(3).batch_size(8)).unwrap();
        bits(&model)
    };
    let sample = Array1::from_iter((0..y.len()).map(|i| 0.5 + (i % 3) as f64 / 4.0));
    let class = [0.5, 2.0, 1.0];
    let product = Array1::from_iter((0..y.len()).map(|i| sample[i] * class[y[i]]));
    let by_class = || ClassWeight::PerClass(class.to_vec());
    assert_eq!(
        run(quiet().sample_weight(&sample).class_weight(by_class())),
        run(quiet().sample_weight(&product))
    );

    let count = |class: usize| y.iter().filter(|&&c| c == class).count();
    let balanced: Vec<f64> = (0..3).map(|class| y.len() as f64 / (3 * count(class)) as f64).collect();
    let explicit = run(quiet().class_weight(ClassWeight::PerClass(balanced)));
    assert_eq!(run(quiet().class_weight("balanced".parse().unwrap())), explicit);
    assert_eq!(run(quiet().class_weight("auto".parse().unwrap())), explicit);
    assert_ne!(run(quiet()), explicit);
}

#[test]
fn only_weighted_metrics_use_the_weights() {
    let (x, y) = (array![[0.0f32], [1.0]], array![0, 0]);
    let mut model = Sequential::new().input([1]).add(Dense::new(2).kernel_initializer(Initializer::Zeros));
    let metrics = (Accuracy::new(), Weighted::new(Accuracy::new()));
    model.compile(Sgd::new(0.1), SparseCategoricalCrossentropy::new().from_logits(true), metrics).unwrap();
    model.set_weight("dense/kernel", &array![[-5.0, 5.0]]).unwrap();
    let weight = array![3.0, 1.0];
    let scores = model.evaluate(&x, &y, &Evaluate::new().sample_weight(&weight)).unwrap();
    assert_eq!((scores.get("accuracy"), scores.get("weighted_accuracy")), (Some(0.5), Some(0.75)));
}

#[test]
fn each_step_of_a_sample_is_a_row() {
    // (samples, steps, channels) to one class per step, weighted by class.
    let mut rng = Rng::new(5);
    let x = Array3::from_shape_fn((20, 6, 2), |_| rng.normal());
    let y = Array2::from_shape_fn((20, 6), |(i, t)| usize::from(x[[i, t, 0]] + x[[i, t, 1]] > 0.0));
    let mut steps = Sequential::new().seed(1).add(Dense::new(2));
    let loss = || SparseCategoricalCrossentropy::new().from_logits(true);
    steps.compile(Sgd::new(0.5), loss(), [Accuracy::new()]).unwrap();
    let fit = || {
        quiet().epochs(30).batch_size(5).shuffle(false).class_weight(ClassWeight::PerClass(vec![1.0, 2.0]))
    };
    let history = steps.fit(&x, &y, &fit()).unwrap();
    assert!(history.last("accuracy") > Some(0.9));

    let mut flat = Sequential::new().seed(1).add(Dense::new(2));
    flat.compile(Sgd::new(0.5), loss(), [Accuracy::new()]).unwrap();
    let (x, y) = (x.into_shape_with_order((120, 2)).unwrap(), y.into_shape_with_order(120).unwrap());
    let same = flat.fit(&x, &y, &fit().batch_size(30)).unwrap();
    assert_eq!(bits(&steps), bits(&flat));
    // One mean over the epoch is taken over samples, the other over rows.
    for (a, b) in history.get("loss").unwrap().iter().zip(same.get("loss").unwrap()) {
        approx::assert_relative_eq!(*a, *b, max_relative = 1e-12);
    }
}

#[test]
fn predictions_are_equal_alone_in_batches_and_on_many_threads() {
    let (x, y) = data(600);
    let mut model = network(1);
    model.fit(&x, &y, &quiet()).unwrap();
    let together = model.predict(&x).unwrap();
    for i in [0, 1, 255, 256, 599] {
        let alone = model.predict(&x.slice(s![i..=i, ..])).unwrap();
        assert_eq!(alone.index_axis(Axis(0), 0), together.index_axis(Axis(0), i));
    }
    let mut predictor = model.predictor().unwrap();
    let mut into = vec![0.0; 600 * CLASSES];
    predictor.predict_into(&x, &mut into).unwrap();
    assert!(into.iter().eq(together.iter()));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| model.predict(&x).unwrap())).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == together));
    });
    let outputs = model.layer_outputs(&x).unwrap();
    assert_eq!(outputs[1], together);
}

#[test]
fn a_frozen_layer_does_not_change() {
    let (x, y) = data(30);
    let mut model = Sequential::new()
        .seed(1)
        .input([4])
        .add(Dense::new(5).name("free"))
        .add(Dense::new(5).name("still").trainable(false))
        .add(Dense::new(CLASSES).activation(Activation::Softmax));
    model.compile(Sgd::new(0.1), SparseCategoricalCrossentropy::new(), ()).unwrap();
    let before = model.clone();
    model.fit(&x, &y, &quiet().epochs(2)).unwrap();
    assert_eq!(model.weight("still/kernel").unwrap(), before.weight("still/kernel").unwrap());
    assert_ne!(model.weight("free/kernel").unwrap(), before.weight("free/kernel").unwrap());
    assert!(model.summary().to_string().contains("Non-trainable params: 30 "));
}

#[test]
fn penalties_and_constraints_limit_the_weights() {
    let (x, y) = data(30);
    let run = |layer: Dense| {
        let mut model = Sequential::new().seed(1).add(layer.activation(Activation::Softmax).name("F1"));
        model.compile(Sgd::new(0.5), SparseCategoricalCrossentropy::new(), ()).unwrap();
        model.fit(&x, &y, &quiet().epochs(20)).unwrap();
        model.weight("F1/kernel").unwrap().to_owned()
    };
    let free = run(Dense::new(CLASSES)).mapv(|w| w * w).sum();
    let small = run(Dense::new(CLASSES).kernel_regularizer(Regularizer::L2(0.1))).mapv(|w| w * w).sum();
    assert!(small < 0.5 * free, "{small} {free}");
    let bound = run(Dense::new(CLASSES).kernel_constraint(Constraint::MaxNorm { max: 0.5, axis: vec![0] }));
    assert!(bound.columns().into_iter().all(|unit| unit.mapv(|w| w * w).sum().sqrt() < 0.5001));
    assert!(run(Dense::new(CLASSES).kernel_constraint(Constraint::NonNegative)).iter().all(|w| *w >= 0.0));
}

trait Columns {
    fn columns(&self) -> Vec<Array1<f32>>;
}

impl Columns for cornu::ndarray::ArrayD<f32> {
    fn columns(&self) -> Vec<Array1<f32>> {
        self.axis_iter(Axis(1)).map(|column| column.iter().copied().collect()).collect()
    }
}

/// Records its calls.
#[derive(Default)]
struct Notes(Vec<String>);

impl Callback<f32> for Notes {
    fn on_fit_begin(&mut self, _: &mut CallbackContext<f32>) -> Result<()> {
        self.0.push("begin".into());
        Ok(())
    }
    fn on_epoch_begin(&mut self, at: &mut CallbackContext<f32>) -> Result<()> {
        self.0.push(format!("epoch {}", at.epoch));
        Ok(())
    }
    fn on_batch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        self.0.push(format!("batch {}/{}", at.batch, at.batches));
        Ok(Flow::Continue)
    }
    fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        self.0.push(format!("end {}", at.logs.iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")));
        at.set_learning_rate(0.001)?;
        at.logs.set("extra", at.learning_rate());
        if at.epoch == 1 { Ok(Flow::Stop("two are enough".into())) } else { Ok(Flow::Continue) }
    }
    fn on_fit_end(&mut self, _: &mut CallbackContext<f32>) -> Result<()> {
        self.0.push("done".into());
        Ok(())
    }
}

#[test]
fn callbacks_are_called_in_order_and_can_stop_the_training() {
    let (x, y) = data(10);
    let mut notes = Notes::default();
    let fit = quiet().epochs(9).batch_size(6).validation_split(0.2).callback(&mut notes);
    let history = network(1).fit(&x, &y, &fit).unwrap();
    drop(fit);
    let logs = "end loss accuracy val_loss val_accuracy";
    let epoch = |i: usize| [format!("epoch {i}"), "batch 1/2".into(), "batch 2/2".into(), logs.into()];
    let expected = [&["begin".to_string()][..], &epoch(0), &epoch(1), &["done".into()]].concat();
    assert_eq!(notes.0, expected);
    assert_eq!(history.stopped(), Some("two are enough"));
    assert_eq!(history.get("extra"), Some(&[0.001, 0.001][..]));
}

#[test]
fn fit_returns_the_error_of_a_callback() {
    struct Fails;
    impl Callback<f32> for Fails {
        fn on_batch_end(&mut self, _: &mut CallbackContext<f32>) -> Result<Flow> {
            Err(Error::outside(std::io::Error::other("the disk is full")))
        }
    }
    let (x, y) = data(10);
    let error = network(1).fit(&x, &y, &quiet().callback(Fails)).unwrap_err();
    assert_eq!(error.to_string(), "the disk is full");
}

#[test]
fn settings_can_be_reused() {
    struct Counts(Arc<AtomicUsize>);
    impl Callback<f32> for Counts {
        fn on_epoch_end(&mut self, _: &mut CallbackContext<f32>) -> Result<Flow> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Flow::Continue)
        }
    }
    let (x, y) = data(10);
    let count = Arc::new(AtomicUsize::new(0));
    let fit = quiet().epochs(2).callback(Counts(Arc::clone(&count)));
    network(1).fit(&x, &y, &fit).unwrap();
    network(2).fit(&x, &y, &fit).unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 4);
}

#[test]
fn a_model_in_f64_learns() {
    let (x, y) = data(60);
    let mut model = Sequential::<f64>::with_scalar().seed(1).add(Dense::new(CLASSES)).add(Softmax::new());
    model.compile(Adam::new(0.05), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    let history = model.fit(&x, &y, &quiet().epochs(20)).unwrap();
    assert!(history.last("accuracy") > Some(0.85));
}

/// The number of planned steps exceeds `usize`.
#[test]
fn a_training_without_end_can_be_stopped() {
    let x = Array2::from_shape_fn((64, 2), |(i, j)| ((i * 7 + j * 3) % 10) as f32);
    let mut model = Sequential::new().seed(1).add(Dense::new(1));
    model.compile(Sgd::new(1e-3), MeanSquaredError::new(), ()).unwrap();
    let mut stopping = EarlyStopping::new().monitor("loss").min_delta(1e9).patience(1);
    let fit = Fit::new().epochs(usize::MAX).callback(&mut stopping).verbose(Verbose::Silent);
    let history = model.fit(&x, &x.column(0).to_owned(), &fit).unwrap();
    assert_eq!(history.epochs(), [0, 1]);
}

#[test]
fn a_batch_of_any_size_holds_all_rows() {
    let x = Array2::from_shape_fn((64, 2), |(i, j)| ((i * 7 + j * 3) % 10) as f32 / 10.0);
    let y = x.column(0).to_owned();
    let losses = |size: usize| {
        let mut model = Sequential::new().seed(1).add(Dense::new(1));
        model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
        let fit = Fit::new().epochs(50).batch_size(size).validation_split(0.25).verbose(Verbose::Silent);
        model.fit(&x, &y, &fit).unwrap().get("loss").unwrap().to_vec()
    };
    assert_eq!(losses(usize::MAX), losses(48));
}
