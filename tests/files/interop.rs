//! Files for other programs: written here, and read in Keras, PyTorch and NumPy by `check.py`.
//!
//! Each model is trained for some steps, saved in every format, and trained further. `check.py` compares its
//! predictions and the losses of the 20 steps after that. Each file is also read again here, bit for bit.

use std::fs;
use std::path::PathBuf;

use cornu::data::Tokenizer;
use cornu::loss::Loss;
use cornu::metric::IntoMetrics;
use cornu::ndarray::{ArrayD, Axis, IxDyn, Slice};
use cornu::optimizer::{
    CosineDecay, ExponentialDecay, Optimizer, OptimizerTraits, PolynomialDecay, WeightAverage,
};
use cornu::prelude::*;
use cornu::save::Loader;
use serde_json::json;

const N: usize = 20;

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("interop");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn drawn<F: Scalar>(shape: &[usize], seed: u64) -> ArrayD<F> {
    let mut rng = Rng::stream(seed, 1);
    ArrayD::from_shape_simple_fn(IxDyn(shape), || F::of((rng.uniform() * 1024.0).round() / 512.0 - 1.0))
}

fn batch<F: Scalar>(all: &ArrayD<F>, step: usize) -> ArrayD<F> {
    let start = [0, 8, 16][step % 3];
    all.slice_axis(Axis(0), Slice::from(start..(start + 8).min(N))).to_owned()
}

fn numbers<F: Scalar>(array: &ArrayD<F>) -> Vec<f64> {
    array.iter().map(|value| value.as_f64()).collect()
}

/// Saves a model with its predictions; compiled, if there is a loss.
fn check<F: Scalar>(
    name: &str,
    mut model: Sequential<F>,
    input: &[usize],
    trained: Option<(impl Optimizer<F> + 'static, impl Loss<F> + 'static, impl IntoMetrics<F>, ArrayD<F>)>,
) {
    let x = drawn::<F>(&[&[N], input].concat(), 5);
    let x = if name == "words" { x.mapv(|x| ((x + F::one()) * F::of(2.9)).floor()) } else { x };
    model = model.seed(3).input(input);
    let mut about = json!({ "name": name, "dtype": F::NAME, "x": numbers(&x), "shape": x.shape() });
    let mut targets = None;
    // Keras ignores the preparation of a file.
    if name == "words" {
        let words = ["a", "b", "c", "d", "e"];
        model.set_preparation("words", Tokenizer::from_vocabulary(words).unwrap());
    }
    match trained {
        None => model.build().unwrap(),
        Some((optimizer, loss, metrics, y)) => {
            model.compile(optimizer, loss, metrics).unwrap();
            for step in 0..4 {
                model.train_on_batch(&batch(&x, step), &batch(&y, step), &Fit::new()).unwrap();
            }
            about["y"] = json!(numbers(&y));
            about["y_shape"] = json!(y.shape());
            targets = Some(y);
        }
    }
    let path = |end: &str| folder().join(format!("{name}_{}.{end}", F::NAME));
    model.save(path("keras")).unwrap();
    model.save(path("safetensors")).unwrap();
    model.save_weights(path("npz")).unwrap();
    model.save_weights(path("weights.h5")).unwrap();
    let y = model.predict(&x).unwrap();
    about["predictions"] = json!(numbers(&y));
    let weights = model.weights().unwrap().into_iter();
    about["weights"] = weights.map(|(path, weight)| (path, json!(numbers(&weight.to_owned())))).collect();
    let mut again: Vec<Sequential<F>> = Vec::new();
    for end in ["keras", "safetensors"] {
        let loaded = Loader::<F>::with_scalar().load(path(end)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(loaded.predict(&x).unwrap(), y, "{name} from .{end}");
        assert!(loaded.config().unwrap() == model.config().unwrap(), "{name} from .{end}");
        assert!(loaded.preparations().eq(model.preparations()), "{name} from .{end}");
        again.push(loaded);
    }
    for end in ["npz", "weights.h5"] {
        let mut other = model.clone();
        for (path, weight) in model.weights().unwrap() {
            other.set_weight(&path, &ArrayD::<F>::zeros(weight.shape())).unwrap();
        }
        other.load_weights(path(end)).unwrap();
        assert_eq!(other.predict(&x).unwrap(), y, "{name} from .{end}");
    }
    if let Some(y) = targets {
        let mut losses = Vec::new();
        for step in 4..24 {
            let step = (&batch(&x, step), &batch(&y, step), &Fit::new());
            let logs = model.train_on_batch(step.0, step.1, step.2).unwrap();
            for loaded in &mut again {
                let own = loaded.train_on_batch(step.0, step.1, step.2).unwrap();
                assert_eq!(own.get("loss"), logs.get("loss"), "{name}");
            }
            losses.push(logs.get("loss").unwrap());
        }
        for loaded in &again {
            assert_eq!(loaded.weights().unwrap(), model.weights().unwrap(), "{name}");
        }
        about["losses"] = json!(losses);
    }
    fs::write(path("json"), about.to_string()).unwrap();
}

type Nothing = Option<(Sgd, MeanSquaredError, (), ArrayD<f32>)>;

fn one_hot<F: Scalar>(count: usize) -> ArrayD<F> {
    ArrayD::from_shape_fn(IxDyn(&[N, count]), |at| F::of(f64::from(u8::from(at[0] * 7 % 5 % count == at[1]))))
}

fn write_all<F: Scalar>() {
    let new = Sequential::<F>::with_scalar;
    let (hot, two, steps) = (one_hot::<F>(3), drawn::<F>(&[N, 2], 9), drawn::<F>(&[N, 12, 2], 10));
    let bits = two.mapv(|x| F::of(f64::from(u8::from(x > F::zero()))));
    let net = new()
        .add(Dense::new(5).activation(Activation::Relu).name("F1"))
        .add(Dense::new(3).activation(Activation::Softmax));
    check(
        "dense",
        net,
        &[6],
        Some((Adam::new(0.01), CategoricalCrossentropy::new(), [Accuracy::new()], hot.clone())),
    );
    let net = new()
        .add(
            Conv1D::new(4, 3)
                .padding(Padding::Same)
                .activation(Activation::LeakyRelu { negative_slope: 0.3 }),
        )
        .add(BatchNormalization::new().momentum(0.9))
        .add(MaxPooling1D::new(2))
        .add(Conv1D::new(4, 2).padding(Padding::Causal).dilation_rate(2).groups(2))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(3).activation(Activation::Softmax));
    let metrics = (Accuracy::new().name("right"), TopKAccuracy::new().k(2), Weighted::new(Accuracy::new()));
    let falling = Adam::new(ExponentialDecay::new(0.01, 10, 0.5)).amsgrad(true);
    check(
        "conv",
        net,
        &[12, 4],
        Some((falling, CategoricalCrossentropy::new().label_smoothing(0.1), metrics, hot.clone())),
    );
    let net = new()
        .add(Conv2D::new(3, [3, 2]).strides([2, 1]))
        .add(ZeroPadding2D::new([1, 0], [0, 1]))
        .add(AveragePooling2D::new([2, 2]).strides([1, 1]).padding(Padding::Same))
        .add(PRelu::new().shared_axes([1, 2]))
        .add(Flatten::new())
        .add(Dense::new(2).activation(Activation::Sigmoid));
    let metrics = (Auc::new().curve(Curve::Pr), Precision::new(), Recall::new().threshold(0.4));
    check(
        "image",
        net,
        &[6, 6, 2],
        Some((
            RmsProp::new(0.005).centered(true).momentum(0.5),
            BinaryCrossentropy::new(),
            metrics,
            bits.clone(),
        )),
    );
    let net = new()
        .add(Bidirectional::new(Lstm::new(3).return_sequences(true)))
        .add(Gru::new(3).return_sequences(true).reset_after(false))
        .add(SimpleRnn::new(3).return_sequences(true).go_backwards(true))
        .add(TimeDistributed::new(Dense::new(2)));
    check("recurrent", net, &[12, 4], Some((Nadam::new(0.01), Huber::new(), (), steps)));
    let net = new()
        .add(Embedding::new(7, 3))
        .add(GlobalMaxPooling1D::new())
        .add(Dense::new(2).activation(Activation::Sigmoid));
    check(
        "words",
        net,
        &[9],
        Some((Adagrad::new(0.1), BinaryFocalCrossentropy::new(), [F1Score::new().threshold(0.5)], bits)),
    );
    let net = new()
        .add(LayerNormalization::new())
        .add(
            Dense::new(4)
                .kernel_constraint(Constraint::MaxNorm { max: 0.8, axis: vec![0] })
                .kernel_regularizer(Regularizer::L2(0.01)),
        )
        .add(Dense::new(4).trainable(false))
        .add(UnitNormalization::new())
        .add(Dense::new(2));
    let lion = AdamW::new(PolynomialDecay::new(0.01, 20))
        .weight_decay(0.1)
        .average_weights(WeightAverage::new(0.9))
        .global_clip_norm(1.0);
    check("options", net, &[6], Some((lion, LogCosh::new(), [RootMeanSquaredError::new()], two.clone())));
    let net = new()
        .add(SeparableConv1D::new(3, 3))
        .add(DepthwiseConv1D::new(2).depth_multiplier(2))
        .add(Flatten::new())
        .add(Dense::new(2));
    let sums = Sgd::new(CosineDecay::new(0.05, 20).warm_up(0.1, 4))
        .momentum(0.9)
        .nesterov(true)
        .accumulate_gradients(2);
    check("sums", net, &[12, 4], Some((sums, MeanSquaredError::new(), (), two.clone())));
    let block = || {
        Residual::new()
            .add(Conv1D::new(4, 3).padding(Padding::Same).use_bias(false))
            .add(BatchNormalization::new().momentum(0.9))
            .add(Relu::new())
            .add(Conv1D::new(4, 3).padding(Padding::Same))
    };
    let net = new()
        .add(block())
        .add(Relu::new())
        .add(Residual::new().add(Dense::new(4).name("dense")).add(block().name("dense.1")).add(Dense::new(4)))
        .add(Residual::new().add(Residual::new().add(Dense::new(4).trainable(false))).name("input_layer"))
        .add(TimeDistributed::new(Residual::new().add(Dense::new(3)).add(Dense::new(4)).name("step")))
        .add(Reshape::new([3, 4, 4]))
        .add(TimeDistributed::new(TimeDistributed::new(Residual::new().add(Dense::new(4)))).name("twice"))
        .add(Flatten::new())
        .add(Dense::new(2).name("dense"));
    check("residual", net, &[12, 4], Some((Adam::new(0.01), MeanSquaredError::new(), (), two.clone())));
    let cells =
        StackedRnnCells::new().add(Lstm::new(3)).add(Gru::new(2)).add(Lstm::new(2)).return_sequences(true);
    let backwards = StackedRnnCells::new().add(SimpleRnn::new(3)).add(Gru::new(2)).go_backwards(true);
    let net = Sequential::<F>::with_scalar().add(cells).add(backwards).add(Dense::new(2));
    check("cells", net, &[12, 4], Some((Adam::new(0.01), MeanSquaredError::new(), (), two.clone())));
    // Equal shapes in chains of different lengths, so that Keras's order of the layers is another one.
    let dense = || Dense::new(4).activation(Activation::Tanh);
    let merges = Branches::new(Merge::Average)
        .branch()
        .add(dense())
        .add(
            Branches::new(Merge::Multiply)
                .branch()
                .branch()
                .add(dense())
                .add(dense().trainable(false))
                .name("inner.dense"),
        )
        .branch()
        .add(dense())
        .branch()
        .branch()
        .add(Branches::new(Merge::Maximum).add(dense()).branch().add(dense()).add(dense()))
        .add(Residual::new().add(dense()).shortcut(dense()).shortcut(dense()).shortcut(dense()));
    let net = new()
        .add(
            Residual::new()
                .add(dense())
                .add(BatchNormalization::new().momentum(0.9))
                .add(dense())
                .shortcut(dense()),
        )
        .add(merges)
        .add(Branches::new(Merge::Add).branch().branch().add(dense()).add(Dropout::new(0.0)).name("sum"))
        .add(Branches::new(Merge::Add).add(dense()).branch().add(dense()).add(dense()).name("branch"))
        .add(
            Branches::new(Merge::Concatenate)
                .add(Lstm::new(3).return_sequences(true))
                .branch()
                .add(Conv1D::new(2, 3).padding(Padding::Same))
                .add(Bidirectional::new(Gru::new(2).return_sequences(true)))
                .branch(),
        )
        .add(TimeDistributed::new(
            Branches::new(Merge::Add).add(dense()).branch().add(Reshape::new([11])).add(dense()).add(dense()),
        ))
        .add(Branches::new(Merge::Concatenate).add(Flatten::new()).branch().add(GlobalMaxPooling1D::new()))
        .add(Dense::new(2));
    check("branches", net, &[12, 4], Some((Adam::new(0.01), MeanSquaredError::new(), (), two.clone())));
    let padded = || Lstm::new(3).return_sequences(true);
    let net = new()
        .add(Masking::new(0.5))
        .add(Residual::new().add(padded()).add(Dense::new(4)).shortcut(Dense::new(4)).shortcut(Dense::new(4)))
        .add(Branches::new(Merge::Concatenate).add(padded()).add(padded()).branch().branch().add(padded()))
        .add(Gru::new(2));
    let options = RmsProp::new(0.005).momentum(0.5).average_weights(WeightAverage::new(0.9));
    check("masked", net, &[12, 4], Some((options, MeanSquaredError::new(), (), two.clone())));
    for (name, optimizer) in [
        ("adamax", Box::new(Adamax::new(0.01)) as Box<dyn Optimizer<F>>),
        ("adadelta", Box::new(Adadelta::new(1.0))),
        ("ftrl", Box::new(Ftrl::new(0.05).l1(0.001))),
        ("lion", Box::new(Lion::new(0.002))),
    ] {
        let net = new().add(Dense::new(3).activation(Activation::Tanh)).add(Dense::new(2));
        check(name, net, &[6], Some((optimizer.tuned_box(), MeanAbsoluteError::new(), (), two.clone())));
    }
}

/// A boxed optimizer that is an optimizer itself.
trait TunedBox<F: Scalar> {
    fn tuned_box(self) -> Rule<F>;
}

impl<F: Scalar> TunedBox<F> for Box<dyn Optimizer<F>> {
    fn tuned_box(self) -> Rule<F> {
        Rule(self)
    }
}

#[derive(Debug, Clone)]
pub struct Rule<F: Scalar>(pub Box<dyn Optimizer<F>>);

impl<F: Scalar> Optimizer<F> for Rule<F> {
    fn traits(&self) -> OptimizerTraits {
        self.0.traits()
    }
    fn config(&self) -> Option<cornu::config::Config> {
        self.0.config()
    }
    fn options(&self) -> Option<&cornu::optimizer::Options> {
        self.0.options()
    }
    fn learning_rate(&self) -> &cornu::optimizer::LearningRate {
        self.0.learning_rate()
    }
    fn learning_rate_mut(&mut self) -> &mut cornu::optimizer::LearningRate {
        self.0.learning_rate_mut()
    }
    fn begin(&mut self, at: cornu::optimizer::Update) {
        self.0.begin(at);
    }
    fn update(&self, at: cornu::optimizer::Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        self.0.update(at, value, grad, slots);
    }
    fn update_whole(
        &self,
        at: cornu::optimizer::Update,
        shape: &[usize],
        value: &mut [F],
        grad: &[F],
        slots: &mut [&mut [F]],
    ) {
        self.0.update_whole(at, shape, value, grad, slots);
    }
    fn slot_shape(&self, slot: usize, path: &str, shape: &[usize]) -> Option<Vec<usize>> {
        self.0.slot_shape(slot, path, shape)
    }
    fn decay_of(&self, decay: Option<f64>, slots: &[Vec<F>]) -> Option<f64> {
        self.0.decay_of(decay, slots)
    }
}

#[test]
fn files_for_other_programs_round_trip() {
    write_all::<f32>();
    let net = Sequential::new()
        .add(Normalization::new().statistics([0.5, 0.0, 0.0, 1.0], [1.0, 2.0, 1.0, 1.0]))
        .add(Normalization::new().axis(None).adapt(&drawn::<f64>(&[9, 12, 4], 4)).unwrap())
        .add(Permute::new([2, 1]))
        .add(Reshape::new([6, -1]))
        .add(UpSampling1D::new(2))
        .add(Cropping1D::new(1, 2))
        .add(ZeroPadding1D::new(1, 0))
        .add(Activation::Gelu { approximate: false })
        .add(Elu::new().alpha(0.5))
        .add(Relu::new().max_value(2.0))
        .add(LeakyRelu::new())
        .add(Softmax::new().axis(1))
        .add(Dropout::new(0.2))
        .add(SpatialDropout1D::new(0.2))
        .add(AlphaDropout::new(0.1))
        .add(GaussianNoise::new(0.1))
        .add(GaussianDropout::new(0.1))
        .add(AveragePooling1D::new(2))
        .add(Rescaling::new(2.0).offset(-1.0))
        .add(LayerNormalization::new().axis([-2, -1]))
        .add(Flatten::new())
        .add(RepeatVector::new(2));
    check("shapes", net, &[12, 4], None as Nothing);
    let net = Sequential::new()
        .add(Bidirectional::new(Gru::new(2).stateful(true).return_sequences(true)))
        .add(Residual::new().add(SimpleRnn::new(4).stateful(true).return_sequences(true)))
        .add(StackedRnnCells::new().add(Lstm::new(3)).add(Gru::new(2)).stateful(true));
    check("stateful", net, &[12, 4], None as Nothing);
    let net = Sequential::new()
        .add(MaxPooling2D::new([2, 2]).padding(Padding::Same))
        .add(GlobalMaxPooling2D::new().keepdims(true))
        .add(GlobalAveragePooling2D::new());
    check("pools", net, &[5, 5, 3], None as Nothing);
    let net = Sequential::new()
        .add(UpSampling2D::new([1, 2]).interpolation(Interpolation::Bilinear))
        .add(Cropping2D::new([1, 0], [2, 4]))
        .add(SpatialDropout2D::new(0.2))
        .add(GroupNormalization::new().groups(-1).axis(1))
        .add(RmsNormalization::new())
        .add(AdaptiveMaxPooling2D::new([4, 5]))
        .add(AdaptiveAveragePooling2D::new([3, 4]))
        .add(UpSampling2D::new([2, 1]))
        .add(GroupNormalization::new().groups(2).scale(false))
        .add(Reshape::new([12, 4]))
        .add(AdaptiveMaxPooling1D::new(9))
        .add(AdaptiveAveragePooling1D::new(5))
        .add(RmsNormalization::new().axis([1, 2]).epsilon(0.01))
        .add(Flatten::new());
    check("images", net, &[6, 6, 2], None as Nothing);
}

#[test]
fn files_for_other_programs_round_trip_in_f64() {
    let net =
        Sequential::<f64>::with_scalar().add(Dense::new(4).activation(Activation::Tanh)).add(Dense::new(2));
    let y = drawn::<f64>(&[N, 2], 9);
    check("wide", net, &[6], Some((Adam::new(0.01), MeanSquaredError::new(), (), y)));
}

#[test]
fn a_graph_that_keras_cannot_read_back_as_it_is_is_refused() {
    let dense = |name: &str| Dense::<f32>::new(3).name(name);
    let path = folder().join("refused.keras");
    let refused = |net: Sequential, words: &str| {
        let error = net.save(&path).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(!path.exists());
    };
    let net = |layer: cornu::layer::NamedLayer| Sequential::new().add(layer).add(dense("residual.x"));
    let residual = || Residual::new().add(dense("x")).into_named();
    refused(net(residual()), "with `Residual` or `Branches`: set the shape of a sample by `input`");
    refused(net(residual()).input([3]), "two layers would have the name `residual.x`");
    let named = Residual::new().add(dense("branch.x")).add(dense("branch.y"));
    refused(net(named.into_named()).input([3]), "of `residual` start with `branch.`");
    let single = Branches::new(Merge::Add).add(dense("x"));
    refused(net(single.into_named()).input([3]), "`branches` has one branch");
}

#[test]
fn a_loaded_model_continues_with_the_same_dropout() {
    let net = Sequential::new()
        .seed(8)
        .input([6, 3])
        .add(Residual::new().add(Dense::new(3)).add(Dropout::new(0.5)))
        .add(Residual::new().add(Dense::new(3)).add(Dropout::new(0.5)).shortcut(Dense::new(3)))
        .add(Branches::new(Merge::Concatenate).branch().branch().add(Dense::new(3)).add(Dense::new(3)))
        .add(Lstm::new(4).dropout(0.2).recurrent_dropout(0.2))
        .add(Dense::new(2));
    let mut model = net;
    model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
    let (x, y) = (drawn::<f32>(&[N, 6, 3], 1), drawn::<f32>(&[N, 2], 2));
    let fit = || Fit::new().epochs(2).batch_size(8).verbose(Verbose::Silent);
    model.fit(&x, &y, &fit()).unwrap();
    for end in ["keras", "safetensors"] {
        let path = folder().join(format!("dropout.{end}"));
        model.save(&path).unwrap();
        let (mut own, mut again) = (model.clone(), Sequential::load(&path).unwrap());
        let (own_history, history) = (own.fit(&x, &y, &fit()).unwrap(), again.fit(&x, &y, &fit()).unwrap());
        assert_eq!(history.get("loss"), own_history.get("loss"), ".{end}");
        assert_eq!(again.weights().unwrap(), own.weights().unwrap(), ".{end}");
    }
}
