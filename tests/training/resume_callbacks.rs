//! Callbacks resume their counts after an interruption; each test would end differently if a count started anew.

use crate::interrupted::{Folder, Interrupt, classes, fit, outcome_of};
use cornu::callback::{Callback, CallbackContext, Mode};
use cornu::ndarray::Array2;
use cornu::prelude::*;

fn model() -> Sequential {
    let mut model = Sequential::new().seed(3).input([6]).add(Dense::new(3).activation(Activation::Softmax));
    model.compile(Sgd::new(0.1), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    model
}

/// Sets `score` to these numbers, one after each epoch.
fn script(values: &'static [f64]) -> LambdaCallback<'static> {
    LambdaCallback::new().on_epoch_end(|at| {
        at.logs.set("score", values[at.epoch]);
        Ok(Flow::Continue)
    })
}

const POINTS: [Interrupt; 5] = [
    Interrupt::Never,
    Interrupt::EpochBegin(1),
    Interrupt::EpochBegin(2),
    Interrupt::EpochBegin(3),
    Interrupt::EpochBegin(4),
];

/// Runs `train` without and with an interruption at each point, and compares the results.
#[track_caller]
fn same<T: PartialEq + std::fmt::Debug>(train: impl Fn(&Folder, &[Interrupt]) -> T) {
    let whole = train(&Folder::new("whole"), &[Interrupt::Never]);
    for point in POINTS {
        let found = train(&Folder::new("callbacks"), &[point, Interrupt::Never]);
        assert_eq!(found, whole, "{point:?}");
    }
}

#[test]
fn early_stopping_resumes_its_best_value() {
    let (x, y) = classes();
    same(|folder, points| {
        let mut found = None;
        for point in points {
            let (mut model, mut stopping) = (model(), EarlyStopping::new().monitor("score").mode(Mode::Min));
            stopping = stopping.patience(3).restore_best_weights(true);
            let scores = script(&[0.5, 0.1, 0.4, 0.3, 0.2, 0.6, 0.7, 0.8]);
            let training = fit(8).callback(scores).callback(&mut stopping).backup(folder.backup());
            let history = model.fit(&x, &y, &training.callback(point.callback()));
            found = history.ok().map(|h| (outcome_of(&model, &h), stopping.best(), stopping.best_epoch()));
            if found.is_some() {
                break;
            }
        }
        let found = found.unwrap();
        assert_eq!((found.1, found.2, found.0.epochs.len()), (Some(0.1), Some(1), 5));
        found
    });
}

#[test]
fn plateaus_resume_their_length() {
    let (x, y) = classes();
    same(|folder, points| {
        let mut rates = None;
        for point in points {
            let plateau = ReduceLearningRateOnPlateau::new().monitor("score").mode(Mode::Min);
            let plateau = plateau.factor(0.5).patience(2).cooldown(2);
            let scores = script(&[0.1, 0.5, 0.4, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]);
            let training = fit(10).callback(scores).callback(plateau).backup(folder.backup());
            let history = model().fit(&x, &y, &training.callback(point.callback()));
            rates = rates.or(history.ok().map(|history| history.get("learning_rate").unwrap().to_vec()));
        }
        let rates = rates.unwrap();
        assert_eq!(rates[..7], [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025]);
        rates
    });
}

#[test]
#[cfg(feature = "npy")]
fn checkpoints_resume_their_best_value_and_batch_count() {
    let (x, y) = classes();
    let names = |folder: &std::path::Path| {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    same(|folder, points| {
        for point in points {
            let pattern = |name: &str| folder.path(name).display().to_string();
            let best = ModelCheckpoint::new(pattern("best/{epoch}.npz")).monitor("score").mode(Mode::Min);
            let best = best.save_best_only(true);
            // Every seventh batch, with five batches per epoch: a different batch in each epoch.
            let every = ModelCheckpoint::new(pattern("every/{epoch}-{batch}.npz")).save_every(7);
            let training = fit(5).callback(script(&[0.5, 0.1, 0.4, 0.3, 0.2])).callback(best).callback(every);
            let training = training.backup(folder.backup()).callback(point.callback());
            let _ = model().fit(&x, &y, &training);
        }
        let found = (names(&folder.path("best")), names(&folder.path("every")));
        assert_eq!(found.0, ["1.npz", "2.npz"]);
        assert_eq!(found.1, ["2-2.npz", "3-4.npz", "5-1.npz"]);
        found
    });
}

#[test]
fn csv_logs_resume_their_columns_and_unwritten_lines() {
    let (x, y) = classes();
    same(|folder, points| {
        let (here, away) = (folder.path("logs"), folder.path("away"));
        std::fs::create_dir_all(&here).unwrap();
        for point in points {
            // The folder is missing in the second and the third epoch, and present when a program starts.
            let _ = std::fs::rename(&away, &here);
            let (here, away) = (&here, &away);
            let mover = LambdaCallback::new().on_epoch_begin(move |at| {
                match at.epoch {
                    1 => std::fs::rename(here, away).map_err(Error::outside)?,
                    3 if away.exists() => std::fs::rename(away, here).map_err(Error::outside)?,
                    _ => {}
                }
                Ok(())
            });
            let plateau = ReduceLearningRateOnPlateau::new();
            let log = CsvLogger::new(here.join("log.csv"));
            let training = fit(5).validation_split(0.2).validation_freq(2).callback(mover).callback(plateau);
            let training = training.callback(log).backup(folder.backup()).callback(point.callback());
            let _ = model().fit(&x, &y, &training);
        }
        let text = std::fs::read_to_string(here.join("log.csv")).unwrap();
        assert_eq!(text.lines().count(), 6, "{text}");
        assert!(
            text.starts_with("epoch,accuracy,learning_rate,loss,val_accuracy,val_learning_rate,"),
            "{text}"
        );
        text
    });
}

/// Stops after two epochs; the first run is killed after that.
struct Stop {
    killed: bool,
}

impl Callback<f32> for Stop {
    fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        Ok(if at.epoch == 1 { Flow::Stop("enough".into()) } else { Flow::Continue })
    }
    fn on_fit_end(&mut self, _: &mut CallbackContext<f32>) -> Result<()> {
        match self.killed {
            true => Err(Error::outside(std::io::Error::other("killed"))),
            false => Ok(()),
        }
    }
}

#[test]
fn a_stopped_training_does_not_start_again() {
    let (x, y) = classes();
    let folder = Folder::new("stopped");
    let train = |killed| {
        let x: &Array2<f32> = &x;
        model().fit(x, &y, &fit(9).callback(Stop { killed }).backup(folder.backup()))
    };
    assert!(train(true).is_err());
    let history = train(false).unwrap();
    assert_eq!((history.epochs(), history.stopped()), (&[0, 1][..], Some("enough")));
    assert_eq!(history.times().len(), 2);
}
