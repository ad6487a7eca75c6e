//! Properties of layers other than their numbers: statistics of noise, the same bits on any number of threads, frozen
//! statistics, equal output in training and prediction, paths of inner layers.

use cornu::layer::{BackwardContext, BuildContext, NamedLayer, Step};
use cornu::ndarray::{Array1, Array2, Array3, Array4, Axis};
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};

fn quiet<'a>() -> Fit<'a> {
    Fit::new().verbose(Verbose::Silent)
}

/// The output of a training step for an input of ones: 200 rows of this shape.
fn step(layer: impl Layer<f64> + 'static, shape: &[usize], number: u64) -> Vec<f64> {
    let mut node: NamedLayer<f64> = layer.into_named();
    let width: usize = node.build(shape, &mut BuildContext::new(Rng::stream(5, 5))).unwrap().iter().product();
    let (x, mut y) = (vec![1.0; 200 * width], vec![f64::NAN; 200 * width]);
    let mut scratch = Scratch::default();
    node.infer(Batch::new(&x, width), BatchMut::new(&mut y, width), &mut scratch);
    assert_eq!(x, y, "predictions have no noise");
    node.forward(
        Batch::new(&x, width),
        BatchMut::new(&mut y, width),
        &mut Step::new(9, number, &mut scratch),
    );
    y
}

fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count)
}

#[track_caller]
fn check_moments(values: &[f64], mean: f64, variance: f64) {
    let (found, spread) = moments(values);
    // Five standard deviations of the mean of this many draws, and the same margin for the variance.
    let room = 5.0 * (variance / values.len() as f64).sqrt();
    assert!((found - mean).abs() < room, "mean {found}, expected {mean}");
    assert!((spread / variance - 1.0).abs() < 0.05, "variance {spread}, expected {variance}");
}

#[test]
fn noise_has_the_moments_of_its_definition() {
    let dropped = step(Dropout::new(0.3), &[300], 0);
    check_moments(&dropped, 1.0, 0.3 / 0.7);
    assert!(dropped.iter().all(|&y| y == 0.0 || (y - 1.0 / 0.7).abs() < 1e-12));
    check_moments(&step(GaussianNoise::new(0.5), &[300], 0), 1.0, 0.25);
    check_moments(&step(GaussianDropout::new(0.2), &[300], 0), 1.0, 0.25);
    // Alpha dropout keeps mean 0 and variance 1; an input of ones becomes a + b or a·α' + b.
    let (lowest, rate) = (-1.758_099_340_847_376_6f64, 0.2f64);
    let a = 1.0 / ((1.0 - rate) * (1.0 + rate * lowest * lowest)).sqrt();
    let (kept, lost) = (a - a * lowest * rate, a * lowest - a * lowest * rate);
    let values = step(AlphaDropout::new(rate), &[300], 0);
    assert!(values.iter().all(|y| (y - kept).abs() < 1e-12 || (y - lost).abs() < 1e-12));
    let mean = 0.8 * kept + 0.2 * lost;
    check_moments(&values, mean, 0.8 * (kept - mean).powi(2) + 0.2 * (lost - mean).powi(2));
    assert_eq!(step(Dropout::new(0.0), &[3], 0), vec![1.0; 600]);
}

#[test]
fn encodings_of_no_rows_are_empty() {
    fn infer(layer: impl Layer<f64> + 'static) {
        let mut node: NamedLayer<f64> = layer.into_named();
        let shape = node.build(&[2], &mut BuildContext::new(Rng::stream(5, 5))).unwrap();
        let y = BatchMut::new(&mut [], shape.iter().product());
        node.infer(Batch::new(&[], 2), y, &mut Scratch::default());
    }
    for mode in [OutputMode::OneHot, OutputMode::MultiHot, OutputMode::Count] {
        infer(CategoryEncoding::new(3).output_mode(mode));
        infer(Discretization::new([0.0, 1.0]).output_mode(mode));
    }
}

#[test]
fn spatial_dropout_drops_whole_channels() {
    let steps = step(SpatialDropout1D::new(0.4), &[10, 50], 0);
    let pixels = step(SpatialDropout2D::new(0.4), &[2, 5, 50], 0);
    for y in [&steps, &pixels] {
        for sample in y.chunks_exact(500) {
            assert!(sample.chunks_exact(50).all(|step| step == &sample[..50]));
        }
        let first: Vec<f64> = y.chunks_exact(500).flat_map(|sample| sample[..50].to_vec()).collect();
        check_moments(&first, 1.0, 0.4 / 0.6);
    }
}

#[test]
fn masks_differ_from_step_to_step_and_from_row_to_row() {
    let (first, again, next) = (
        step(Dropout::new(0.5), &[40], 0),
        step(Dropout::new(0.5), &[40], 0),
        step(Dropout::new(0.5), &[40], 1),
    );
    assert_eq!(first, again);
    assert_ne!(first, next);
    assert_ne!(first[..40], first[40..80]);
    // With a layer on every step, each step has its own mask.
    let distributed = step(TimeDistributed::new(Dropout::new(0.5)), &[3, 40], 0);
    assert_ne!(distributed[..40], distributed[40..80]);
}

fn signals() -> (Array3<f32>, Array1<usize>) {
    let mut rng = Rng::new(2);
    (Array3::from_shape_fn((70, 40, 3), |_| rng.normal() as f32), Array1::from_iter((0..70).map(|i| i % 4)))
}

fn network() -> Sequential {
    Sequential::new()
        .seed(3)
        .add(GaussianNoise::new(0.1))
        .add(Conv1D::new(16, 5).padding(Padding::Same))
        .add(BatchNormalization::new().momentum(0.9))
        .add(Activation::Relu)
        .add(Residual::new().add(Conv1D::new(16, 3).padding(Padding::Same)).add(LayerNormalization::new()))
        .add(SeparableConv1D::new(8, 3))
        .add(MaxPooling1D::new(2))
        .add(Dropout::new(0.2))
        .add(Bidirectional::new(Gru::new(12).dropout(0.1).return_sequences(true)))
        .add(Lstm::new(8).recurrent_dropout(0.1).return_sequences(true))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(4).activation(Activation::Softmax))
}

/// Depthwise and transposed convolutions, over images and steps.
fn image_network() -> Sequential {
    Sequential::new()
        .seed(3)
        .add(Reshape::new([8, 5, 3]))
        .add(DepthwiseConv2D::new([3, 3]).padding(Padding::Same).depth_multiplier(2))
        .add(SeparableConv2D::new(8, [3, 2]).strides([2, 1]).activation(Activation::Relu))
        .add(Conv2DTranspose::new(6, [3, 3]).strides([2, 2]).padding(Padding::Same))
        .add(Reshape::new([24, 12]))
        .add(Conv1DTranspose::new(4, 5).activation(Activation::Tanh))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(4).activation(Activation::Softmax))
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    check_threads(network);
    check_threads(image_network);
}

#[track_caller]
fn check_threads(network: fn() -> Sequential) {
    let (x, y) = signals();
    let run = || {
        let mut model = network();
        model.compile(Adam::new(0.01).clip_norm(1.0), SparseCategoricalCrossentropy::new(), ()).unwrap();
        model.fit(&x, &y, &quiet().epochs(2).batch_size(32)).unwrap();
        let weights: Vec<u32> = model
            .weights()
            .unwrap()
            .iter()
            .flat_map(|(_, w)| w.iter().map(|w| w.to_bits()).collect::<Vec<_>>())
            .collect();
        let outputs = model.predict(&x).unwrap();
        let alone = model.predict(&x.slice_axis(Axis(0), (3..4).into())).unwrap();
        assert_eq!(alone.index_axis(Axis(0), 0), outputs.index_axis(Axis(0), 3));
        (weights, outputs)
    };
    let first = run();
    #[cfg(feature = "rayon")]
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(run) == first, "{threads} threads");
    }
    assert!(run() == first);
}

#[test]
fn models_with_each_layer_learn() {
    let (mut x, y) = signals();
    for (mut sample, &class) in x.outer_iter_mut().zip(&y) {
        sample.indexed_iter_mut().for_each(|((t, _), x)| {
            *x = 0.3 * *x + (t as f32 * 0.3 * (class + 1) as f32).sin();
        });
    }
    let mut model = network();
    model.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    let history = model.fit(&x, &y, &quiet().epochs(30).batch_size(10)).unwrap();
    assert!(history.last("accuracy") > Some(0.95), "{:?}", history.last("accuracy"));
}

#[test]
fn frozen_statistics_do_not_move() {
    let (x, y) = signals();
    let moving = |frozen: bool| {
        let mut model = Sequential::new().seed(1);
        model = match frozen {
            true => model.add(BatchNormalization::new().trainable(false).name("norm")),
            false => model.add(BatchNormalization::new().name("norm")),
        };
        let mut model = model.add(Flatten::new()).add(Dense::new(4));
        let loss = SparseCategoricalCrossentropy::new().from_logits(true);
        model.compile(Sgd::new(0.01), loss, ()).unwrap();
        model.fit(&x, &y, &quiet()).unwrap();
        model.weight("norm/moving_variance").unwrap().to_owned()
    };
    assert!(moving(true).iter().all(|&v| v == 1.0));
    assert!(moving(false).iter().all(|&v| v != 1.0));
}

#[test]
fn inner_layers_have_paths_and_are_counted() {
    let mut model = network().input([40, 3]);
    model.build().unwrap();
    let weights = model.weights().unwrap();
    let paths: Vec<&str> = weights.iter().map(|(path, _)| &**path).collect();
    for path in [
        "residual/conv1d/kernel",
        "residual/layer_normalization/gamma",
        "bidirectional/forward_layer/recurrent_kernel",
        "bidirectional/backward_layer/bias",
        "batch_normalization/moving_mean",
    ] {
        assert!(paths.contains(&path), "{path} is not among {paths:?}");
    }
    let all: usize = weights.iter().map(|(_, w)| w.len()).sum();
    let summary = model.summary().to_string();
    let digits: String =
        summary.lines().find(|line| line.contains("Total params")).unwrap().chars().collect();
    assert!(digits.replace(',', "").contains(&all.to_string()), "{digits} {all}");
    assert!(summary.contains("Non-trainable params: 32"), "{summary}");
}

#[test]
fn class_and_sample_weights_apply_to_steps_and_all_losses() {
    let mut rng = Rng::stream(1, 1);
    let x = Array3::from_shape_fn((6, 5, 2), |_| rng.normal() as f32);
    let y = Array2::from_shape_fn((6, 5), |(i, j)| (i + j) % 3);
    let weight = Array2::from_shape_fn((6, 5), |(i, j)| 0.5 + ((i * j) % 4) as f32);
    let model = || Sequential::new().seed(1).add(Lstm::new(3).return_sequences(true)).add(Dense::new(3));
    let by_class = vec![0.5, 2.0, 1.0];
    let total = Array2::from_shape_fn((6, 5), |(i, j)| weight[[i, j]] * by_class[y[[i, j]]] as f32);
    let last = |mut model: Sequential, fit: Fit| model.fit(&x, &y, &fit).unwrap().last("loss");
    let compiled = || {
        let mut model = model();
        let loss = SparseCategoricalCrossentropy::new().from_logits(true);
        model.compile(Sgd::new(0.1), loss, [Weighted::new(Accuracy::new())]).unwrap();
        model
    };
    let both = quiet().epochs(3).sample_weight(&weight).class_weight(ClassWeight::PerClass(by_class.clone()));
    assert_eq!(last(compiled(), both), last(compiled(), quiet().epochs(3).sample_weight(&total)));
    // Numeric targets, one weight per step.
    let numbers = Array3::from_shape_fn((6, 5, 3), |(i, j, k)| ((i + 2 * j + k) % 5) as f32 / 5.0);
    let mut model = model();
    model
        .compile(Sgd::new(0.1), Huber::new(), [Weighted::new(cornu::metric::MeanAbsoluteError::new())])
        .unwrap();
    let history = model.fit(&x, &numbers, &quiet().epochs(2).sample_weight(&weight)).unwrap();
    assert!(history.last("loss").unwrap().is_finite());
}

#[test]
fn a_diverging_batch_leaves_moving_statistics_unchanged() {
    let mut model =
        Sequential::new().seed(1).input([2]).add(BatchNormalization::new().name("norm")).add(Dense::new(1));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let x = Array2::from_shape_fn((4, 2), |(i, j)| (i * 3 + j) as f32);
    let found = model.fit(&x, &Array1::from_elem(4, 1e30f32), &quiet());
    assert!(matches!(found, Err(Error::Diverged { .. })), "{found:?}");
    assert!(model.weight("norm/moving_variance").unwrap().iter().all(|&v| v == 1.0));
}

/// The output for 4 rows of 6 steps and 2 channels, with NaN in one channel of the second row.
fn output_with_nan(layer: impl Layer<f32> + 'static, place: usize) -> Vec<f32> {
    let mut node: NamedLayer = layer.into_named();
    let width: usize = node.build(&[6, 2], &mut BuildContext::new(Rng::new(1))).unwrap().iter().product();
    let mut x: Vec<f32> = (0..48).map(|i| ((i * 7) % 5) as f32).collect();
    x[12 + 2 * place] = f32::NAN;
    let mut y = vec![0.0; 4 * width];
    node.infer(Batch::new(&x, 12), BatchMut::new(&mut y, width), &mut Scratch::default());
    y
}

#[test]
fn the_largest_of_numbers_with_nan_is_nan() {
    for place in 0..6 {
        let y = output_with_nan(GlobalMaxPooling1D::new(), place);
        let found: Vec<bool> = y.iter().map(|y| y.is_nan()).collect();
        assert_eq!(found, [false, false, true, false, false, false, false, false], "{place}");
        let y = output_with_nan(MaxPooling1D::new(3), place);
        let found: Vec<usize> = (0..y.len()).filter(|&i| y[i].is_nan()).collect();
        assert_eq!(found, [4 + place / 3 * 2], "{place}");
    }
}

#[test]
fn each_vector_of_a_large_embedding_gets_the_gradients_of_its_index() {
    const VECTORS: usize = 5000;
    const WIDTH: usize = 8;
    // Two steps per row; index 4999 occurs in every row.
    let indices =
        Array2::from_shape_fn((6, 2), |(i, j)| if j == 0 { (i * 831 % VECTORS) as f32 } else { 4999.0 });
    let train = || {
        let mut model =
            Sequential::new().seed(1).input([2]).add(Embedding::new(VECTORS, WIDTH)).add(Flatten::new());
        model.compile(Sgd::new(10.0), MeanSquaredError::new(), ()).unwrap();
        model.build().unwrap();
        let before = model.weight("embedding/embeddings").unwrap().to_owned();
        model.train_on_batch(&indices, &Array2::<f32>::zeros((6, 2 * WIDTH)), &quiet()).unwrap();
        (before, model.weight("embedding/embeddings").unwrap().to_owned())
    };
    let (before, after) = train();
    for index in 0..VECTORS {
        let count = indices.iter().filter(|&&i| i == index as f32).count();
        // dℓ/de = 2·e / (rows · outputs) for each occurrence.
        let factor = 1.0 - 10.0 * 2.0 * count as f32 / (6.0 * 2.0 * WIDTH as f32);
        for at in 0..WIDTH {
            let (old, new) = (before[[index, at]], after[[index, at]]);
            assert!((new - factor * old).abs() < 1e-6, "{index}: {old} to {new}");
        }
    }
    #[cfg(feature = "rayon")]
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(train).1, after, "{threads} threads");
    }
}

/// The gradient of the input if that of each output is 1.
fn input_gradient(layer: impl Layer<f64> + 'static, shape: &[usize], x: &[f64]) -> Vec<f64> {
    let mut node: NamedLayer<f64> = layer.into_named();
    let width = node.build(shape, &mut BuildContext::new(Rng::stream(5, 5))).unwrap().iter().product();
    let (mut y, mut dy, mut dx) = (vec![f64::NAN; width], vec![1.0; width], vec![f64::NAN; x.len()]);
    let (x, mut scratch) = (Batch::new(x, x.len()), Scratch::default());
    node.infer(x, BatchMut::new(&mut y, width), &mut scratch);
    let dx_of = Some(BatchMut::new(&mut dx, x.width()));
    let dy = BatchMut::new(&mut dy, width);
    node.backward(BackwardContext::new(x, Batch::new(&y, width), dy, dx_of, &mut scratch));
    dx
}

/// As in Keras on JAX.
#[test]
fn the_first_of_equal_cells_gets_the_gradient() {
    let x = [0.0, 1.0, 1.0, 0.0];
    let of_rows = input_gradient(MaxPooling2D::new([2, 2]), &[2, 2, 1], &x);
    assert_eq!(of_rows, [0.0, 1.0, 0.0, 0.0]);
    let of_columns = input_gradient(AdaptiveMaxPooling2D::new([1, 1]), &[2, 2, 1], &x);
    assert_eq!(of_columns, [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(input_gradient(AdaptiveMaxPooling1D::new(1), &[4, 1], &x), [0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn group_normalization_keeps_its_digits_in_large_images() {
    let mut model =
        Sequential::new().input([300, 200, 2]).add(GroupNormalization::new().groups(2).epsilon(1e-9));
    model.build().unwrap();
    let mut rng = Rng::new(8);
    let x = Array4::from_shape_fn((1, 300, 200, 2), |_| 1000.0 + rng.normal() as f32);
    let y = model.predict(&x).unwrap();
    for channel in y.axis_iter(Axis(3)) {
        let values: Vec<f64> = channel.iter().map(|&y| f64::from(y)).collect();
        let (mean, variance) = moments(&values);
        assert!(mean.abs() < 5e-3 && (variance - 1.0).abs() < 1e-4, "{mean} {variance}");
    }
}
