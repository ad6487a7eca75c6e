//! Searches return the same bits on any number of threads and record every trial, and the range test is a real
//! training.

use cornu::callback::CallbackContext;
use cornu::prelude::*;
use cornu::selection::{HyperParameters, LearningRateFinder, ParameterValue, Search, SearchResults};
use ndarray::{Array1, Array2, Axis};

/// Points in a square, and whether they lie in a circle.
fn circle(count: usize) -> (Array2<f32>, Array1<f32>) {
    let mut rng = Rng::new(11);
    let x = Array2::from_shape_simple_fn((count, 2), || 2.0 * rng.uniform() as f32 - 1.0);
    let y = x.map_axis(Axis(1), |p| f32::from(p[0] * p[0] + p[1] * p[1] < 0.6));
    (x, y)
}

type Built<'a> = Result<(Sequential, Fit<'a>)>;

fn network<'a>(hp: &mut HyperParameters) -> Built<'a> {
    let mut model = Sequential::new()
        .add(Dense::new(hp.log_integer("units", 2..=24)?).activation(Activation::Tanh))
        .add(Dropout::new(0.1))
        .add(Dense::new(1).activation(Activation::Sigmoid));
    let adam = Adam::new(hp.log_uniform("learning_rate", 1e-4..=0.1)?);
    model.compile(adam, BinaryCrossentropy::new(), [Accuracy::new()])?;
    let batch_size = hp.choice("batch_size", [16, 32])?;
    Ok((model, Fit::new().epochs(9).batch_size(batch_size).validation_split(0.25)))
}

fn weights(model: &Sequential) -> Vec<f32> {
    model
        .weights()
        .unwrap()
        .into_iter()
        .flat_map(|(_, values)| values.iter().copied().collect::<Vec<_>>())
        .collect()
}

#[cfg(feature = "rayon")]
#[test]
fn the_bits_are_the_same_on_any_number_of_threads() {
    let (x, y) = circle(120);
    let search = |search: Search, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let results = pool.install(|| search.run(&x, &y, network)).unwrap();
        (results.to_csv(), weights(results.best_model().unwrap()))
    };
    for kind in [Search::random(9).seed(3).halving(3), Search::random(5).seed(3)] {
        let alone = search(kind.clone(), 1);
        assert_eq!(search(kind.clone(), 2), alone);
        assert_eq!(search(kind.clone(), 5), alone);
        assert_eq!(search(kind.clone().trials_at_once(1), 3), alone);
        assert_ne!(search(kind.seed(4), 1).0, alone.0);
    }
}

#[test]
fn survivors_of_halving_equal_uninterrupted_trainings() {
    let (x, y) = circle(120);
    let halved = Search::random(9).seed(3).halving(3).run(&x, &y, network).unwrap();
    let whole = Search::random(9).seed(3).run(&x, &y, network).unwrap();
    let mut epochs: Vec<usize> = halved.trials().iter().map(|trial| trial.epochs()).collect();
    epochs.sort_unstable();
    assert_eq!(epochs, [1, 1, 1, 1, 1, 1, 3, 3, 9]);
    let last = halved.trials().iter().find(|trial| trial.epochs() == 9).unwrap();
    let same = &whole.trials()[last.number()];
    assert_eq!((last.score(), last.best_epoch()), (same.score(), same.best_epoch()));
    assert_eq!(halved.best().unwrap().number(), last.number());
}

#[test]
fn the_best_model_has_the_best_score_and_is_reproducible() {
    let (x, y) = circle(160);
    let results = Search::random(6).seed(1).objective("val_accuracy").run(&x, &y, network).unwrap();
    let best = results.best().unwrap();
    let most = results.trials().iter().filter_map(|trial| trial.score()).fold(0.0, f64::max);
    assert_eq!(best.score(), Some(most));
    let (held_x, held_y) = (x.slice_axis(Axis(0), (120..).into()), y.slice_axis(Axis(0), (120..).into()));
    let model = results.best_model().unwrap();
    let scores = model.evaluate(&held_x, &held_y, &Evaluate::new()).unwrap();
    assert_eq!(scores.get("accuracy"), best.score());
    assert_eq!(best.logs().unwrap().get("val_loss"), scores.get("loss"));
    // Trained again for the same number of epochs, it has the same bits.
    let (mut again, fit) = best.build(network).unwrap();
    again.fit(&x, &y, &fit.epochs(best.best_epoch().unwrap() + 1).verbose(Verbose::Silent)).unwrap();
    assert_eq!(weights(&again), weights(model));
    // Hyper-parameters that the trial does not have are refused.
    let other = best.build::<f32>(|hp: &mut HyperParameters| {
        hp.boolean("new")?;
        network(hp)
    });
    assert!(matches!(other, Err(Error::Unknown { what: "hyperparameter", .. })), "{other:?}");
}

#[test]
fn a_grid_covers_all_combinations_and_conditions() {
    let (x, y) = circle(40);
    let build = |hp: &mut HyperParameters| {
        let mut model = Sequential::new();
        if hp.boolean("hidden")? {
            model = model.add(
                Dense::new(hp.integer("units", 1..=9)?)
                    .activation(hp.choice("activation", ["relu", "tanh"])?.parse::<Activation>()?),
            );
        }
        let mut model = model.add(Dense::new(1).activation(Activation::Sigmoid));
        model.compile(
            Sgd::new(hp.log_uniform("learning_rate", 0.01..=1.0)?),
            BinaryCrossentropy::new(),
            (),
        )?;
        Ok((model, Fit::new().epochs(1)))
    };
    let results = Search::grid().points(3).objective("loss").run(&x, &y, build).unwrap();
    let row = |i: usize| {
        let drawn = results.trials()[i].settings().map(|(_, drawn)| drawn.to_string());
        drawn.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(results.trials().len(), 3 + 3 * 2 * 3);
    assert_eq!(row(0), "false 0.01000");
    assert_eq!(row(2), "false 1.000");
    assert_eq!(row(3), "true 1 relu 0.01000");
    assert_eq!(row(6), "true 1 tanh 0.01000");
    assert_eq!(row(20), "true 9 tanh 1.000");
    let csv = results.to_csv();
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("trial,loss,epoch,epochs,hidden,learning_rate,units,activation,stopped,findings,error")
    );
    assert!(lines.next().unwrap().starts_with("0,"));
    assert_eq!(csv.lines().count(), 22);
}

#[test]
fn equal_settings_are_tried_once() {
    let (x, y) = circle(40);
    let build = |hp: &mut HyperParameters| {
        let mut model = Sequential::new().add(Dense::new(hp.integer("units", 1..=3)?)).add(Dense::new(1));
        model.compile(Sgd::new(0.01), MeanSquaredError::new(), ())?;
        Ok((model, Fit::new()))
    };
    let results = Search::random(50).objective("loss").run(&x, &y, build).unwrap();
    let mut units: Vec<String> =
        results.trials().iter().map(|t| t.get("units").unwrap().to_string()).collect();
    units.sort();
    assert_eq!(units, ["1", "2", "3"]);
    assert!(matches!(results.trials()[0].get("units"), Some(ParameterValue::Integer(1..=3))));
}

#[test]
fn failed_and_diverged_trials_are_recorded() {
    let (x, y) = circle(60);
    let build = |hp: &mut HyperParameters| {
        let kind = hp.choice("kind", ["sound", "no units", "bursts", "stops", "another shape"])?;
        let units = if kind == "no units" { 0 } else { 4 };
        let mut model = Sequential::new()
            .seed(1)
            .input([if kind == "another shape" { 3 } else { 2 }])
            .add(Dense::new(units))
            .add(Dense::new(1));
        model.compile(
            Sgd::new(match kind {
                "bursts" => 1e30,
                "stops" => 1e-9,
                _ => 0.01,
            }),
            MeanSquaredError::new(),
            (),
        )?;
        let mut fit = Fit::new().epochs(4).validation_split(0.2);
        if kind == "stops" {
            fit = fit.callback(
                LambdaCallback::new()
                    .on_epoch_end(|_: &mut CallbackContext<f32>| Ok(Flow::Stop("enough".into()))),
            );
        }
        Ok((model, fit))
    };
    let results = Search::grid().halving(2).run(&x, &y, build).unwrap();
    let error = |i: usize| results.trials()[i].error();
    assert!(error(0).is_none() && error(3).is_none(), "{results}");
    assert!(matches!(error(1), Some(Error::Layer { .. })), "{results}");
    assert!(matches!(error(2), Some(Error::Diverged { .. })), "{results}");
    assert!(matches!(error(4), Some(Error::SampleShape { .. })), "{results}");
    assert!(results.trials()[3].stopped().is_some_and(|why| why == "enough"), "{results}");
    assert_eq!(results.trials()[0].epochs(), 4);
    let shown = results.to_string();
    assert!(shown.lines().next().unwrap().contains("val_loss"), "{shown}");
    assert!(shown.contains("expected at least 1, found 0"), "{shown}");
    let csv = results.to_csv();
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[0], "trial,val_loss,epoch,epochs,kind,stopped,findings,error");
    // The message contains commas.
    assert!(
        rows[3].contains(",\"epoch 1, batch ") && rows[3].ends_with("its last finite weights\""),
        "{csv}"
    );
}

#[track_caller]
fn refused(search: Search, build: impl Fn(&mut HyperParameters) -> Built<'static> + Sync) -> Error {
    let (x, y) = circle(20);
    search.run(&x, &y, build).map(|results: SearchResults| results.to_string()).unwrap_err()
}

#[test]
fn invalid_input_is_refused_before_training() {
    let argument = |error: Error| match error {
        Error::Argument { argument, .. } => argument,
        other => panic!("{other:?}"),
    };
    assert_eq!(argument(refused(Search::random(0), network)), "trials");
    assert_eq!(argument(refused(Search::grid().points(0), network)), "points");
    assert_eq!(argument(refused(Search::random(2).halving(1), network)), "halving");
    assert_eq!(argument(refused(Search::random(2).min_epochs(0), network)), "min_epochs");
    assert_eq!(argument(refused(Search::random(2).trials_at_once(0), network)), "trials_at_once");
    let range = |ask: fn(&mut HyperParameters) -> Result<()>| {
        let build = move |hp: &mut HyperParameters| {
            ask(hp).ok();
            network(hp)
        };
        argument(refused(Search::random(3), build))
    };
    assert_eq!(range(|hp| hp.uniform("a", 1.0..=0.0).map(drop)), "uniform");
    assert_eq!(range(|hp| hp.uniform("a", 0.0..=f64::NAN).map(drop)), "uniform");
    assert_eq!(range(|hp| hp.log_uniform("a", 0.0..=1.0).map(drop)), "log_uniform");
    #[allow(clippy::reversed_empty_ranges)]
    let reversed = range(|hp| hp.integer("a", 2..=1).map(drop));
    assert_eq!(reversed, "integer");
    assert_eq!(range(|hp| hp.log_integer("a", 0..=1).map(drop)), "log_integer");
    assert_eq!(range(|hp| hp.choice("a", [0; 0]).map(drop)), "choice");
    assert_eq!(range(|hp| hp.boolean("a").and(hp.integer("a", 1..=2)).map(drop)), "hyperparameter");

    let unknown = refused(Search::random(2).objective("val_f1"), network);
    assert!(
        matches!(&unknown, Error::Unknown { what: "objective", known, .. } if known.contains(&"val_accuracy".into())),
        "{unknown}"
    );
    let unvalidated = refused(Search::random(2), |hp| network(hp).map(|(model, _)| (model, Fit::new())));
    assert!(matches!(unvalidated, Error::Unknown { what: "objective", .. }));
    let uncompiled = refused(Search::random(2), |_| Ok((Sequential::new().add(Dense::new(1)), Fit::new())));
    assert!(matches!(uncompiled, Error::NotCompiled));

    let (mut x, y) = circle(20);
    x[[3, 1]] = f32::NAN;
    let bad = Search::random(2).run(&x, &y, network).unwrap_err();
    assert!(matches!(bad, Error::NonFinite { row: 3, column: 1, .. }), "{bad:?}");
}

#[test]
fn the_csv_file_equals_the_csv_text() {
    let (x, y) = circle(40);
    let results = Search::random(2).run(&x, &y, network).unwrap();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join("search.csv");
    results.save_csv(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), results.to_csv());
    let error = results.save_csv(folder.join("no/such/folder.csv")).unwrap_err();
    assert!(matches!(error, Error::File(cornu::error::FileError::Io { .. })), "{error:?}");
}

#[test]
fn searches_accept_batch_sources() {
    let source = cornu::data::source_fn(40, [1], [1], |index, x: &mut [f32], y: &mut [f32]| {
        (x[0], y[0]) = (index as f32 / 40.0, index as f32 / 20.0);
        Ok(())
    });
    let build = |hp: &mut HyperParameters| {
        let mut model = Sequential::new().add(Dense::new(1));
        model.compile(Sgd::new(hp.log_uniform("learning_rate", 1e-3..=0.3)?), MeanSquaredError::new(), ())?;
        Ok((model, Fit::new().epochs(20)))
    };
    let results = Search::random(4).objective("loss").run_source(&source, build).unwrap();
    assert!(results.best().unwrap().score() < Some(0.2), "{results}");
}

fn model(rate: impl Into<cornu::optimizer::LearningRate>) -> Sequential {
    let mut model = Sequential::new()
        .seed(5)
        .add(Dense::new(16).activation(Activation::Tanh))
        .add(Dense::new(1).activation(Activation::Sigmoid));
    model.compile(Sgd::new(rate), BinaryCrossentropy::new(), ()).unwrap();
    model
}

#[test]
fn the_range_test_trains_with_a_growing_rate() {
    let (x, y) = circle(70);
    let before = model(0.3);
    let finder = LearningRateFinder::new().start(1e-3).end(1.0).steps(10).smoothing(0.5);
    let fit = Fit::new().batch_size(32).shuffle(false);
    let test = finder.run(&before, &x, &y, &fit).unwrap();
    assert_eq!(format!("{before:?}"), format!("{:?}", model(0.3)));
    assert!(before.weights().is_err(), "the model was built");

    let rate = |i: u64| 1e-3 * 1000f64.powf(i as f64 / 9.0);
    let mut by_hand = model(rate);
    let (mut unmoved, mut smooth) = (model(0.0), 0.0);
    for (i, &loss) in test.losses().iter().enumerate() {
        let rows = [(0..32), (32..64), (64..70)][i % 3].clone();
        let (x, y) = (x.slice_axis(Axis(0), rows.clone().into()), y.slice_axis(Axis(0), rows.into()));
        let expected = by_hand.train_on_batch(&x, &y, &Fit::new()).unwrap().get("loss").unwrap();
        assert!((loss - expected).abs() < 1e-6, "step {i}: {loss}, expected {expected}");
        let reference = unmoved.train_on_batch(&x, &y, &Fit::new()).unwrap().get("loss").unwrap();
        smooth = 0.5 * smooth + 0.5 * (loss - reference);
        let found = test.smoothed()[i] - test.smoothed()[0];
        assert!((found - smooth / (1.0 - 0.5f64.powi(i as i32 + 1))).abs() < 1e-6);
        assert!((test.rates()[i] / rate(i as u64) - 1.0).abs() < 1e-12);
    }
    assert_eq!(test.losses().len(), 10);
}

#[test]
fn the_suggested_rate_trains_better_than_distant_ones() {
    let (x, y) = circle(600);
    type Compile = fn(&mut Sequential, f64) -> Result<()>;
    let optimizers: [(&str, Compile); 3] = [
        ("sgd", |model, rate| model.compile(Sgd::new(rate), BinaryCrossentropy::new(), ())),
        ("momentum", |model, rate| {
            model.compile(Sgd::new(rate).momentum(0.9), BinaryCrossentropy::new(), ())
        }),
        ("adam", |model, rate| model.compile(Adam::new(rate), BinaryCrossentropy::new(), ())),
    ];
    for (name, compile) in optimizers {
        let compiled = |rate: f64| {
            let mut model = model(0.1);
            compile(&mut model, rate).unwrap();
            model
        };
        let test = LearningRateFinder::new().run(&compiled(0.1), &x, &y, &Fit::new()).unwrap();
        let rate = test.suggestion().unwrap();
        let loss = |rate| {
            let fit = Fit::new().epochs(20).verbose(Verbose::Silent).callback(TerminateOnNaN::new());
            let history = compiled(rate).fit(&x, &y, &fit).unwrap();
            history.last("loss").filter(|loss| loss.is_finite()).unwrap_or(f64::INFINITY)
        };
        let (low, here, high) = (loss(rate / 100.0), loss(rate), loss(rate * 1000.0));
        assert!(here < 0.95 * low && here < 0.95 * high, "{name}: {low} {here} {high}");
    }
}

#[test]
fn invalid_range_tests_are_refused() {
    let (x, y) = circle(40);
    let error = |finder: LearningRateFinder| match finder.run(&model(0.1), &x, &y, &Fit::new()) {
        Err(Error::Argument { argument, .. }) => argument,
        other => panic!("{other:?}"),
    };
    let distributed = cornu::distributed::threads(2, |world| {
        let fit = Fit::new().distributed(world);
        LearningRateFinder::new().run(&model(0.1), &x, &y, &fit).map(drop).map_err(|error| error.to_string())
    });
    assert!(distributed.iter().all(|error| error.as_ref().is_err_and(|error| error.contains("on one rank"))));
    let finder = LearningRateFinder::new;
    assert_eq!(error(finder().start(0.0)), "start");
    assert_eq!(error(finder().start(1.0).end(0.1)), "start");
    assert_eq!(error(finder().end(f64::INFINITY)), "start");
    assert_eq!(error(finder().steps(9)), "steps");
    assert_eq!(error(finder().smoothing(1.0)), "smoothing");
    let refused = finder().run(&Sequential::new(), &x, &y, &Fit::new());
    assert!(matches!(refused, Err(Error::NotCompiled)));
    let empty = finder().run(&model(0.1), &x.slice_axis(Axis(0), (0..0).into()), &y, &Fit::new());
    assert!(empty.is_err());
    // If nothing lowers the loss, there is no suggestion: all targets equal the outputs.
    let mut still = Sequential::new().add(Rescaling::new(1.0));
    still.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let test = finder().run(&still, &x, &x, &Fit::new()).unwrap();
    assert_eq!(test.suggestion(), None);
}
