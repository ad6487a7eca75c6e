//! Monitored values: NaN is never the best, and keys that cannot occur are refused before the first step.

use std::cell::Cell;
use std::rc::Rc;

use cornu::callback::{Callback, CallbackContext, Mode};
use cornu::ndarray::{Array2, array};
use cornu::prelude::*;
use cornu::selection::Search;

const NAN: f64 = f64::NAN;

fn model() -> Sequential {
    let mut model = Sequential::new().seed(1).input([1]).add(Dense::new(1).name("F1"));
    let metrics = (Accuracy::new(), Weighted::new(Accuracy::new()));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), metrics).unwrap();
    model
}

fn fit<'a>(epochs: usize) -> Fit<'a> {
    Fit::new().epochs(epochs).verbose(Verbose::Silent).diagnose(Diagnose::Off)
}

fn data() -> (Array2<f32>, Array2<f32>) {
    (array![[1.0], [2.0], [3.0]], array![[2.0], [4.0], [6.0]])
}

/// Sets `score` to these numbers, one after each epoch.
fn script(values: &'static [f64]) -> LambdaCallback<'static> {
    LambdaCallback::new().on_epoch_end(|at| {
        at.logs.set("score", values[at.epoch]);
        Ok(Flow::Continue)
    })
}

/// Trains with early stopping on these values, and returns the last epoch, the best epoch and the best value.
fn stopped(mode: Mode, patience: usize, values: &'static [f64]) -> (usize, Option<usize>, Option<f64>) {
    let ((x, y), mut kernels) = (data(), Vec::new());
    let stopping = EarlyStopping::new().monitor("score").mode(mode).patience(patience);
    let mut stopping = stopping.restore_best_weights(true);
    let record = LambdaCallback::new().on_epoch_end(|at| {
        kernels.push(at.model.weight("F1/kernel")?.to_owned());
        Ok(Flow::Continue)
    });
    let mut model = model();
    let fit = fit(values.len()).callback(script(values)).callback(record).callback(&mut stopping);
    let history = model.fit(&x, &y, &fit).unwrap();
    drop(fit);
    assert_eq!(model.weight("F1/kernel").unwrap(), kernels[stopping.best_epoch().unwrap()]);
    (*history.epochs().last().unwrap(), stopping.best_epoch(), stopping.best())
}

#[test]
fn nan_as_the_first_value_is_not_the_best() {
    let inf = f64::INFINITY;
    for first in [NAN, -NAN, inf] {
        let values: &[f64] = &*Vec::leak(vec![first, 0.5, 0.4, 0.45, 0.3]);
        assert_eq!(stopped(Mode::Min, 1, values), (3, Some(2), Some(0.4)), "{first}");
    }
    for first in [NAN, -inf] {
        let values: &[f64] = &*Vec::leak(vec![first, 0.5, 0.6, NAN, 0.3]);
        assert_eq!(stopped(Mode::Max, 2, values), (4, Some(2), Some(0.6)), "{first}");
    }
    // Without an improvement the first monitored epoch is kept, as in Keras.
    assert_eq!(stopped(Mode::Min, 3, &[NAN; 9]), (2, Some(0), None));
}

#[test]
fn a_plateau_of_nan_ends_with_the_first_number() {
    let (x, y) = data();
    let rates = |values: &'static [f64], cooldown| {
        let plateau = ReduceLearningRateOnPlateau::new().monitor("score").mode(Mode::Min);
        let plateau = plateau.factor(0.5).patience(2).cooldown(cooldown);
        let fit = fit(values.len()).callback(script(values)).callback(plateau);
        model().fit(&x, &y, &fit).unwrap().learning_rates().to_vec()
    };
    // 0.5, 0.4 and 0.3 improve, so only the two NaN at the start are a plateau.
    assert_eq!(rates(&[NAN, 0.5, 0.4, 0.3, 0.2], 0), [0.1; 5]);
    assert_eq!(rates(&[NAN, NAN, 0.5, 0.4, 0.3], 0), [0.1, 0.1, 0.05, 0.05, 0.05]);
    assert_eq!(rates(&[NAN, NAN, NAN, NAN, NAN, 0.5], 2), [0.1, 0.1, 0.05, 0.05, 0.05, 0.025]);
}

#[test]
#[cfg(feature = "npy")]
fn nan_is_no_best_checkpoint() {
    let (x, y) = data();
    let folder = std::env::temp_dir().join(format!("cornu-monitors-{}", std::process::id()));
    let pattern = folder.join("{epoch}.npz").display().to_string();
    let best = ModelCheckpoint::new(pattern).monitor("score").mode(Mode::Min).save_best_only(true);
    model().fit(&x, &y, &fit(5).callback(script(&[NAN, 0.5, NAN, 0.6, 0.4])).callback(best)).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["2.npz", "5.npz"]);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The training is refused before its first step, with these known keys.
#[track_caller]
fn refused(fit: Fit, key: &str, keys: &[&str]) {
    let ((x, y), mut model) = (data(), model());
    let steps = Rc::new(Cell::new(0));
    let counted = Rc::clone(&steps);
    let count = LambdaCallback::new().on_batch_end(move |_| {
        counted.set(counted.get() + 1);
        Ok(Flow::Continue)
    });
    match model.fit(&x, &y, &fit.callback(count)) {
        Err(Error::Unknown { name, known, .. }) => assert_eq!(
            (&*name, &known[..], steps.get()),
            (key, &keys.iter().map(ToString::to_string).collect::<Vec<_>>()[..], 0)
        ),
        other => panic!("{other:?}"),
    }
}

const OWN: [&str; 3] = ["loss", "accuracy", "weighted_accuracy"];
const ALL: [&str; 6] =
    ["loss", "accuracy", "weighted_accuracy", "val_loss", "val_accuracy", "val_weighted_accuracy"];

#[test]
fn keys_that_cannot_occur_are_refused_before_the_first_step() {
    let stopping = |key: &str| EarlyStopping::new().monitor(key);
    let plateau = |key: &str| ReduceLearningRateOnPlateau::new().monitor(key);
    let best = |key: &str| ModelCheckpoint::new("never.npz").monitor(key).save_best_only(true);
    for mode in [Mode::Auto, Mode::Min] {
        for key in ["val_loss", "val_accuracy", "los", "precision", "learning_rate", ""] {
            refused(fit(2).callback(stopping(key).mode(mode)), key, &OWN);
            refused(fit(2).callback(plateau(key).mode(mode)), key, &OWN);
            if cfg!(feature = "npy") {
                refused(fit(2).callback(best(key).mode(mode)), key, &OWN);
            }
        }
        let validated = || fit(2).validation_split(0.4);
        refused(validated().callback(stopping("val_los").mode(mode)), "val_los", &ALL);
        // No epoch is validated.
        let never = validated().validation_freq(3);
        refused(never.callback(stopping("val_loss").mode(mode)), "val_loss", &OWN);
        if cfg!(feature = "npy") {
            // The logs of a batch have no validation.
            refused(validated().callback(best("val_loss").mode(mode).save_every(1)), "val_loss", &OWN);
        }
    }
    // A callback that follows adds its key too late.
    let late = fit(2).callback(stopping("learning_rate").mode(Mode::Min)).callback(plateau("loss"));
    refused(late, "learning_rate", &OWN);
    // The direction of a key that a callback adds is unknown.
    refused(fit(2).callback(script(&[1.0; 2])).callback(stopping("score")), "score", &OWN);
}

/// Adds `score` and declares it.
struct Declared;

impl Callback<f32> for Declared {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<f32>) -> Result<()> {
        at.declare_keys(["score"]);
        Ok(())
    }
    fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        at.logs.set("score", 1.0);
        Ok(Flow::Continue)
    }
}

/// Adds `score` without declaring it.
struct Undeclared;

impl Callback<f32> for Undeclared {
    fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        Declared.on_epoch_end(at)
    }
}

#[test]
fn keys_that_can_occur_are_accepted() {
    let (x, y) = data();
    let stopping = |key: &str| EarlyStopping::new().monitor(key).patience(1);
    let score = || stopping("score").mode(Mode::Min);
    let plateau = || ReduceLearningRateOnPlateau::new().monitor("loss");
    let validated = || fit(4).validation_split(0.4);
    for key in OWN {
        model().fit(&x, &y, &fit(4).callback(stopping(key))).unwrap();
    }
    for key in ALL {
        model().fit(&x, &y, &validated().callback(stopping(key))).unwrap();
        model().fit(&x, &y, &validated().validation_freq(4).callback(stopping(key))).unwrap();
    }
    let stops = |fit: Fit| model().fit(&x, &y, &fit).unwrap().epochs().len();
    assert_eq!(stops(fit(4).callback(plateau()).callback(stopping("learning_rate").mode(Mode::Min))), 2);
    assert_eq!(stops(fit(4).callback(Declared).callback(score())), 2);
    assert_eq!(stops(fit(4).callback(&mut Declared).callback(score())), 2);
    assert_eq!(stops(fit(4).callback(Undeclared).callback(score())), 2);
    assert_eq!(stops(fit(4).callback(script(&[1.0; 4])).callback(score())), 2);
    refused(fit(4).callback(Declared).callback(stopping("scor")), "scor", &[&OWN[..], &["score"]].concat());
    if cfg!(feature = "npy") {
        // Without `save_best_only` a checkpoint monitors nothing.
        let all = ModelCheckpoint::new("w.npz").monitor("los").save_every(100);
        model().fit(&x, &y, &fit(1).callback(all)).unwrap();
    }
}

#[test]
fn settings_of_nan_are_refused() {
    #[track_caller]
    fn refused(callback: impl Callback<f32>, name: &str) {
        let (x, y) = data();
        let found = model().fit(&x, &y, &fit(1).callback(callback));
        assert!(matches!(found, Err(Error::Argument { argument, .. }) if argument == name), "{found:?}");
    }
    refused(EarlyStopping::new().monitor("loss").min_delta(NAN), "min_delta");
    refused(EarlyStopping::new().monitor("loss").baseline(NAN), "baseline");
    refused(ReduceLearningRateOnPlateau::new().monitor("loss").min_learning_rate(NAN), "min_learning_rate");
    let best = ModelCheckpoint::new("w.npz").monitor("loss").save_best_only(true);
    refused(best.initial_value_threshold(NAN), "initial_value_threshold");
}

#[test]
fn a_search_ranks_by_the_key_of_a_callback() {
    let (x, y) = data();
    let search = |objective: &str, mode| {
        let search = Search::grid().objective(objective).mode(mode).verbose(Verbose::Silent);
        search.run(&x, &y, |hp| {
            let rate = hp.choice("rate", [0.1, 0.2])?;
            let score = LambdaCallback::new().on_epoch_end(move |at| {
                at.logs.set("score", if at.epoch == 0 { NAN } else { rate });
                Ok(Flow::Continue)
            });
            Ok((model(), fit(2).callback(score)))
        })
    };
    let results = search("score", Mode::Max).unwrap();
    assert_eq!(results.best().and_then(|best| best.score()), Some(0.2));
    for (objective, mode) in [("score", Mode::Auto), ("los", Mode::Auto)] {
        let refused = search(objective, mode);
        assert!(matches!(refused, Err(Error::Unknown { ref name, .. }) if name == objective));
    }
    let refused = Search::grid().objective("val_loss").verbose(Verbose::Silent).run(&x, &y, |hp| {
        hp.choice("rate", [0.1])?;
        Ok((model(), fit(2).validation_split(0.4).validation_freq(3)))
    });
    assert!(matches!(refused, Err(Error::Unknown { .. })));
}

/// The second rung has the third epoch only, which is not validated.
#[test]
fn the_rungs_of_a_search_monitor_the_validation_of_the_whole_training() {
    let (x, y) = data();
    let search = Search::random(2).halving(2).objective("loss").verbose(Verbose::Silent);
    let results = search.run(&x, &y, |hp| {
        hp.uniform("rate", 0.0..=1.0)?;
        let stopping = EarlyStopping::new().patience(5);
        Ok((model(), fit(3).validation_split(0.4).validation_freq(2).callback(stopping)))
    });
    let results = results.unwrap();
    assert!(results.trials().iter().all(|trial| trial.error().is_none()), "{results}");
    assert_eq!(results.best().map(|best| best.epochs()), Some(3));
}

#[test]
#[cfg(feature = "keras")]
fn placeholders_of_paths_that_no_log_has_are_refused_before_the_first_step() {
    let (x, y) = data();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("placeholders");
    let train = |name: &str, fit: Fit<'_>| {
        let path = folder.join(name).display().to_string();
        let mut model = model();
        let before = model.weight("F1/kernel").unwrap().to_owned();
        let result = model.fit(&x, &y, &fit.callback(ModelCheckpoint::new(path)));
        let trained = model.weight("F1/kernel").unwrap() != before;
        (result.map(|_| ()).map_err(|error| error.to_string()), trained)
    };
    for name in ["{los}.keras", "{epoch}-{val_loss:.2}.keras"] {
        let (result, trained) = train(name, fit(1));
        let error = result.unwrap_err();
        assert!(error.contains("path") && error.contains("loss"), "{error}");
        assert!(!trained);
    }
    let (result, _) = train("{epoch}-{val_loss:.2}.keras", fit(1).validation_data(&x, &y));
    assert_eq!(result, Ok(()));
    // The logs of a batch have no validation.
    let path = folder.join("{val_loss}.keras").display().to_string();
    let each = ModelCheckpoint::new(path).save_every(1);
    assert!(model().fit(&x, &y, &fit(1).validation_data(&x, &y).callback(each)).is_err());
}

#[test]
fn a_batch_size_of_0_is_refused_by_its_own_name() {
    let (x, y) = data();
    let error = |fit: Fit<'_>| model().fit(&x, &y, &fit).unwrap_err().to_string();
    assert!(error(fit(1).batch_size(0)).contains("`batch_size`"));
    assert!(
        error(fit(1).validation_data(&x, &y).validation_batch_size(0)).contains("`validation_batch_size`")
    );
}
