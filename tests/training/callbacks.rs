//! The built-in callbacks against traces of Keras, on scripted values.

use cornu::callback::{Callback, CallbackContext, Mode};
use cornu::ndarray::{Array2, array};
use cornu::prelude::*;

/// An epoch without a value.
const N: f64 = f64::NAN;

/// Writes these numbers to the logs, one per epoch.
fn script(key: &'static str, values: &'static [f64]) -> impl Callback<f32> {
    LambdaCallback::new().on_epoch_end(move |at: &mut CallbackContext<f32>| {
        if !values[at.epoch].is_nan() {
            at.logs.set(key, values[at.epoch]);
        }
        Ok(Flow::Continue)
    })
}

fn model(rate: f64) -> Sequential {
    let mut model = Sequential::new().seed(1).input([1]).add(Dense::new(1).name("F1"));
    model.compile(Sgd::new(rate), MeanSquaredError::new(), [Accuracy::new()]).unwrap();
    model
}

fn fit<'a>(epochs: usize) -> Fit<'a> {
    Fit::new().epochs(epochs).verbose(Verbose::Silent)
}

fn data() -> (Array2<f32>, Array2<f32>) {
    (array![[1.0], [2.0]], array![[2.0], [4.0]])
}

/// The last epoch of the run.
fn last_epoch(stopping: EarlyStopping, values: &'static [f64]) -> usize {
    let (x, y) = data();
    let fit = fit(values.len()).callback(script("val_loss", values)).callback(stopping);
    *model(0.0).fit(&x, &y, &fit).unwrap().epochs().last().unwrap()
}

#[test]
fn early_stopping_counts_like_keras() {
    let stopping = EarlyStopping::new;
    assert_eq!(last_epoch(stopping(), &[1.0, 0.9, 0.9, 0.0]), 2);
    assert_eq!(last_epoch(stopping(), &[1.0, 1.1, 0.0]), 1);
    assert_eq!(last_epoch(stopping().patience(1), &[1.0, 1.1, 0.0]), 1);
    assert_eq!(last_epoch(stopping().patience(2), &[1.0, 0.9, 0.95, 0.9, 0.0]), 3);
    assert_eq!(last_epoch(stopping().patience(1).min_delta(0.1), &[1.0, 0.9, 0.0]), 1);
    assert_eq!(last_epoch(stopping().patience(1).min_delta(-0.1), &[1.0, 0.9, 0.0]), 1);
    assert_eq!(last_epoch(stopping().patience(2).baseline(0.5), &[1.0, 0.9, 0.8, 0.7, 0.6]), 4);
    let late = stopping().start_from_epoch(2).patience(2);
    assert_eq!(last_epoch(late, &[0.1, 0.2, 1.0, 0.9, 0.95, 1.0, 0.0]), 5);
    assert_eq!(last_epoch(stopping().mode(Mode::Max), &[1.0, 1.1, 1.05, 2.0]), 2);
    // Epochs without the value are not counted; a change of exactly the minimum difference is no improvement.
    assert_eq!(last_epoch(stopping().patience(2), &[1.0, N, 0.9, N, 1.0, N, 1.0, N, 0.0]), 6);
    assert_eq!(last_epoch(stopping().patience(2).baseline(0.5), &[2.0, 1.0, 0.6, 0.4, 0.45, 0.45, 0.0]), 5);
    assert_eq!(last_epoch(stopping(), &[N, 2.0, 3.0, 0.0]), 2);
    assert_eq!(last_epoch(stopping().min_delta(0.05).patience(1), &[0.07, 0.02, 0.0]), 1);
    assert_eq!(last_epoch(stopping().patience(2).monitor("loss"), &[N; 5]), 2);
}

#[test]
fn early_stopping_ignores_epochs_without_the_value() {
    let values = &[1.0, f64::NAN, f64::NAN, f64::NAN, 1.1, 0.0];
    assert_eq!(last_epoch(EarlyStopping::new().patience(1), values), 4);
}

#[test]
fn an_impossible_key_is_an_error() {
    let (x, y) = data();
    for key in ["val_precision", "los"] {
        let refused = model(0.1).fit(&x, &y, &fit(3).callback(EarlyStopping::new().monitor(key)));
        assert!(matches!(refused, Err(Error::Unknown { ref name, .. }) if name == key), "{refused:?}");
    }
    let higher_is_better = EarlyStopping::new().monitor("accuracy");
    assert!(model(0.1).fit(&x, &y, &fit(3).callback(higher_is_better)).is_ok());
}

#[test]
fn the_best_weights_are_restored_even_without_an_early_stop() {
    let (x, y) = data();
    let mut kept = Vec::new();
    let mut stopping = EarlyStopping::new().patience(9).restore_best_weights(true);
    let watch = LambdaCallback::new().on_epoch_end(|at: &mut CallbackContext<f32>| {
        kept.push(at.model.weight("F1/kernel")?.to_owned());
        Ok(Flow::Continue)
    });
    let mut model = model(0.05);
    let fit =
        fit(4).callback(script("val_loss", &[1.0, 0.5, 0.7, 0.6])).callback(watch).callback(&mut stopping);
    model.fit(&x, &y, &fit).unwrap();
    drop(fit);
    assert_eq!(stopping.best_epoch(), Some(1));
    assert_eq!(stopping.best(), Some(0.5));
    assert_eq!(model.weight("F1/kernel").unwrap(), kept[1]);
    assert_ne!(kept[1], kept[3]);
}

/// The learning rate of each epoch.
fn rates(plateau: ReduceLearningRateOnPlateau, epochs: usize) -> Vec<f64> {
    let (x, y) = data();
    let fit = fit(epochs).callback(script("val_loss", &[1.0; 14])).callback(plateau);
    model(0.1).fit(&x, &y, &fit).unwrap().get("learning_rate").unwrap().to_vec()
}

/// The epochs after which the rate was reduced.
fn reductions(plateau: ReduceLearningRateOnPlateau) -> Vec<usize> {
    let rates = rates(plateau, 13);
    (1..rates.len()).filter(|&epoch| rates[epoch] < rates[epoch - 1]).map(|epoch| epoch - 1).collect()
}

#[test]
fn plateaus_are_counted_like_keras() {
    let plateau = || ReduceLearningRateOnPlateau::new().factor(0.5);
    assert_eq!(reductions(plateau().patience(2))[..3], [2, 4, 6]);
    assert_eq!(reductions(plateau().patience(2).cooldown(2))[..4], [2, 5, 8, 11]);
    assert_eq!(reductions(plateau().patience(1).cooldown(1))[..4], [1, 2, 3, 4]);
    let lowest = plateau().factor(0.1).patience(1).min_learning_rate(0.02);
    assert_eq!(rates(lowest, 5), [0.1, 0.1, 0.02, 0.02, 0.02]);
    let (x, y) = data();
    let refused = model(0.1).fit(&x, &y, &fit(1).callback(plateau().factor(1.0)));
    assert!(matches!(refused, Err(Error::Argument { argument: "factor", .. })));
}

#[test]
fn an_optimizer_with_a_schedule_refuses_to_change_its_rate() {
    let (x, y) = data();
    let mut model = model(0.1);
    model.compile(Sgd::new(|_: u64| 0.1), MeanSquaredError::new(), ()).unwrap();
    let scheduler = LearningRateScheduler::new(|_, rate| rate);
    let refused = model.fit(&x, &y, &fit(1).callback(scheduler));
    assert!(matches!(refused, Err(Error::Argument { argument: "learning_rate", .. })));
    // A plateau refuses it before the first step, not at its first reduction.
    let plateau = ReduceLearningRateOnPlateau::new().monitor("loss");
    let refused = model.fit(&x, &y, &fit(1).callback(plateau));
    assert!(matches!(refused, Err(Error::Argument { argument: "learning_rate", .. })));
}

#[test]
fn csv_logs_equal_those_of_keras() {
    let path = std::env::temp_dir().join(format!("cornu-log-{}.csv", std::process::id()));
    let (x, y) = data();
    let mut model = model(0.0);
    model.compile(Sgd::new(0.0), MeanSquaredError::new(), ()).unwrap();
    model.set_weight("F1/kernel", &array![[2.5f32]]).unwrap();
    let (other_x, other_y) = (array![[2.0]], array![[3.0]]);
    let with = || fit(2).validation_data(&other_x, &other_y).validation_freq(2);
    model.fit(&x, &y, &with().callback(CsvLogger::new(&path))).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, "epoch,loss,val_loss\n0,0.625,NA\n1,0.625,4.0\n");
    model.fit(&x, &y, &with().callback(CsvLogger::new(&path).append(true))).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, "epoch,loss,val_loss\n0,0.625,NA\n1,0.625,4.0\n0,0.625,NA\n1,0.625,4.0\n");
    std::fs::remove_file(&path).unwrap();
    let nowhere = CsvLogger::new(path.join("no/such/folder.csv"));
    assert!(matches!(model.fit(&x, &y, &fit(1).callback(nowhere)), Err(Error::Outside(_))));
}

#[test]
fn terminate_on_nan_ends_a_diverging_training_without_error() {
    let (x, y) = data();
    assert!(matches!(model(1e30).fit(&x, &y, &fit(9)), Err(Error::Diverged { .. })));
    let mut model = model(1e30);
    let history = model.fit(&x, &y, &fit(9).callback(TerminateOnNaN::new())).unwrap();
    assert!(history.stopped().unwrap().contains("became"), "{:?}", history.stopped());
    assert_eq!(history.get("loss").unwrap().len(), history.epochs().len());
    assert!(!history.last("loss").unwrap().is_finite());
    assert!(model.weight("F1/kernel").unwrap()[[0, 0]].is_finite());
}

#[cfg(feature = "npy")]
mod checkpoints {
    use super::*;
    use std::path::PathBuf;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("cornu-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &PathBuf) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn checkpoints_of_the_best_epoch_have_its_number_in_their_name() {
        let folder = folder("best");
        let (x, y) = data();
        let pattern = folder.join("w-{epoch:02d}-{val_loss:.1f}.npz").display().to_string();
        let checkpoint = ModelCheckpoint::new(pattern).save_best_only(true);
        let fit = fit(4).callback(script("val_loss", &[1.0, 1.5, 0.5, 0.7])).callback(checkpoint);
        model(0.1).fit(&x, &y, &fit).unwrap();
        assert_eq!(names(&folder), ["w-01-1.0.npz", "w-03-0.5.npz"]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn checkpoints_count_batches_across_epochs() {
        let folder = folder("batches");
        let pattern = folder.join("{epoch}-{batch}.npz").display().to_string();
        let (x, y) = (Array2::<f32>::ones((3, 1)), Array2::<f32>::ones((3, 1)));
        let fit = fit(3).batch_size(1).callback(ModelCheckpoint::new(pattern).save_every(4));
        model(0.1).fit(&x, &y, &fit).unwrap();
        assert_eq!(names(&folder), ["2-1.npz", "3-2.npz"]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_failed_checkpoint_does_not_end_the_training() {
        let (x, y) = data();
        let folder = folder("failing");
        std::fs::write(folder.join("file"), "not a folder").unwrap();
        let path = |name: &str| folder.join(name).display().to_string();
        let mut checkpoint = ModelCheckpoint::new(path("file/w.npz"));
        model(0.1).fit(&x, &y, &fit(2).callback(&mut checkpoint)).unwrap();
        assert_eq!(checkpoint.failures().len(), 2);
        // A key that is validated in every second epoch alone.
        let mut rare = ModelCheckpoint::new(path("{val_loss}.npz"));
        let often = fit(4).validation_data(&x, &y).validation_freq(2);
        model(0.1).fit(&x, &y, &often.callback(&mut rare)).unwrap();
        assert_eq!(rare.failures().len(), 2);
        for wrong in ["{epoch", "{epoch:99999}.npz", "{loss:.99999}.npz"] {
            let refused = model(0.1).fit(&x, &y, &fit(2).callback(ModelCheckpoint::new(path(wrong))));
            assert!(matches!(refused, Err(Error::Argument { argument: "path", .. })), "{wrong}");
        }
        // A missing folder is created.
        model(0.1).fit(&x, &y, &fit(1).callback(ModelCheckpoint::new(path("new/w.npz")))).unwrap();
        assert_eq!(names(&folder.join("new")), ["w.npz"]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_best_epoch_that_was_not_written_is_not_the_best() {
        let folder = folder("unlucky");
        let (x, y) = data();
        let target = folder.join("deep");
        std::fs::write(&target, "in the way").unwrap();
        let mut checkpoint =
            ModelCheckpoint::new(target.join("w-{epoch}.npz").display().to_string()).save_best_only(true);
        let clear = LambdaCallback::new().on_epoch_begin(|at: &mut CallbackContext<f32>| {
            if at.epoch == 1 {
                std::fs::remove_file(&target).map_err(Error::outside)?;
            }
            Ok(())
        });
        let values = script("val_loss", &[0.5, 0.6, 0.7, 0.6]);
        let fit = fit(4).callback(clear).callback(values).callback(&mut checkpoint);
        model(0.1).fit(&x, &y, &fit).unwrap();
        drop(fit);
        assert_eq!((checkpoint.failures().len(), names(&target)), (1, vec!["w-2.npz".to_string()]));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn weights_are_restored_and_a_wrong_file_changes_nothing() {
        let folder = folder("weights");
        let path = folder.join("w.npz");
        let mut first = model(0.1);
        first.save_weights(&path).unwrap();
        let mut second = model(0.1);
        second.set_weight("F1/kernel", &array![[9.0f32]]).unwrap();
        second.load_weights(&path).unwrap();
        assert_eq!(first.weight("F1/kernel").unwrap(), second.weight("F1/kernel").unwrap());
        let mut wide = Sequential::new().input([2]).add(Dense::new(1).name("F1"));
        wide.build().unwrap();
        assert!(matches!(wide.load_weights(&path), Err(Error::WeightShape { .. })));
        let mut other = Sequential::new().input([1]).add(Dense::new(1).name("F2"));
        other.build().unwrap();
        assert!(matches!(other.load_weights(&path), Err(Error::Unknown { .. })));
        let mut two =
            Sequential::new().input([1]).add(Dense::new(1).name("F1")).add(Dense::new(1).name("F2"));
        two.build().unwrap();
        two.save_weights(folder.join("two.npz")).unwrap();
        let more = first.load_weights(folder.join("two.npz"));
        assert!(matches!(more, Err(Error::Unknown { ref name, .. }) if name.starts_with("F2")), "{more:?}");
        std::fs::remove_file(folder.join("two.npz")).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(matches!(first.load_weights(&path), Err(Error::File(_))));
        assert_eq!(names(&folder), ["w.npz"]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
