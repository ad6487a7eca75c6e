//! A loss that takes logits decides everywhere how outputs become classes and probabilities.

use cornu::ndarray::{Array1, Array2, array};
use cornu::prelude::*;

/// A network whose outputs are its inputs.
fn identity(
    width: usize,
    loss: impl cornu::loss::Loss<f64> + 'static,
    metrics: Vec<Box<dyn cornu::metric::Metric<f64>>>,
) -> Sequential<f64> {
    let mut model = Sequential::<f64>::with_scalar().input([width]).add(Activation::Linear);
    model.compile(Sgd::new(0.1), loss, metrics).unwrap();
    model
}

fn metrics() -> Vec<Box<dyn cornu::metric::Metric<f64>>> {
    vec![
        Box::new(Accuracy::new()),
        Box::new(Precision::new()),
        Box::new(Recall::new()),
        Box::new(F1Score::new()),
        Box::new(FBetaScore::new(2.0).name("fbeta")),
        Box::new(Auc::new()),
        Box::new(Weighted::new(Recall::new().name("weighted_recall"))),
    ]
}

#[test]
fn single_logits_are_cut_at_0() {
    let x = array![[0.3], [0.2], [-0.3], [-2.0]];
    let y = array![1.0, 1.0, 0.0, 0.0];
    let losses: [Box<dyn cornu::loss::Loss<f64>>; 2] = [
        Box::new(BinaryCrossentropy::new().from_logits(true)),
        Box::new(BinaryFocalCrossentropy::new().from_logits(true)),
    ];
    for loss in losses {
        let model = identity(1, loss, metrics());
        assert_eq!(model.predict_classes(&x).unwrap(), array![1, 1, 0, 0]);
        assert_eq!(model.confusion_matrix(&x, &y).unwrap().counts(), array![[2.0, 0.0], [0.0, 2.0]]);
        let scores = model.evaluate(&x, &y, &Evaluate::new()).unwrap();
        for name in ["accuracy", "precision", "recall", "weighted_recall", "auc"] {
            assert_eq!(
                scores.get(name).map(|score| (score * 1e6).round() / 1e6),
                Some(1.0),
                "{name}: {scores:?}"
            );
        }
        assert!(
            scores.get("f1_score") > Some(0.999999) && scores.get("fbeta") > Some(0.999999),
            "{scores:?}"
        );
        let p = model.predict_proba(&x).unwrap();
        p.iter().zip(&x).for_each(|(p, x)| assert!((p - 1.0 / (1.0 + f64::exp(-x))).abs() < 1e-15));
    }
}

#[test]
fn an_explicit_threshold_reads_the_outputs_as_they_are() {
    let x = array![[0.3], [0.2], [-0.3], [-2.0]];
    let y = array![1.0, 1.0, 0.0, 0.0];
    let loss = || BinaryCrossentropy::new().from_logits(true);
    for (threshold, recall) in [(0.25, 0.5), (0.0, 1.0), (0.5, 0.0), (-5.0, 1.0)] {
        let metrics: Vec<Box<dyn cornu::metric::Metric<f64>>> =
            vec![Box::new(Recall::new().threshold(threshold)), Box::new(F1Score::new().threshold(threshold))];
        let scores = identity(1, loss(), metrics).evaluate(&x, &y, &Evaluate::new()).unwrap();
        assert_eq!(scores.get("recall"), Some(recall), "{threshold}");
    }
    let metrics: Vec<Box<dyn cornu::metric::Metric<f64>>> = vec![Box::new(Recall::new().threshold(f64::NAN))];
    let error = identity(1, loss(), metrics).evaluate(&x, &y, &Evaluate::new()).unwrap_err();
    assert!(matches!(error, Error::Argument { argument: "threshold", .. }), "{error}");
    let metrics: Vec<Box<dyn cornu::metric::Metric<f64>>> = vec![Box::new(Recall::new().threshold(-5.0))];
    let error =
        identity(1, BinaryCrossentropy::new(), metrics).evaluate(&x, &y, &Evaluate::new()).unwrap_err();
    assert!(matches!(error, Error::Argument { argument: "threshold", .. }), "{error}");
}

#[test]
fn probabilities_are_cut_at_one_half() {
    let x = array![[0.6], [0.55], [0.3], [0.01]];
    let y = array![1.0, 1.0, 0.0, 0.0];
    let model =
        identity(1, BinaryCrossentropy::new(), vec![Box::new(Accuracy::new()), Box::new(Recall::new())]);
    assert_eq!(model.predict_classes(&x).unwrap(), array![1, 1, 0, 0]);
    let scores = model.evaluate(&x, &y, &Evaluate::new()).unwrap();
    assert_eq!((scores.get("accuracy"), scores.get("recall")), (Some(1.0), Some(1.0)));
    let metrics: Vec<Box<dyn cornu::metric::Metric<f64>>> = vec![Box::new(F1Score::new())];
    let error =
        identity(1, BinaryCrossentropy::new(), metrics).evaluate(&x, &y, &Evaluate::new()).unwrap_err();
    assert!(matches!(error, Error::Argument { argument: "threshold", .. }), "{error}");
    assert_eq!(model.predict_proba(&x).unwrap(), x.into_dyn());
}

#[test]
fn logits_of_classes_count_by_their_softmax() {
    // The softmax of row 0 is (0.67, 0.24, 0.09), that of row 1 is (0.4, 0.3, 0.3): nothing there exceeds ½.
    let x: Array2<f64> = array![[2.0f64, 1.0, 0.0], [0.4f64.ln(), 0.3f64.ln(), 0.3f64.ln()]] + 7.0;
    let one_hot = array![[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]];
    let sparse = Array1::<f64>::zeros(2);
    let decided = |model: Sequential<f64>, y: &dyn Fn(&Sequential<f64>) -> cornu::callback::Logs| {
        let scores = y(&model);
        assert_eq!(scores.get("accuracy"), Some(1.0));
        assert_eq!((scores.get("precision"), scores.get("recall")), (Some(1.0), Some(0.5)), "{scores:?}");
        let p = model.predict_proba(&x).unwrap();
        assert!((p[[1, 0]] - 0.4).abs() < 1e-15 && (p.sum() - 2.0).abs() < 1e-15, "{p}");
    };
    decided(identity(3, CategoricalCrossentropy::new().from_logits(true), metrics()), &|model| {
        model.evaluate(&x, &one_hot, &Evaluate::new()).unwrap()
    });
    decided(identity(3, SparseCategoricalCrossentropy::new().from_logits(true), metrics()), &|model| {
        model.evaluate(&x, &sparse, &Evaluate::new()).unwrap()
    });
}

#[test]
fn probabilities_need_a_loss_of_classification() {
    let x = array![[1.0]];
    let model = identity(1, MeanSquaredError::new(), Vec::new());
    let error = model.predict_proba(&x).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`loss`: expected a classification loss, such as BinaryCrossentropy, found mean_squared_error"
    );
    let mut model = Sequential::<f64>::with_scalar().input([1]).add(Activation::Linear);
    model.build().unwrap();
    assert!(matches!(model.predict_proba(&x), Err(Error::NotCompiled)));
}

#[test]
fn layers_losses_optimizers_and_schedules_can_be_chosen_at_run_time() {
    use cornu::layer::Layer;
    use cornu::optimizer::{ExponentialDecay, LearningRate, Optimizer, Schedule};
    let train = |boxed: bool| {
        let (x, y) = (array![[0.0], [1.0], [2.0]], array![1.0, 3.0, 5.0]);
        let mut model = Sequential::<f64>::with_scalar().seed(1);
        let schedule = ExponentialDecay::new(0.1, 2, 0.9);
        if boxed {
            let layers: Vec<Box<dyn Layer<f64>>> =
                vec![Box::new(Dense::new(4).activation(Activation::Tanh)), Box::new(Dense::new(1))];
            model = layers.into_iter().fold(model, Sequential::add);
            let schedule: Box<dyn Schedule> = Box::new(schedule);
            let rule: Box<dyn Optimizer<f64>> =
                Box::new(Adam::new(LearningRate::from(schedule)).weight_decay(0.01));
            let loss: Box<dyn cornu::loss::Loss<f64>> = Box::new(Huber::new().delta(0.5));
            model.compile(rule.clip_norm(1.0), loss, ()).unwrap();
        } else {
            model = model.add(Dense::new(4).activation(Activation::Tanh)).add(Dense::new(1));
            model
                .compile(Adam::new(schedule).weight_decay(0.01).clip_norm(1.0), Huber::new().delta(0.5), ())
                .unwrap();
        }
        model.fit(&x, &y, &Fit::new().epochs(5).verbose(Verbose::Silent)).unwrap();
        (format!("{:?}", model.config().unwrap()), model.predict(&x).unwrap())
    };
    assert_eq!(train(true), train(false));
}

#[test]
fn a_boxed_loss_answers_as_the_loss_in_the_box() {
    use cornu::loss::{Loss, Summed};
    fn answers(loss: &impl Loss<f64>) -> String {
        let facts = (loss.name(), loss.config(), loss.takes_logits(), loss.link(), loss.smoothing());
        format!("{facts:?} {:?} {:?} {} {:?}", loss.target(), loss.family(), loss.is_sum(), loss.check(&[1]))
    }
    fn check(loss: impl Loss<f64> + Clone + 'static) {
        let boxed: Box<dyn Loss<f64>> = Box::new(loss.clone());
        assert_eq!(answers(&boxed), answers(&loss));
    }
    check(BinaryCrossentropy::new().from_logits(true).label_smoothing(0.1));
    check(SparseCategoricalCrossentropy::new().ignore_class(1)); // refuses an output of one number
    check(Summed::new(Huber::new()));
    // The loss in the box is checked and summed.
    let boxed: Box<dyn Loss<f64>> = Box::new(BinaryCrossentropy::new().label_smoothing(2.0));
    let mut model = Sequential::<f64>::with_scalar().input([1]).add(Dense::new(1));
    let error = model.compile(Sgd::new(0.1), boxed, ()).unwrap_err();
    assert!(matches!(error, Error::Argument { argument: "label_smoothing", .. }), "{error}");
    let boxed: Box<dyn Loss<f64>> = Box::new(Summed::new(MeanSquaredError::new()));
    let summed = identity(1, boxed, Vec::new());
    let scores = summed.evaluate(&array![[1.0], [2.0]], &array![0.0, 0.0], &Evaluate::new()).unwrap();
    assert_eq!(scores.get("loss"), Some(5.0));
}
