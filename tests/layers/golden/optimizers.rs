//! Every optimizer with every option, schedules, regularizers and constraints: the loss of 20 steps, and the weights.

use std::collections::BTreeSet;

use cornu::layer::LayerExt;
use cornu::ndarray::{ArrayD, Axis, Slice};
use cornu::optimizer::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, CosineDecay, CosineDecayRestarts, ExponentialDecay,
    Ftrl, InverseTimeDecay, Lamb, LearningRate, Lion, Muon, Nadam, Optimizer, OptimizerExt,
    PiecewiseConstantDecay, PolynomialDecay, RmsProp, Schedule, Sgd, Tuned, WeightAverage,
};
use cornu::prelude::{
    Activation, Constraint, Conv1D, Dense, Embedding, Fit, Flatten, Layer, MeanSquaredError, Regularizer,
    Rescaling, Reshape, Scalar, Sequential,
};
use serde_json::Value;

use super::draw::draw;
use super::{check, covers, golden_of, numbers, tolerance};
use crate::roster;

/// The stored cases, the data, how many cases were compared, and the optimizers that were.
struct Cases<F> {
    stored: Value,
    x: ArrayD<F>,
    y: ArrayD<F>,
    compared: usize,
    kinds: BTreeSet<String>,
}

impl<F: Scalar> Cases<F> {
    fn new(name: &str) -> Self {
        let (x, y) = (draw::<F>(&[40, 6], 2, 1.0), draw::<F>(&[40, 2], 6, 1.0));
        Cases { stored: golden_of::<F>(name), x, y, compared: 0, kinds: BTreeSet::new() }
    }

    #[track_caller]
    fn check(&mut self, name: &str, optimizer: impl Optimizer<F> + 'static) {
        self.check_layer(name, optimizer, Dense::new(4));
    }

    #[track_caller]
    fn check_layer(&mut self, name: &str, optimizer: impl Optimizer<F> + 'static, first: Dense<F>) {
        self.check_node(name, optimizer, first.activation(Activation::Tanh));
    }

    #[track_caller]
    fn check_node(
        &mut self,
        name: &str,
        optimizer: impl Optimizer<F> + 'static,
        first: impl Layer<F> + 'static,
    ) {
        self.check_network(name, optimizer, Sequential::<F>::with_scalar().input([6]).add(first));
    }

    /// Checks a rule on hidden layers of which the last returns a vector.
    #[track_caller]
    fn check_network(&mut self, name: &str, optimizer: impl Optimizer<F> + 'static, hidden: Sequential<F>) {
        let stored = &self.stored[name];
        assert!(stored.is_object(), "no case {name}");
        self.compared += 1;
        self.kinds.extend(optimizer.config().map(|config| config.kind));
        let mut model = hidden.add(Dense::new(2).name("out"));
        model.build().expect("a model");
        let shapes: Vec<(String, Vec<usize>)> = model
            .weights()
            .expect("weights")
            .into_iter()
            .map(|(path, w)| (path, w.shape().to_vec()))
            .collect();
        for (i, (path, shape)) in shapes.into_iter().enumerate() {
            model.set_weight(&path, &draw::<F>(&shape, 300 + i as u64, 0.5)).expect("a weight");
        }
        model.compile(optimizer, MeanSquaredError::new(), ()).expect("a model");
        for (step, expected) in numbers(&stored["losses"]).into_iter().enumerate() {
            let start = step % 3 * 16;
            let rows = Slice::from(start..(start + 16).min(40));
            let (x, y) = (self.x.slice_axis(Axis(0), rows), self.y.slice_axis(Axis(0), rows));
            let logs = model.train_on_batch(&x, &y, &Fit::new()).expect("a step");
            let found = logs.get("loss").expect("a loss");
            check(&format!("{name}, step {step}"), &[found], &[expected], tolerance::<F>());
        }
        let weights = model.weights().expect("weights");
        for ((path, weight), stored) in
            weights.into_iter().zip(stored["weights"].as_array().expect("weights"))
        {
            let found: Vec<f64> = weight.iter().map(|w| w.as_f64()).collect();
            check(&format!("{name}, {path}"), &found, &numbers(stored), 2.0 * tolerance::<F>());
        }
    }

    /// Checks a rule with every pair of options, but two clips; AdamW has a weight decay of its own.
    #[track_caller]
    fn check_pairs<O: Optimizer<F> + 'static>(
        &mut self,
        name: &str,
        rate: f64,
        rule: impl Fn(LearningRate) -> O,
    ) {
        let options = [&OPTIONS[..], &["schedule"]].concat();
        for (i, first) in options.iter().enumerate() {
            for second in &options[i + 1..] {
                if first.contains("clip") && second.contains("clip")
                    || (name, *first) == ("adam_w", "weight_decay")
                {
                    continue;
                }
                let schedule = ExponentialDecay::new(rate, 7, 0.5);
                let rate = if *second == "schedule" { schedule.into() } else { rate.into() };
                let tuned = with(second, with(first, rule(rate).tuned()));
                self.check(&format!("{name}, {first}, {second}"), tuned);
            }
        }
    }

    /// Checks a rule alone, and with every option.
    #[track_caller]
    fn check_options<O: Optimizer<F> + 'static>(&mut self, name: &str, rule: impl Fn() -> O) {
        self.check(name, rule());
        for option in OPTIONS.iter().filter(|option| (name, **option) != ("adam_w", "weight_decay")) {
            self.check(&format!("{name}, {option}"), with(option, rule().tuned()));
        }
    }
}

const OPTIONS: [&str; 6] =
    ["weight_decay", "clip_norm", "clip_value", "global_clip_norm", "average", "accumulation"];

/// The rule with an option.
fn with<F: Scalar>(option: &str, rule: Tuned<F>) -> Tuned<F> {
    match option {
        "weight_decay" => rule.weight_decay(0.05),
        "clip_norm" => rule.clip_norm(0.05),
        "clip_value" => rule.clip_value(0.02),
        "global_clip_norm" => rule.global_clip_norm(0.1),
        "average" => rule.average_weights(WeightAverage::new(0.9).overwrite_every(3)),
        "accumulation" => rule.accumulate_gradients(3),
        _ => rule,
    }
}

fn rules<F: Scalar>(c: &mut Cases<F>) {
    c.check_options("sgd", || Sgd::new(0.1));
    c.check_options("momentum", || Sgd::new(0.1).momentum(0.9));
    c.check("nesterov", Sgd::new(0.1).momentum(0.9).nesterov(true));
    c.check("rms_prop", RmsProp::new(0.01));
    c.check("rms_prop_momentum", RmsProp::new(0.01).rho(0.8).momentum(0.5));
    c.check("rms_prop_centered", RmsProp::new(0.01).centered(true));
    c.check_options("rms_prop_both", || RmsProp::new(0.01).centered(true).momentum(0.5).epsilon(1e-5));
    c.check_options("adam", || Adam::new(0.01));
    c.check_options("amsgrad", || Adam::new(0.01).amsgrad(true).beta_2(0.9));
    c.check_options("adam_w", || AdamW::new(0.01));
    c.check("adam_w_decay", AdamW::new(0.01).beta_1(0.8).weight_decay(0.1));
    c.check_options("adamax", || Adamax::new(0.01));
    c.check("adamax_betas", Adamax::new(0.01).beta_1(0.8).beta_2(0.95));
    c.check_options("nadam", || Nadam::new(0.01));
    c.check("nadam_betas", Nadam::new(0.01).beta_1(0.8).beta_2(0.95));
    c.check_options("adagrad", || Adagrad::new(0.1));
    c.check("adagrad_start", Adagrad::new(0.1).initial_accumulator_value(0.5));
    c.check_options("adadelta", || Adadelta::new(1.0));
    c.check("adadelta_rho", Adadelta::new(1.0).rho(0.8).epsilon(1e-4));
    c.check_options("ftrl", || Ftrl::new(0.1));
    let settings = Ftrl::new(0.1).learning_rate_power(-0.6).initial_accumulator_value(0.2);
    c.check("ftrl_settings", settings.l1(0.01).l2(0.02).l2_shrinkage(0.03).beta(0.1));
    c.check_options("lion", || Lion::new(0.001));
    c.check("lion_betas", Lion::new(0.001).beta_1(0.8).beta_2(0.9));
    c.check_options("adafactor", || Adafactor::new(0.1));
    let settings = Adafactor::new(0.5).beta_2_decay(-0.6).epsilon_1(1e-3).epsilon_2(0.3);
    c.check("adafactor_settings", settings.clip_threshold(0.7).relative_step(false));
    c.check_options("lamb", || Lamb::new(0.01));
    c.check("lamb_betas", Lamb::new(0.01).beta_1(0.8).beta_2(0.95).epsilon(1e-3));
    c.check_options("muon", || Muon::new(0.01));
    let adam = Muon::new(0.01).adam_beta_1(0.8).adam_beta_2(0.95).adam_weight_decay(Some(0.2)).epsilon(1e-5);
    let settings = adam.exclude_layers(["out"]).muon_a(3.0).muon_b(-4.0).muon_c(1.5).adam_lr_ratio(0.5);
    let settings = settings.momentum(0.8).ns_steps(3).nesterov(false).rms_rate(None);
    c.check("muon_settings", settings.weight_decay(0.1));
    c.check("muon_without_decay", Muon::new(0.01).adam_weight_decay(None).weight_decay(0.0));
    on_other_shapes(c, "adafactor", || Adafactor::new(0.1));
    on_other_shapes(c, "lamb", || Lamb::new(0.01));
    on_other_shapes(c, "muon", || Muon::new(0.01).exclude_layers(["out"]));
    c.check("excluded", Sgd::new(0.1).weight_decay(0.1).exclude_from_weight_decay(["bias"]));
}

/// Checks a rule on a kernel of three axes, a matrix of one row, and an embedding.
fn on_other_shapes<F: Scalar, O: Optimizer<F> + 'static>(c: &mut Cases<F>, name: &str, rule: impl Fn() -> O) {
    let input = || Sequential::<F>::with_scalar().input([6]);
    let conv = Conv1D::new(4, 2).activation(Activation::Tanh);
    let conv = input().add(Reshape::new([3, 2])).add(conv).add(Flatten::new()).add(Dense::new(1));
    c.check_network(&format!("{name}, conv"), rule(), conv);
    let embedding = input().add(Rescaling::new(0.0)).add(Embedding::new(1, 3)).add(Flatten::new());
    c.check_network(&format!("{name}, embedding"), rule(), embedding);
}

/// Every rule with every pair of options, in f64.
#[test]
fn pairs_of_options_agree_with_keras() {
    let mut c = Cases::<f64>::new("pairs");
    c.check_pairs("sgd", 0.1, Sgd::new);
    c.check_pairs("momentum", 0.1, |rate| Sgd::new(rate).momentum(0.9));
    c.check_pairs("rms_prop_both", 0.01, |rate| {
        RmsProp::new(rate).centered(true).momentum(0.5).epsilon(1e-5)
    });
    c.check_pairs("adam", 0.01, Adam::new);
    c.check_pairs("amsgrad", 0.01, |rate| Adam::new(rate).amsgrad(true).beta_2(0.9));
    c.check_pairs("adam_w", 0.01, AdamW::new);
    c.check_pairs("adamax", 0.01, Adamax::new);
    c.check_pairs("nadam", 0.01, Nadam::new);
    c.check_pairs("adagrad", 0.1, Adagrad::new);
    c.check_pairs("adadelta", 1.0, Adadelta::new);
    c.check_pairs("ftrl", 0.1, Ftrl::new);
    c.check_pairs("lion", 0.001, Lion::new);
    c.check_pairs("adafactor", 0.1, Adafactor::new);
    c.check_pairs("lamb", 0.01, Lamb::new);
    c.check_pairs("muon", 0.01, Muon::new);
    assert_eq!(c.compared, c.stored.as_object().map_or(0, |all| all.len()));
}

fn schedules<F: Scalar>(c: &mut Cases<F>) {
    fn check_schedule<F: Scalar>(c: &mut Cases<F>, name: &str, schedule: impl Schedule + Clone + 'static) {
        let steps = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 14, 21, 30];
        let found = steps.map(|step| schedule.at(step));
        check(name, &found, &numbers(&c.stored["schedules"][name]), tolerance::<F>());
        c.check(&format!("sgd, {name}"), Sgd::new(schedule));
    }
    let exponential = || ExponentialDecay::new(0.1, 7, 0.5);
    check_schedule(c, "exponential", exponential());
    check_schedule(c, "exponential_stairs", exponential().staircase(true));
    check_schedule(c, "inverse", InverseTimeDecay::new(0.1, 7, 0.5));
    check_schedule(c, "inverse_stairs", InverseTimeDecay::new(0.1, 7, 0.5).staircase(true));
    check_schedule(c, "piecewise", PiecewiseConstantDecay::new([3, 9], [0.1, 0.05, 0.01]));
    check_schedule(c, "polynomial", PolynomialDecay::new(0.1, 7).end(0.01).power(2.0));
    check_schedule(c, "polynomial_cycle", PolynomialDecay::new(0.1, 7).end(0.01).power(0.5).cycle(true));
    check_schedule(c, "cosine", CosineDecay::new(0.1, 7).alpha(0.1));
    check_schedule(c, "cosine_warm", CosineDecay::new(0.01, 7).warm_up(0.1, 4));
    check_schedule(c, "restarts", CosineDecayRestarts::new(0.1, 4));
    let settings = CosineDecayRestarts::new(0.1, 4).t_mul(1.5).m_mul(0.8).alpha(0.05);
    check_schedule(c, "restarts_settings", settings);
    c.check("sgd, accumulation, exponential", Sgd::new(exponential()).accumulate_gradients(2));
}

fn bounds<F: Scalar>(c: &mut Cases<F>) {
    let dense = || Dense::new(4);
    let l1 = dense().kernel_regularizer(Regularizer::L1(0.01)).bias_regularizer(Regularizer::L1(0.02));
    c.check_layer("l1", Sgd::new(0.1), l1);
    let l2 = dense().kernel_regularizer(Regularizer::L2(0.05)).bias_regularizer(Regularizer::L2(0.1));
    c.check_layer("l2", Sgd::new(0.1), l2);
    let both = Regularizer::L1L2 { l1: 0.01, l2: 0.02 };
    c.check_layer("l1_l2", Sgd::new(0.1), dense().kernel_regularizer(both));
    let tanh = || dense().activation(Activation::Tanh);
    c.check_node("activity", Sgd::new(0.1), tanh().activity_regularizer(both));
    let max = Constraint::MaxNorm { max: 0.5, axis: vec![0] };
    c.check_layer("max_norm", Sgd::new(0.1), dense().kernel_constraint(max));
    c.check_layer(
        "unit_norm",
        Sgd::new(0.1),
        dense().kernel_constraint(Constraint::UnitNorm { axis: vec![0] }),
    );
    let positive = || dense().kernel_constraint(Constraint::NonNegative);
    c.check_layer("non_negative", Sgd::new(0.1), positive().bias_constraint(Constraint::NonNegative));
    let between = Constraint::MinMaxNorm { min: 0.3, max: 0.6, rate: 0.5, axis: vec![0] };
    c.check_layer("min_max_norm", Sgd::new(0.1), dense().kernel_constraint(between));
    let average = WeightAverage::new(0.5).overwrite_every(2);
    c.check_layer("average_and_constraint", Sgd::new(0.1).average_weights(average), positive());
    let frozen = tanh().kernel_regularizer(Regularizer::L2(0.1)).trainable(false);
    c.check_node("frozen", Adam::new(0.01), frozen);
}

fn optimizers<F: Scalar>() {
    let mut cases = Cases::<F>::new("optimizers");
    rules(&mut cases);
    schedules(&mut cases);
    bounds(&mut cases);
    // All but the values of the schedules.
    assert_eq!(cases.compared + 1, cases.stored.as_object().map_or(0, |all| all.len()));
    let built_in = roster::optimizers::<F>().into_iter().filter_map(|rule| Some(rule.config()?.kind));
    covers(built_in, &cases.kinds, &[]);
}

#[test]
fn optimizers_agree_with_keras_in_f32() {
    optimizers::<f32>();
}

#[test]
fn optimizers_agree_with_keras_in_f64() {
    optimizers::<f64>();
}
