//! An interrupted and resumed training ends with the same bits as an uninterrupted one.

use crate::interrupted::{
    Folder, Interrupt, classes, fit, outcome, outcome_of, same_after_interruptions, same_with,
};
use cornu::callback::{Callback, CallbackContext, SaveFreq, State};
use cornu::error::BackupFault;
use cornu::metric::Metric;
use cornu::ndarray::{Array1, Array2, Array3};
use cornu::optimizer::{CosineDecay, ExponentialDecay, WeightAverage};
use cornu::prelude::*;
use cornu::tensor::Batch;

/// A network with moving statistics, noise and a regularizer, trained with this rule.
fn network(rule: impl Optimizer<f32> + Clone + 'static) -> impl Fn() -> Sequential {
    move || {
        let mut model = Sequential::new()
            .seed(3)
            .input([6])
            .add(Dense::new(8).activation(Activation::Relu).kernel_regularizer(Regularizer::L2(1e-3)))
            .add(BatchNormalization::new())
            .add(Dropout::new(0.3))
            .add(GaussianNoise::new(0.1))
            .add(Dense::new(3).activation(Activation::Softmax));
        model.compile(rule.clone(), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
        model
    }
}

#[track_caller]
fn check_rule(rule: impl Optimizer<f32> + Clone + 'static) {
    let (x, y) = classes();
    same_after_interruptions(&network(rule), &|| fit(4).validation_split(0.2), &(&x, &y));
}

#[test]
fn every_optimizer_resumes() {
    check_rule(Sgd::new(0.1));
    check_rule(Sgd::new(0.1).momentum(0.9).nesterov(true));
    check_rule(RmsProp::new(0.01).centered(true));
    check_rule(Adam::new(0.01).amsgrad(true));
    check_rule(AdamW::new(0.01));
    check_rule(Adamax::new(0.01));
    check_rule(Nadam::new(0.01));
    check_rule(Adagrad::new(0.1));
    check_rule(Adadelta::new(1.0));
    check_rule(Ftrl::new(0.1));
    check_rule(Lion::new(0.01));
    check_rule(Adafactor::new(0.1));
    check_rule(Lamb::new(0.01));
    check_rule(Muon::new(0.01));
}

#[test]
fn options_and_schedules_resume() {
    check_rule(Nadam::new(0.01).accumulate_gradients(3).global_clip_norm(0.5).weight_decay(0.01));
    check_rule(Adam::new(0.01).average_weights(WeightAverage::new(0.9).overwrite_every(5)));
    check_rule(Sgd::new(ExponentialDecay::new(0.1, 3, 0.7)));
    check_rule(Adam::new(CosineDecay::new(0.01, 12)).accumulate_gradients(2));
}

#[test]
fn every_metric_resumes_within_an_epoch() {
    let (x, y) = classes();
    let one_hot = to_categorical::<f32, _, _>(&y, None).unwrap();
    let model = |which: usize| {
        move || {
            let mut model =
                Sequential::new().seed(4).input([6]).add(Dense::new(3).activation(Activation::Softmax));
            let loss = CategoricalCrossentropy::new();
            let rule = Sgd::new(0.1);
            match which {
                0 => model.compile(
                    rule,
                    loss,
                    (
                        Accuracy::new(),
                        Precision::new(),
                        Recall::new().top_k(1),
                        F1Score::new(),
                        FBetaScore::new(2.0),
                        Auc::new(),
                        Auc::new().multi_label(true),
                        TopKAccuracy::new().k(2),
                    ),
                ),
                1 => model.compile(
                    rule,
                    loss,
                    (
                        PrecisionAtRecall::new(0.5),
                        RecallAtPrecision::new(0.4),
                        SensitivityAtSpecificity::new(0.5),
                        SpecificityAtSensitivity::new(0.5),
                        OneHotMeanIou::new(3),
                        BinaryIou::new().threshold(0.3),
                        PearsonCorrelation::new(),
                        ConcordanceCorrelation::new(),
                    ),
                ),
                _ => model.compile(
                    rule,
                    loss,
                    (
                        R2Score::new(),
                        RootMeanSquaredError::new(),
                        cornu::metric::MeanAbsoluteError::new(),
                        cornu::metric::CosineSimilarity::new(),
                        metric_fn("worst", Goal::Low, |p: &[f32], t: &[f32]| f64::from((p[0] - t[0]).abs())),
                        Weighted::new(Accuracy::new()),
                    ),
                ),
            }
            .unwrap();
            model
        }
    };
    for which in 0..3 {
        let fit = || fit(3).class_weight(ClassWeight::Balanced);
        same_after_interruptions(&model(which), &fit, &(&x, &one_hot));
    }
}

#[test]
fn recurrent_networks_with_noise_resume() {
    let x = Array3::from_shape_fn((40, 5, 2), |(i, j, k)| ((i * 31 + j * 17 + k * 7) % 23) as f32 / 23.0);
    let y = Array1::from_iter((0..40).map(|i| i % 3));
    let build = || {
        let mut model = Sequential::new()
            .seed(5)
            .add(Conv1D::new(4, 3).padding(Padding::Same))
            .add(Residual::new().add(LayerNormalization::new()).add(SpatialDropout1D::new(0.2)))
            .add(Bidirectional::new(Lstm::new(3).dropout(0.2).recurrent_dropout(0.2)))
            .add(AlphaDropout::new(0.1))
            .add(Dense::new(3).activation(Activation::Softmax));
        model.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), ()).unwrap();
        model
    };
    same_after_interruptions(&build, &|| fit(3), &(&x, &y));
}

#[test]
fn states_of_stateful_layers_resume() {
    let x = Array3::from_shape_fn((40, 5, 2), |(i, j, k)| ((i * 31 + j * 17 + k * 7) % 23) as f32 / 23.0);
    let y = Array1::from_iter((0..40).map(|i| i % 3));
    let build = || {
        let cells = StackedRnnCells::new().add(Lstm::new(3)).add(SimpleRnn::new(2)).stateful(true);
        let mut model = Sequential::new()
            .seed(5)
            .add(Bidirectional::new(Gru::new(2).stateful(true).return_sequences(true)))
            .add(cells)
            .add(Dense::new(3).activation(Activation::Softmax));
        model.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), ()).unwrap();
        model
    };
    same_after_interruptions(&build, &|| fit(3).shuffle(false), &(&x, &y));
}

#[test]
fn f64_sources_and_unshuffled_data_resume() {
    let x = Array2::from_shape_fn((40, 2), |(i, j)| ((i * 7 + j * 3) % 11) as f64 / 11.0);
    let y = x.sum_axis(cornu::ndarray::Axis(1));
    let build = || {
        let mut model = Sequential::<f64>::with_scalar().seed(1).add(Dense::new(1));
        model.compile(Adam::new(0.05), MeanSquaredError::new(), [R2Score::new()]).unwrap();
        model
    };
    let plain = || Fit::new().epochs(3).batch_size(8).shuffle(false).verbose(Verbose::Silent);
    same_after_interruptions(&build, &plain, &(&x, &y));
    let source = source_fn(40, [2], [1], |index, x: &mut [f64], y: &mut [f64]| {
        (x[0], x[1], y[0]) = (index as f64 / 40.0, 1.0, 2.0 * index as f64 / 40.0);
        Ok(())
    });
    let plain = || Fit::new().epochs(3).batch_size(8).verbose(Verbose::Silent);
    same_after_interruptions(&build, &plain, &source);
}

/// Counts batches, and stops after this many.
#[derive(Clone)]
struct StopAfter {
    most: u64,
    seen: u64,
}

impl Callback<f32> for StopAfter {
    fn on_fit_begin(&mut self, _: &mut CallbackContext<f32>) -> Result<()> {
        self.seen = 0;
        Ok(())
    }
    fn on_batch_end(&mut self, _: &mut CallbackContext<f32>) -> Result<Flow> {
        self.seen += 1;
        Ok(if self.seen < self.most { Flow::Continue } else { Flow::Stop("enough".into()) })
    }
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.item("seen", &mut self.seen)
    }
}

#[test]
fn callbacks_resume_their_counts() {
    let (x, y) = classes();
    let folder = Folder::new("callbacks");
    let (log, build) = (folder.path("log.csv"), network(Adam::new(0.05)));
    let fits: [&dyn Fn() -> Fit<'static>; 4] = [
        &|| fit(12).callback(EarlyStopping::new().monitor("loss").patience(2).restore_best_weights(true)),
        &|| {
            let plateau = ReduceLearningRateOnPlateau::new().monitor("val_loss").factor(0.5).patience(1);
            fit(6).validation_split(0.2).validation_freq(2).callback(plateau.cooldown(1))
        },
        &|| fit(6).callback(StopAfter { most: 13, seen: 0 }),
        &|| {
            let halved = LearningRateScheduler::new(|epoch, rate| if epoch > 1 { rate / 2.0 } else { rate });
            fit(4).callback(halved).callback(CsvLogger::new(&log))
        },
    ];
    for fit in fits {
        same_after_interruptions(&build, fit, &(&x, &y));
    }
}

#[test]
fn csv_lines_are_neither_lost_nor_duplicated() {
    let (x, y) = classes();
    for append in [false, true] {
        let folder = Folder::new("log");
        let log = folder.path("log.csv");
        let build = network(Sgd::new(0.1));
        let run = |points: &[Interrupt], backup: bool| {
            std::fs::write(&log, "epoch,accuracy,loss,val_accuracy,val_loss\n").unwrap();
            for point in points {
                let fit = fit(4).callback(CsvLogger::new(&log).append(append));
                let fit = if backup { fit.backup(folder.backup().save_freq(3)) } else { fit };
                let _ = build().fit(&x, &y, &fit.callback(point.callback()));
            }
            std::fs::read_to_string(&log).unwrap()
        };
        let whole = run(&[Interrupt::Never], false);
        assert_eq!(whole.lines().count(), 5, "{whole}");
        for point in
            [Interrupt::After(0, 2), Interrupt::EpochEnd(0), Interrupt::EpochBegin(2), Interrupt::After(3, 5)]
        {
            assert_eq!(run(&[point, Interrupt::Never], true), whole, "{point:?}");
        }
        assert_eq!(run(&[Interrupt::After(1, 2), Interrupt::EpochEnd(2), Interrupt::Never], true), whole);
    }
}

#[cfg(feature = "npy")]
#[test]
fn checkpoints_resume_their_best_value() {
    let (x, y) = classes();
    let folder = Folder::new("checkpoints");
    let build = network(Sgd::new(0.5));
    let run = |name: &str, points: &[Interrupt]| {
        let files = folder.path(name);
        for point in points {
            let pattern = files.join("{epoch}.npz").display().to_string();
            let best = ModelCheckpoint::new(pattern).monitor("loss").save_best_only(true);
            let fit = fit(6).callback(best).backup(folder.backup().save_freq(3));
            let _ = build().fit(&x, &y, &fit.callback(point.callback()));
        }
        let mut found: Vec<_> = std::fs::read_dir(&files)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap()))
            .collect();
        found.sort();
        found
    };
    let whole = run("whole", &[Interrupt::Never]);
    for (name, point) in
        [("1", Interrupt::After(1, 4)), ("2", Interrupt::EpochEnd(3)), ("3", Interrupt::EpochBegin(5))]
    {
        assert!(run(name, &[point, Interrupt::Never]) == whole, "{point:?}");
    }
}

#[test]
fn the_diagnosis_resumes() {
    let (x, y) = classes();
    // Inputs that are far too large, and a learning rate that is too high.
    let x = x.mapv(|x| x * 500.0);
    let build = || {
        let mut model = Sequential::new().seed(2).input([6]).add(Dense::new(8).activation(Activation::Relu));
        model = model.add(Dense::new(3).activation(Activation::Softmax));
        model.compile(Sgd::new(10.0), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
        model
    };
    for diagnose in [Diagnose::Stop, Diagnose::Report] {
        let fit = || fit(8).diagnose(diagnose);
        let whole = outcome(&build, fit(), &(&x, &y));
        assert!(!whole.findings.is_empty());
        assert_eq!(whole.stopped.is_some(), diagnose == Diagnose::Stop);
        same_after_interruptions(&build, &fit, &(&x, &y));
    }
}

#[test]
fn a_model_without_a_seed_takes_the_seed_of_the_backup() {
    let (x, y) = classes();
    let folder = Folder::new("seed");
    let build = |seed: Option<u64>| {
        let model = Sequential::new().add(Dense::new(8)).add(Dropout::new(0.5));
        let mut model =
            seed.into_iter().fold(model, Sequential::seed).add(Dense::new(3).activation(Activation::Softmax));
        model.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), ()).unwrap();
        model
    };
    let mut first = build(None);
    let with = |point: Interrupt| fit(3).backup(folder.backup().save_freq(3)).callback(point.callback());
    assert!(first.fit(&x, &y, &with(Interrupt::After(1, 2))).is_err());
    let seed = first.random_seed();
    let mut second = build(None);
    let history = second.fit(&x, &y, &with(Interrupt::Never)).unwrap();
    assert_eq!((second.random_seed(), history.seed()), (seed, seed));
    let mut whole = build(Some(seed));
    whole.fit(&x, &y, &fit(3)).unwrap();
    assert_eq!(whole.weights().unwrap(), second.weights().unwrap());
}

#[test]
fn the_backup_is_removed_at_the_end_or_kept_to_train_longer() {
    let (x, y) = classes();
    let folder = Folder::new("end");
    let build = network(Adam::new(0.01));
    build().fit(&x, &y, &fit(2).backup(folder.backup())).unwrap();
    assert!(!folder.backup().path().exists() && !folder.path("backup").exists());
    let kept = || folder.backup().delete_checkpoint(false);
    let mut model = build();
    let history = model.fit(&x, &y, &fit(2).backup(kept())).unwrap();
    let mut again = build();
    let same = again.fit(&x, &y, &fit(2).backup(kept())).unwrap();
    assert_eq!(again.weights().unwrap(), model.weights().unwrap());
    assert_eq!(same.get("loss"), history.get("loss"));
    let longer = build().fit(&x, &y, &fit(5).backup(kept())).unwrap();
    assert_eq!(longer.get("loss"), build().fit(&x, &y, &fit(5)).unwrap().get("loss"));
}

#[test]
fn several_fits_resume_from_separate_folders() {
    let (x, y) = classes();
    let (folder, build) = (Folder::new("fits"), network(Adam::new(0.01)));
    let program = |second: &str, point: Interrupt| {
        let mut model = build();
        let with = |name: &str, point: Interrupt| {
            let backup = BackupAndRestore::new(folder.path(name)).save_freq(3).delete_checkpoint(false);
            fit(3).backup(backup).callback(point.callback())
        };
        model.fit(&x, &y, &with("first", Interrupt::Never))?;
        let history = model.fit(&x, &y, &with(second, point))?;
        Ok::<_, Error>(outcome_of(&model, &history))
    };
    let mut model = build();
    model.fit(&x, &y, &fit(3)).unwrap();
    let history = model.fit(&x, &y, &fit(3)).unwrap();
    assert!(program("second", Interrupt::After(1, 2)).is_err());
    assert_eq!(program("second", Interrupt::Never).unwrap(), outcome_of(&model, &history));
    // In a shared folder, the second fit finds the backup of the first.
    let refused = program("first", Interrupt::Never);
    let Err(Error::Backup(BackupFault::OfAnother { what, .. })) = &refused else { panic!("{refused:?}") };
    assert_eq!(what, "number of epochs trained before");
}

/// A training that becomes infinite in its third epoch keeps the backup of the second.
#[test]
fn a_training_that_ends_by_nan_keeps_its_backup() {
    let (x, y) = classes();
    let build = network(Sgd::new(0.1));
    let burst = || {
        LambdaCallback::new().on_epoch_begin(|at| match at.epoch {
            2 => at.set_learning_rate(f64::from(f32::MAX)),
            _ => Ok(()),
        })
    };
    let whole = build().fit(&x, &y, &fit(4)).unwrap();
    for save_freq in [SaveFreq::Epoch, SaveFreq::Batches(2)] {
        let folder = Folder::new("nan");
        let backup = || folder.backup().save_freq(save_freq);
        let ruined = || fit(4).callback(burst()).backup(backup());
        let error = build().fit(&x, &y, &ruined());
        assert!(matches!(error, Err(Error::Diverged { .. })), "{error:?}");
        assert!(folder.backup().path().exists());
        let stopped = build().fit(&x, &y, &ruined().callback(TerminateOnNaN::new())).err();
        // The backup has another number of callbacks.
        assert!(matches!(stopped, Some(Error::Backup(_))), "{stopped:?}");
        std::fs::remove_file(folder.backup().path()).unwrap();

        let terminated = || ruined().callback(TerminateOnNaN::new());
        assert!(build().fit(&x, &y, &terminated()).unwrap().stopped().is_some());
        assert!(folder.backup().path().exists());
        // It holds the training before the divergence, from which a fixed program continues.
        let nothing = || LambdaCallback::new();
        let fixed = fit(4).callback(nothing()).callback(TerminateOnNaN::new()).backup(backup());
        let history = build().fit(&x, &y, &fixed).unwrap();
        if save_freq == SaveFreq::Epoch {
            assert_eq!(history.get("loss"), whole.get("loss"));
        }
        assert!(!folder.backup().path().exists());
    }
}

/// Stops at the end of the second epoch, after setting a key.
struct StopAt(&'static str, f64);

impl Callback<f32> for StopAt {
    fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        if at.epoch < 1 {
            return Ok(Flow::Continue);
        }
        at.logs.set(self.0, self.1);
        Ok(Flow::Stop("enough".into()))
    }
}

/// Fails at the end.
struct Fails {
    at_findings: bool,
}

impl Callback<f32> for Fails {
    fn on_fit_end(&mut self, _: &mut CallbackContext<f32>) -> Result<()> {
        if self.at_findings { Ok(()) } else { Err(Error::outside(std::fmt::Error)) }
    }
    fn on_findings(&mut self, _: &str) -> Result<()> {
        Err(Error::outside(std::fmt::Error))
    }
}

#[test]
fn only_a_training_that_succeeds_loses_its_backup() {
    let (x, y) = classes();
    let build = network(Sgd::new(0.1));
    let kept = |fit: Fit| {
        let folder = Folder::new("ends");
        let _ = build().fit(&x, &y, &fit.backup(folder.backup()));
        folder.backup().path().exists()
    };
    assert!(!kept(fit(2)));
    assert!(!kept(fit(9).callback(EarlyStopping::new().monitor("loss").min_delta(1e9).patience(2))));
    assert!(!kept(fit(9).callback(StopAt("score", f64::NAN))));
    for key in ["loss", "val_loss"] {
        assert!(!kept(fit(9).callback(StopAt(key, 0.5))));
        assert!(kept(fit(9).callback(StopAt(key, f64::NAN))), "{key}");
        assert!(kept(fit(9).callback(StopAt(key, f64::INFINITY))), "{key}");
    }
    assert!(kept(fit(2).callback(Fails { at_findings: false })));
    // The diagnosis has findings about this learning rate.
    let (findings, mut idle) = (Folder::new("findings"), build());
    idle.compile(Sgd::new(1e-12), SparseCategoricalCrossentropy::new(), ()).unwrap();
    let failing = fit(4).callback(Fails { at_findings: true }).backup(findings.backup());
    assert!(idle.fit(&x, &y, &failing).is_err());
    assert!(findings.backup().path().exists());
}

/// A metric without `state`.
#[derive(Debug, Clone, Default)]
struct Silent(f64);

impl Metric<f32> for Silent {
    fn name(&self) -> &str {
        "silent"
    }
    fn update(&mut self, y_pred: Batch<f32>, _: Batch<f32>, _: Option<&[f32]>) {
        self.0 += f64::from(y_pred.data()[0]);
    }
    fn value(&self) -> f64 {
        self.0
    }
    fn reset(&mut self) {
        self.0 = 0.0;
    }
}

#[test]
fn a_metric_without_state_is_refused_only_for_backups_within_epochs() {
    let (x, y) = classes();
    let folder = Folder::new("metric");
    let mut model = Sequential::new().seed(1).add(Dense::new(3).activation(Activation::Softmax));
    model.compile(Sgd::new(0.1), SparseCategoricalCrossentropy::new(), [Silent::default()]).unwrap();
    let refused = model.clone().fit(&x, &y, &fit(1).backup(folder.backup().save_freq(1)));
    assert!(
        matches!(refused, Err(Error::Argument { argument: "metrics", ref found, .. }) if found.contains("silent"))
    );
    assert!(!folder.path("backup").exists());
    same_with(SaveFreq::Epoch, &|| model.clone(), &|| fit(3), &(&x, &y));
}
