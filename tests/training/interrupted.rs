//! Trainings that end with an error at a given moment, as if they had been killed.

#![allow(dead_code)] // each test file uses a part

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use cornu::callback::{Callback, CallbackContext, SaveFreq};
use cornu::data::{Samples, SourceFn};
use cornu::diagnosis::Finding;
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

/// A folder for one test, removed at the end.
pub struct Folder(PathBuf);

static FOLDERS: AtomicU64 = AtomicU64::new(0);

impl Folder {
    pub fn new(name: &str) -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("cornu-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn backup(&self) -> BackupAndRestore {
        BackupAndRestore::new(self.path("backup"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// When a training ends with an error: the epoch from 0, the batch from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Interrupt {
    Never,
    EpochBegin(usize),
    After(usize, usize),
    EpochEnd(usize),
}

impl Interrupt {
    pub fn callback<F: Scalar>(self) -> impl Callback<F> + 'static {
        At(self)
    }
}

struct At(Interrupt);

impl At {
    fn check(&self, now: Interrupt) -> Result<()> {
        match self.0 == now {
            true => Err(Error::outside(std::io::Error::other("interrupted"))),
            false => Ok(()),
        }
    }
}

impl<F: Scalar> Callback<F> for At {
    fn on_epoch_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        self.check(Interrupt::EpochBegin(at.epoch))
    }
    fn on_batch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        self.check(Interrupt::After(at.epoch, at.batch)).map(|()| Flow::Continue)
    }
    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        self.check(Interrupt::EpochEnd(at.epoch)).map(|()| Flow::Continue)
    }
}

/// Forty samples of three classes that are easy to separate.
pub fn classes() -> (Array2<f32>, Array1<usize>) {
    let y = Array1::from_iter((0..40).map(|i| i * 7 % 3));
    let x = Array2::from_shape_fn((40, 6), |(i, j)| {
        ((i * 31 + j * 17) % 19) as f32 / 19.0 + if j == y[i] { 0.5 } else { 0.0 }
    });
    (x, y)
}

/// This many epochs with batches of 8.
pub fn fit<'a>(epochs: usize) -> Fit<'a> {
    Fit::new().epochs(epochs).batch_size(8).verbose(Verbose::Silent)
}

/// The data of a training.
pub trait Data<F: Scalar> {
    fn train(&self, model: &mut Sequential<F>, fit: &Fit<F>) -> Result<History>;
}

impl<F: Scalar, X: Samples<F>, Y: Samples<F>> Data<F> for (&X, &Y) {
    fn train(&self, model: &mut Sequential<F>, fit: &Fit<F>) -> Result<History> {
        model.fit(self.0, self.1, fit)
    }
}

impl<F: Scalar, C> Data<F> for SourceFn<C>
where
    SourceFn<C>: BatchSource<F>,
{
    fn train(&self, model: &mut Sequential<F>, fit: &Fit<F>) -> Result<History> {
        model.fit_source(self, fit)
    }
}

/// The result of a training, bit by bit.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub weights: Vec<(String, Vec<u64>)>,
    pub history: Vec<(String, Vec<u64>)>,
    pub epochs: Vec<usize>,
    pub rates: Vec<u64>,
    pub measured: Vec<Vec<usize>>,
    pub stopped: Option<String>,
    pub findings: Vec<Finding>,
}

pub fn bits<'a, F: Scalar>(numbers: impl IntoIterator<Item = &'a F>) -> Vec<u64> {
    numbers.into_iter().map(|number| number.as_f64().to_bits()).collect()
}

pub fn outcome_of<F: Scalar>(model: &Sequential<F>, history: &History) -> Outcome {
    let weights = model.weights().unwrap();
    Outcome {
        weights: weights.into_iter().map(|(path, weight)| (path, bits(weight.iter()))).collect(),
        history: history.names().map(|name| (name.into(), bits(history.get(name).unwrap()))).collect(),
        epochs: history.epochs().to_vec(),
        rates: bits(history.learning_rates()),
        measured: history.names().map(|name| history.epochs_of(name).unwrap().to_vec()).collect(),
        stopped: history.stopped().map(Into::into),
        findings: history.findings().to_vec(),
    }
}

/// The result of an uninterrupted training.
pub fn outcome<F: Scalar>(build: &dyn Fn() -> Sequential<F>, fit: Fit<F>, data: &dyn Data<F>) -> Outcome {
    let mut model = build();
    let history = data.train(&mut model, &fit).unwrap();
    outcome_of(&model, &history)
}

/// Trains with one or several interruptions and backups of all kinds, and compares with an uninterrupted training
/// without backups.
#[track_caller]
pub fn same_after_interruptions<'a, F: Scalar>(
    build: &dyn Fn() -> Sequential<F>,
    fit: &dyn Fn() -> Fit<'a, F>,
    data: &dyn Data<F>,
) {
    same_with(SaveFreq::Batches(2), build, fit, data);
    same_with(SaveFreq::Epoch, build, fit, data);
}

#[track_caller]
pub fn same_with<'a, F: Scalar>(
    save_freq: SaveFreq,
    build: &dyn Fn() -> Sequential<F>,
    fit: &dyn Fn() -> Fit<'a, F>,
    data: &dyn Data<F>,
) {
    use Interrupt::{After, EpochBegin, EpochEnd, Never};
    let whole = outcome(build, fit(), data);
    let folder = Folder::new("interrupted");
    for points in [
        &[Never][..],
        &[After(0, 1), Never],
        &[After(1, 3), Never],
        &[After(2, 5), Never],
        &[EpochEnd(1), After(1, 4), EpochBegin(2), After(2, 1), Never],
    ] {
        for (index, point) in points.iter().enumerate() {
            let mut model = build();
            let backup = folder.backup().save_freq(save_freq);
            let fit = fit().backup(backup).callback(point.callback());
            match data.train(&mut model, &fit) {
                Err(error) => assert_eq!(error.to_string(), "interrupted", "{points:?}"),
                Ok(history) if index == points.len() - 1 => {
                    assert_eq!(outcome_of(&model, &history), whole, "{save_freq:?}, {points:?}");
                }
                // The training ended before the interruption.
                Ok(_) => {}
            }
        }
    }
}
