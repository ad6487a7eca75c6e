//! Twelve small networks that combine layers, losses, optimizers and their options: the loss of 20 steps, and the
//! outputs. There is no bias before a batch normalization: its gradient is rounding noise, which rules such as Adam
//! amplify in f32.

use cornu::diagnosis::Severity;
use cornu::loss::Loss;
use cornu::ndarray::{ArrayD, IxDyn};
use cornu::optimizer::{ExponentialDecay, WeightAverage};
use cornu::prelude::*;
use serde_json::Value;

use super::draw::{classes, draw, one_hot};
use super::{Data, check, check_steps, golden_of, numbers, tolerance};

const ROWS: usize = 20;

/// The stored cases, and the number that were compared.
struct Cases {
    stored: Value,
    compared: usize,
}

impl Cases {
    #[track_caller]
    fn check<F: Scalar>(
        &mut self,
        name: &str,
        mut model: Sequential<F>,
        optimizer: impl Optimizer<F> + Clone + 'static,
        loss: impl Loss<F> + Clone + 'static,
        (x, y, weight): Data<F>,
    ) {
        let stored = &self.stored[name];
        assert!(stored.is_object(), "no case {name}");
        self.compared += 1;
        let fresh = model.clone();
        model = model.input(&x.shape()[1..]);
        model.build().unwrap_or_else(|error| panic!("{name}: {error}"));
        let weights = model.weights().expect("weights");
        let shapes: Vec<_> = weights.into_iter().map(|(path, w)| (path, w.shape().to_vec())).collect();
        for (i, (path, shape)) in shapes.into_iter().enumerate() {
            let drawn = draw::<F>(&shape, 620 + i as u64, 0.5);
            let positive = path.ends_with("moving_variance");
            let value = if positive { drawn.mapv(|w| w.abs() + F::of(0.5)) } else { drawn };
            model.set_weight(&path, &value).expect("a weight");
        }
        model.compile(optimizer.clone(), loss.clone(), ()).unwrap_or_else(|error| panic!("{name}: {error}"));
        // None of them has a finding when it is trained, except `repeat`, in which Ftrl first sets all weights to 0, as
        // Keras does, so that it never learns.
        for seed in (1..=5).filter(|_| name != "repeat") {
            let mut fresh = fresh.clone().seed(seed);
            fresh.compile(optimizer.clone(), loss.clone(), ()).expect("a model");
            let fit = Fit::new().epochs(300).batch_size(8).verbose(Verbose::Silent);
            let fit = match weight {
                Some(weight) => fit.sample_weight(weight),
                None => fit,
            };
            let history = fresh.fit(x, y, &fit).unwrap_or_else(|error| panic!("{name}: {error}"));
            let alarm = history.findings().roots().find(|finding| finding.severity > Severity::Note);
            assert!(alarm.is_none(), "{name}, seed {seed}: {}", history.findings());
        }
        check_steps(name, &mut model, (x, y, weight), &numbers(&stored["losses"]));
        let outputs: Vec<f64> = model.predict(x).expect("outputs").iter().map(|y| y.as_f64()).collect();
        // 20 steps, each rounded in the last bit of the weights.
        check(&format!("{name}, outputs"), &outputs, &numbers(&stored["outputs"]), 4.0 * tolerance::<F>());
    }
}

fn mixes<F: Scalar>() {
    use Activation::*;
    let mut cases = Cases { stored: golden_of::<F>("mixes"), compared: 0 };
    let c = &mut cases;
    let model = || Sequential::<F>::with_scalar().seed(1);
    let same = Padding::Same;
    let (series, flat) = (draw::<F>(&[ROWS, 12, 4], 601, 1.0), draw::<F>(&[ROWS, 6], 602, 1.0));
    let image = draw::<F>(&[ROWS, 6, 6, 2], 603, 1.0);
    let words = draw::<F>(&[ROWS, 9], 604, 1.0).mapv(|x| F::of(((x.as_f64() + 1.0) * 3.5).floor()));
    let y3 = classes(ROWS, 3, 605);
    let hot = one_hot::<F>(&y3, 3);
    let index = ArrayD::from_shape_fn(IxDyn(&[ROWS]), |at| F::of(y3[at[0]] as f64));
    let numbers = draw::<F>(&[ROWS, 2], 606, 1.0);
    let bits = draw::<F>(&[ROWS, 2], 607, 1.0).mapv(|x| if x > F::zero() { F::one() } else { F::zero() });
    let steps = one_hot::<F>(&classes(ROWS * 12, 3, 608), 3);
    let steps = steps.into_shape_with_order(IxDyn(&[ROWS, 12, 3])).expect("steps");
    let soft = draw::<F>(&[ROWS, 3], 609, 1.0).mapv(|x| (x.abs() + F::of(0.25)) / F::of(4.0));
    let weight = draw::<F>(&[ROWS], 610, 1.0).mapv(|w| w.abs() + F::of(0.25));
    let step_weight = draw::<F>(&[ROWS, 12], 611, 1.0).mapv(|w| w.abs() + F::of(0.25));

    let net = model()
        .add(Conv1D::new(4, 3).padding(same).activation(Relu))
        .add(MaxPooling1D::new(2))
        .add(Conv1D::new(6, 3).padding(Padding::Causal).dilation_rate(2).activation(Tanh))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(3).activation(Softmax));
    c.check("convolution", net, Adam::new(0.01), CategoricalCrossentropy::new(), (&series, &hot, None));
    let net = model()
        .add(Conv1D::new(4, 5).padding(same).use_bias(false))
        .add(BatchNormalization::new().momentum(0.9))
        .add(cornu::layer::Relu::new())
        .add(Conv1D::new(3, 3).padding(same).use_bias(false))
        .add(BatchNormalization::new().momentum(0.9))
        .add(cornu::layer::Relu::new())
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(3).activation(Softmax));
    let data = (&series, &index, Some(&weight));
    c.check("fully_convolutional", net, Adamax::new(0.02), SparseCategoricalCrossentropy::new(), data);
    let net = model()
        .add(Conv2D::new(3, [3, 3]).padding(same).strides([2, 2]))
        .add(cornu::layer::LeakyRelu::new())
        .add(AveragePooling2D::new([2, 2]).strides([1, 1]))
        .add(Flatten::new())
        .add(Dense::new(2).activation(Sigmoid));
    let smooth = BinaryCrossentropy::new().label_smoothing(0.1);
    c.check("image", net, RmsProp::new(0.005).momentum(0.5), smooth, (&image, &bits, None));
    let net = model().add(Lstm::new(4).return_sequences(true)).add(Gru::new(3)).add(Dense::new(2));
    c.check("recurrent", net, Nadam::new(0.02), Huber::new().delta(0.5), (&series, &numbers, Some(&weight)));
    let net = model()
        .add(Bidirectional::new(Gru::new(3).return_sequences(true)))
        .add(TimeDistributed::new(Dense::new(3).activation(Softmax)));
    let data = (&series, &steps, Some(&step_weight));
    c.check("steps", net, AdamW::new(0.02), CategoricalCrossentropy::new(), data);
    let net = model()
        .add(Embedding::new(7, 3))
        .add(Conv1D::new(4, 3).activation(Gelu { approximate: false }))
        .add(GlobalMaxPooling1D::new())
        .add(Dense::new(2).activation(Sigmoid));
    c.check("words", net, Adagrad::new(0.1), BinaryFocalCrossentropy::new(), (&words, &bits, None));
    let net = model().add(Dense::new(8)).add(LayerNormalization::new()).add(PRelu::new()).add(Dense::new(2));
    c.check("layer_norm", net, Adadelta::new(1.0).clip_norm(0.1), LogCosh::new(), (&flat, &numbers, None));
    let net = model()
        .add(SeparableConv1D::new(4, 3).padding(same))
        .add(UnitNormalization::new())
        .add(Flatten::new())
        .add(Dense::new(3));
    let falling = Sgd::new(ExponentialDecay::new(0.1, 10, 0.5)).momentum(0.9).nesterov(true);
    let logits = CategoricalCrossentropy::new().from_logits(true).label_smoothing(0.1);
    c.check("separable", net, falling, logits, (&series, &hot, None));
    let grouped = Conv1D::new(4, 3).groups(2).kernel_regularizer(Regularizer::L2(0.01));
    let net = model()
        .add(Reshape::new([6, 8]))
        .add(Permute::new([2, 1]))
        .add(ZeroPadding1D::new(1, 1))
        .add(Cropping1D::new(0, 1))
        .add(UpSampling1D::new(2))
        .add(grouped.activity_regularizer(Regularizer::L1(0.01)))
        .add(Flatten::new())
        .add(Dense::new(2));
    let lion = Lion::new(0.002).weight_decay(0.01);
    c.check("shapes", net, lion, MeanSquaredError::new(), (&series, &numbers, None));
    let net = model()
        .add(Dense::new(4).activation(Selu))
        .add(RepeatVector::new(3))
        .add(SimpleRnn::new(3).return_sequences(true))
        .add(Lstm::new(3).go_backwards(true))
        .add(Dense::new(2));
    let ftrl = Ftrl::new(0.05).l2(0.001);
    c.check("repeat", net, ftrl, MeanAbsoluteError::new(), (&flat, &numbers, Some(&weight)));
    let net = model()
        .add(DepthwiseConv1D::new(3).depth_multiplier(2).strides(2))
        .add(BatchNormalization::new())
        .add(cornu::layer::Elu::new())
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(3).activation(Softmax));
    let averaged = Adam::new(0.01).amsgrad(true).average_weights(WeightAverage::new(0.9).overwrite_every(4));
    c.check("depthwise", net, averaged, KlDivergence::new(), (&series, &soft, None));
    let net = model()
        .add(
            Dense::new(6).activation(Tanh).kernel_constraint(Constraint::MaxNorm { max: 0.5, axis: vec![0] }),
        )
        .add(Dense::new(5).activation(Relu).trainable(false))
        .add(BatchNormalization::new().trainable(false))
        .add(Dense::new(3).use_bias(false));
    let sums = Sgd::new(0.1).momentum(0.9).accumulate_gradients(2).global_clip_norm(0.5);
    c.check("bound", net, sums, CategoricalHinge::new(), (&flat, &hot, Some(&weight)));
    assert_eq!(cases.compared, cases.stored.as_object().map_or(0, |all| all.len()));
}

#[test]
fn mixed_networks_agree_with_keras_in_f32() {
    mixes::<f32>();
}

#[test]
fn mixed_networks_agree_with_keras_in_f64() {
    mixes::<f64>();
}
