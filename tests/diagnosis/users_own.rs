//! Users' own losses, metrics, layers and schedules: the diagnosis neither calls them nor judges them by their names.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::synthetic::*;
use cornu::Param;
use cornu::diagnosis::Diagnose;
use cornu::layer::{BackwardContext, BuildContext, LayerTraits, Part, PartMut};
use cornu::loss::{Loss, LossFamily, Target, loss_fn};
use cornu::metric::Metric;
use cornu::ndarray::{Array1, Array2, Axis};
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};

/// A loss of logits that accepts only the shapes of its model, and counts its calls.
#[derive(Debug, Clone)]
struct Strict {
    name: &'static str,
    target: Target,
    family: LossFamily,
    /// Whether it states that it takes logits.
    tells: bool,
    /// The widths of a row of outputs and of targets.
    widths: (usize, usize),
    /// A number that is added to each loss.
    floor: f32,
    calls: Arc<AtomicUsize>,
}

impl Strict {
    fn new(name: &'static str, target: Target, widths: (usize, usize)) -> Self {
        let (family, calls) = (LossFamily::Other, Arc::default());
        Strict { name, target, family, tells: false, widths, floor: 0.0, calls }
    }

    fn inner(&self) -> Box<dyn Loss<f32>> {
        match self.target {
            Target::Classes { .. } => Box::new(SparseCategoricalCrossentropy::new().from_logits(true)),
            Target::Distribution => Box::new(CategoricalCrossentropy::new().from_logits(true)),
            Target::Probabilities => Box::new(BinaryCrossentropy::new().from_logits(true)),
            _ => Box::new(MeanSquaredError::new()),
        }
    }

    fn accept(&self, y_pred: Batch<f32>, y_true: Batch<f32>) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        assert_eq!((y_pred.width(), y_true.width()), self.widths, "a strange shape");
        assert_eq!(y_pred.rows(), y_true.rows(), "a strange shape");
    }
}

impl Loss<f32> for Strict {
    fn name(&self) -> &str {
        self.name
    }
    fn target(&self) -> Target {
        self.target
    }
    fn family(&self) -> LossFamily {
        self.family
    }
    fn takes_logits(&self) -> bool {
        self.tells
    }
    fn values(&self, y_pred: Batch<f32>, y_true: Batch<f32>, values: &mut [f32]) -> usize {
        self.accept(y_pred, y_true);
        let count = self.inner().values(y_pred, y_true, values);
        values.iter_mut().for_each(|value| *value += self.floor);
        count
    }
    fn gradient(&self, y_pred: Batch<f32>, y_true: Batch<f32>, scale: &[f32], dy: BatchMut<f32>) {
        self.accept(y_pred, y_true);
        self.inner().gradient(y_pred, y_true, scale, dy);
    }
}

/// Targets of `width` numbers for four classes.
fn targets(target: Target, width: usize, classes: &Array1<usize>) -> Array2<f32> {
    match target {
        Target::Classes { .. } => classes.mapv(|class| class as f32).insert_axis(Axis(1)),
        Target::Distribution => hot(classes, width),
        Target::Probabilities => {
            Array2::from_shape_fn((classes.len(), width), |(i, j)| ((classes[i] + j) % 2) as f32)
        }
        _ => Array2::from_shape_fn((classes.len(), width), |(i, j)| classes[i] as f32 - 1.5 + (j % 3) as f32),
    }
}

const CLASSES: Target = Target::Classes { ignored: None };

/// Losses of all kinds of targets, with one, several and many outputs.
fn losses() -> Vec<Strict> {
    let of = Strict::new;
    let losses = vec![
        of("sparse_categorical_crossentropy", CLASSES, (4, 1)),
        of("nll", CLASSES, (300, 1)),
        of("my_categorical_crossentropy", Target::Distribution, (4, 4)),
        of("categorical_crossentropy", Target::Distribution, (300, 300)),
        of("binary_crossentropy_with_logits", Target::Probabilities, (1, 1)),
        of("binary_hinge", Target::Probabilities, (5, 5)),
        of("binary_crossentropy", Target::Probabilities, (300, 300)),
        of("mean_squared_error", Target::Numbers, (1, 1)),
        of("binary_accuracy", Target::Numbers, (3, 3)),
        of("categorical_crossentropy", Target::Numbers, (300, 300)),
    ];
    let telling = losses.clone().into_iter().map(|loss| {
        let family = match loss.target {
            Target::Numbers => LossFamily::SquaredError,
            _ => LossFamily::CrossEntropy,
        };
        Strict { family, tells: loss.target != Target::Numbers, calls: Arc::default(), ..loss }
    });
    losses.iter().cloned().chain(telling).collect()
}

#[test]
fn a_users_loss_is_called_only_by_the_training() {
    let (x, classes) = blobs(2, (96, 6), 4, 2.0);
    for loss in losses() {
        let y = targets(loss.target, loss.widths.1, &classes);
        let train = |diagnose| {
            let own = Strict { calls: Arc::default(), ..loss.clone() };
            let calls = own.calls.clone();
            let mut model = compiled(mlp(1, &[8, loss.widths.0], RELU, Linear), Adam::new(0.01), own);
            let settings = fit(4).validation_split(0.25).diagnose(diagnose);
            let history = model.fit(&x, &y, &settings).expect("a training");
            let losses = history.get("loss").expect("the losses").to_vec();
            (calls.load(Ordering::SeqCst), losses, model.predict(&x).expect("outputs"))
        };
        assert_eq!(train(Diagnose::Off), train(Diagnose::Report), "{loss:?}");
    }
}

#[test]
fn a_users_loss_is_not_judged_by_its_name() {
    let (x, classes) = blobs(3, (240, 6), 4, 2.0);
    for loss in losses() {
        let y = targets(loss.target, loss.widths.1, &classes);
        for seed in 1..=2 {
            let mut model =
                compiled(mlp(seed, &[16, loss.widths.0], RELU, Linear), Adam::new(0.01), loss.clone());
            let before = model.check(&x, &y).expect("a check");
            assert_eq!(alarms(&before), [""; 0], "{loss:?}: {before}");
            let history = model.fit(&x, &y, &fit(30)).expect("a training");
            let findings = history.findings();
            assert_eq!(alarms(findings), [""; 0], "{loss:?}: {findings}");
        }
    }
}

#[test]
fn a_users_loss_that_states_its_outputs_is_judged_by_them() {
    let (x, classes) = blobs(3, (64, 6), 2, 2.0);
    let y = targets(Target::Probabilities, 1, &classes);
    let found = |loss: Box<dyn Loss<f32>>, last| {
        let model = compiled(mlp(1, &[8, 1], RELU, last), Adam::new(0.01), loss);
        model.check(&x, &y).expect("a check").of("N0102").is_some()
    };
    let own = Strict::new("hinge", Target::Probabilities, (1, 1));
    let probabilities = Strict { family: LossFamily::CrossEntropy, ..own.clone() };
    let logits = Strict { tells: true, ..own.clone() };
    assert!(!found(Box::new(own.clone()), Linear) && !found(Box::new(own), Sigmoid));
    assert!(found(Box::new(probabilities.clone()), Linear) && !found(Box::new(probabilities), Sigmoid));
    assert!(found(Box::new(logits.clone()), Sigmoid) && !found(Box::new(logits), Linear));
    // Logarithms of probabilities are no mistake in a user's loss, only in the crate's own.
    let nll = Strict { family: LossFamily::CrossEntropy, ..Strict::new("nll", CLASSES, (2, 1)) };
    let judged = |loss: Box<dyn Loss<f32>>| {
        let model = compiled(mlp(1, &[8, 2], RELU, Activation::LogSoftmax), Adam::new(0.01), loss);
        model.check(&x, &classes).expect("a check").of("N0102").is_some()
    };
    assert!(!judged(Box::new(nll)) && judged(Box::new(SparseCategoricalCrossentropy::new())));
    // A box does not hide the crate's own losses.
    assert!(found(Box::new(BinaryCrossentropy::new()), Linear));
    assert!(found(Box::new(cornu::loss::BinaryFocalCrossentropy::new()), Linear));
}

#[test]
fn the_outputs_of_a_users_loss_need_not_equal_the_targets() {
    let (x, classes) = blobs(4, (64, 6), 2, 2.0);
    let y = classes.mapv(|class| 2.0 * class as f32 - 1.0);
    let margin = loss_fn(
        "squared_error_of_margins",
        |y: &[f32], t: &[f32]| (1.0 - t[0] * (y[0] - 1.0)).max(0.0),
        |y: &[f32], t: &[f32], dy: &mut [f32]| dy[0] = if t[0] * (y[0] - 1.0) < 1.0 { -t[0] } else { 0.0 },
    );
    let model = |loss: Box<dyn Loss<f32>>| compiled(mlp(1, &[8, 1], RELU, RELU), Adam::new(0.01), loss);
    assert!(model(Box::new(margin)).check(&x, &y).expect("a check").of("N0104").is_none());
    assert!(model(Box::new(MeanSquaredError::new())).check(&x, &y).expect("a check").of("N0104").is_some());
}

#[test]
fn a_users_loss_above_0_converges_without_an_alarm_and_stops_if_it_never_moves() {
    let x = noise(5, 128, 2);
    let y = x.sum_axis(Axis(1)).insert_axis(Axis(1));
    let own = || Strict { floor: 0.5, ..Strict::new("my_loss", Target::Numbers, (1, 1)) };
    let mut model = compiled(mlp(1, &[1], RELU, Linear), Sgd::new(0.1), own());
    let history = model.fit(&x, &y, &fit(60)).expect("a training");
    assert!(history.last("loss") < Some(0.5001));
    assert_eq!(alarms(history.findings()), [""; 0], "{}", history.findings());

    let dead = Dense::new(4).activation(RELU).bias_initializer(Initializer::Constant(-50.0));
    let model = Sequential::new().seed(1).add(dead).add(Dense::new(1).use_bias(false));
    let history = compiled(model, Sgd::new(0.1), own()).fit(&x, &y, &fit(20)).expect("a training");
    assert!(history.findings().of("N0403").is_some(), "{}", history.findings());
}

/// A metric with any name, which is no accuracy.
#[derive(Debug, Clone)]
struct Named(&'static str, usize);

impl Metric<f32> for Named {
    fn name(&self) -> &str {
        self.0
    }
    fn update(&mut self, y_pred: Batch<f32>, _: Batch<f32>, _: Option<&[f32]>) {
        self.1 += y_pred.rows();
    }
    fn value(&self) -> f64 {
        self.1 as f64
    }
    fn reset(&mut self) {
        self.1 = 0;
    }
}

#[test]
fn a_metric_is_an_accuracy_by_its_type_and_not_by_its_name() {
    let (x, y) = smooth(1, 128, 0.1);
    let found = |metric: Box<dyn Metric<f32>>| {
        let mut model = mlp(1, &[8, 1], Tanh, Linear);
        model.compile(Adam::new(0.01), MeanSquaredError::new(), [metric]).expect("a model");
        let history = model.fit(&x, &y, &fit(3)).expect("a training");
        history.findings().of("N0108").is_some()
    };
    for name in ["accuracy", "word_accuracy", "binary_accuracy", "categorical_accuracy"] {
        assert!(!found(Box::new(Named(name, 0))), "{name}");
    }
    assert!(found(Box::new(Accuracy::new())));
    assert!(found(Box::new(Accuracy::new().name("hits"))));
}

/// An adapted layer that halves the width of its input, and accepts no other.
#[derive(Debug, Clone)]
struct Halves;

impl Layer<f32> for Halves {
    fn kind(&self) -> &str {
        "Normalization"
    }
    fn traits(&self) -> LayerTraits {
        LayerTraits { is_adapted: true, is_normalization: true, ..LayerTraits::default() }
    }
    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        Ok(vec![input[0] / 2])
    }
    fn infer(&self, x: Batch<f32>, mut y: BatchMut<f32>, _: &mut Scratch<f32>) {
        assert_eq!((x.width(), y.width(), x.rows()), (6, 3, y.rows()), "a strange shape");
        for (x, y) in x.iter().zip(y.iter_mut()) {
            y.copy_from_slice(&x[..3]);
        }
    }
    fn forward(&mut self, x: Batch<f32>, y: BatchMut<f32>, _: &mut cornu::layer::Step<f32>) {
        self.infer(x, y, &mut Scratch::default());
    }
    fn backward(&mut self, _: BackwardContext<f32>) {}
}

#[test]
fn a_users_layer_is_not_called_on_samples() {
    let (x, y) = blobs(1, (64, 6), 2, 2.0);
    let model = Sequential::new().seed(1).add(Halves).add(Dense::new(1).activation(Sigmoid));
    let mut model = compiled(model, Adam::new(0.01), BinaryCrossentropy::new());
    model.check(&x, &y).expect("a check");
    model.fit(&x, &y, &fit(2).validation_split(0.25)).expect("a training");
}

/// A factor for each feature, under the name of a kernel.
#[derive(Debug, Clone, Default)]
struct Factors {
    kernel: Option<Param<f32>>,
}

impl Layer<f32> for Factors {
    fn kind(&self) -> &str {
        "Dense"
    }
    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        self.kernel = Some(Param::new("kernel", input, &Initializer::Ones, context)?);
        Ok(input.to_vec())
    }
    fn infer(&self, x: Batch<f32>, mut y: BatchMut<f32>, _: &mut Scratch<f32>) {
        let Some(kernel) = &self.kernel else { return };
        for (y, x) in y.iter_mut().zip(x.iter()) {
            y.iter_mut().zip(x).zip(kernel.value()).for_each(|((y, &x), &g)| *y = g * x);
        }
    }
    fn backward(&mut self, mut context: BackwardContext<f32>) {
        let Some(kernel) = &mut self.kernel else { return };
        let (g, dg) = kernel.split();
        dg.fill(0.0);
        for (row, dy) in context.dy.as_batch().iter().enumerate() {
            dg.iter_mut().zip(dy).zip(context.x.row(row)).for_each(|((dg, &dy), &x)| *dg += dy * x);
            if let Some(dx) = &mut context.dx {
                dx.row_mut(row).iter_mut().zip(dy).zip(g).for_each(|((dx, &dy), &g)| *dx = g * dy);
            }
        }
    }
    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, f32>)) {
        self.kernel.iter().map(Part::Param).for_each(f);
    }
    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, f32>)) {
        self.kernel.iter_mut().map(PartMut::Param).for_each(f);
    }
}

#[test]
fn a_users_vector_called_kernel_is_no_matrix_of_equal_units() {
    let (x, y) = blobs(1, (200, 6), 2, 2.0);
    let model = Sequential::new().seed(1).add(Factors::default()).add(Dense::new(1).activation(Sigmoid));
    let mut model = compiled(model, Adam::new(0.01), BinaryCrossentropy::new());
    let history = model.fit(&x, &y, &fit(30)).expect("a training");
    assert_eq!(alarms(history.findings()), [""; 0], "{}", history.findings());
}
