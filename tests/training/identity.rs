//! A backup is continued only by the training that wrote it: every setting of a layer counts, and the rows of a source.

use crate::interrupted::{Folder, Interrupt, classes, fit};
use cornu::data::source_fn;
use cornu::error::BackupFault;
use cornu::layer::NamedLayer;
use cornu::prelude::*;

fn model(layer: NamedLayer) -> Sequential {
    let mut model = Sequential::new()
        .seed(1)
        .input([6])
        .add(Reshape::new([3, 2]))
        .add(layer)
        .add(Flatten::new())
        .add(Dense::new(3).activation(Activation::Softmax));
    model.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    model
}

/// Interrupts a training with layer `a`, and continues it with `b`, which differs in one setting.
#[track_caller]
fn check(setting: &str, a: impl Layer<f32> + 'static, b: impl Layer<f32> + 'static) {
    let folder = Folder::new("identity");
    let (x, y) = classes();
    let with =
        |interrupt: Interrupt| fit(4).backup(folder.backup().save_freq(2)).callback(interrupt.callback());
    let (a, b) = (a.into_named(), b.into_named());
    assert!(model(a.clone()).fit(&x, &y, &with(Interrupt::After(1, 4))).is_err());
    let refused = model(b).fit(&x, &y, &with(Interrupt::Never));
    let Err(Error::Backup(BackupFault::OfAnother { what, there, here, .. })) = &refused else {
        panic!("{setting}: {refused:?}")
    };
    assert!(what.starts_with("layer 1") && what.contains(setting) && there != here, "{setting}: {what}");
    assert!(model(a).fit(&x, &y, &with(Interrupt::Never)).is_ok(), "{setting}");
}

#[test]
fn a_layer_that_differs_in_one_setting_is_refused() {
    check("stddev", GaussianNoise::new(0.1), GaussianNoise::new(0.9));
    check("rate", GaussianDropout::new(0.1), GaussianDropout::new(0.9));
    check("epsilon", BatchNormalization::new(), BatchNormalization::new().epsilon(0.1));
    check("momentum", BatchNormalization::new(), BatchNormalization::new().momentum(0.5));
    check("epsilon", LayerNormalization::new(), LayerNormalization::new().epsilon(0.1));
    check("padding", Conv1D::new(2, 3).padding(Padding::Same), Conv1D::new(2, 3).padding(Padding::Causal));
    check(
        "dilation_rate",
        Conv1D::new(2, 2).padding(Padding::Same),
        Conv1D::new(2, 2).padding(Padding::Same).dilation_rate(2),
    );
    check(
        "pool_size",
        MaxPooling1D::new(2).strides(1).padding(Padding::Same),
        MaxPooling1D::new(3).strides(1).padding(Padding::Same),
    );
    check("go_backwards", Lstm::new(3), Lstm::new(3).go_backwards(true));
    check("reset_after", Gru::new(3).use_bias(false), Gru::new(3).use_bias(false).reset_after(false));
    check("recurrent_activation", Lstm::new(3), Lstm::new(3).recurrent_activation(Activation::HardSigmoid));
    check("axis", Softmax::new(), Softmax::new().axis(1));
    check(
        "merge_mode",
        Bidirectional::new(Lstm::new(2)).merge_mode(MergeMode::Sum),
        Bidirectional::new(Lstm::new(2)).merge_mode(MergeMode::Ave),
    );
    let inner = |backwards| Residual::new().add(Lstm::new(2).return_sequences(true).go_backwards(backwards));
    check("go_backwards", inner(false), inner(true));
    check(
        "variance",
        Normalization::new().statistics([1.0, 2.0], [1.0, 1.0]),
        Normalization::new().statistics([1.0, 2.0], [1.0, 2.0]),
    );
    check("scale", Rescaling::new(1.0), Rescaling::new(2.0));
    check("activity_regularizer", Dense::new(3), Dense::new(3).activity_regularizer(Regularizer::L2(0.1)));
    check("kernel_initializer", Dense::new(3), Dense::new(3).kernel_initializer(Initializer::HeNormal));
    check("trainable", UnitNormalization::new(), UnitNormalization::new().trainable(false));
}

#[test]
fn a_callback_with_other_settings_is_refused() {
    let (x, y) = classes();
    let stopping = || EarlyStopping::new().monitor("loss").patience(9);
    let plateau = || ReduceLearningRateOnPlateau::new().monitor("loss").patience(9);
    type Makes<'a> = Box<dyn Fn() -> Box<dyn cornu::callback::Callback<f32>> + 'a>;
    let pairs: [(&str, Makes, Makes); 6] = [
        ("patience", Box::new(|| Box::new(stopping())), Box::new(|| Box::new(stopping().patience(1)))),
        ("min_delta", Box::new(|| Box::new(stopping())), Box::new(|| Box::new(stopping().min_delta(0.5)))),
        (
            "restore_best_weights",
            Box::new(|| Box::new(stopping())),
            Box::new(|| Box::new(stopping().restore_best_weights(true))),
        ),
        ("factor", Box::new(|| Box::new(plateau())), Box::new(|| Box::new(plateau().factor(0.5)))),
        ("cooldown", Box::new(|| Box::new(plateau())), Box::new(|| Box::new(plateau().cooldown(3)))),
        ("patience", Box::new(|| Box::new(plateau())), Box::new(|| Box::new(plateau().patience(1)))),
    ];
    for (setting, a, b) in pairs {
        let folder = Folder::new("identity-callback");
        let with = |callback: &Makes, interrupt: Interrupt| {
            let fit = fit(4).backup(folder.backup().save_freq(2)).callback(callback());
            model(Dense::new(3).into_named()).fit(&x, &y, &fit.callback(interrupt.callback()))
        };
        assert!(with(&a, Interrupt::After(1, 4)).is_err());
        let refused = with(&b, Interrupt::Never);
        let Err(Error::Backup(BackupFault::OfAnother { what, .. })) = &refused else {
            panic!("{setting}: {refused:?}")
        };
        assert!(what.contains(setting), "{setting}: {what}");
        assert!(with(&a, Interrupt::Never).is_ok(), "{setting}");
    }
}

#[test]
fn an_optimizer_with_another_schedule_is_refused() {
    use cornu::optimizer::{CosineDecay, LearningRate, PiecewiseConstantDecay, WeightAverage};
    let (x, y) = classes();
    let with = |optimizer: Box<dyn Optimizer<f32>>, folder: &Folder, interrupt: Interrupt| {
        let mut model = model(Dense::new(3).into_named());
        model.compile(optimizer, SparseCategoricalCrossentropy::new(), ()).unwrap();
        model.fit(&x, &y, &fit(4).backup(folder.backup().save_freq(2)).callback(interrupt.callback()))
    };
    let cosine = |steps, alpha| LearningRate::from(CosineDecay::new(0.1, steps).alpha(alpha));
    let piecewise = |end| LearningRate::from(PiecewiseConstantDecay::new([end], [0.1, 0.01]));
    for (a, b) in [
        (cosine(10, 0.0), cosine(11, 0.0)),
        (cosine(10, 0.0), cosine(10, 0.1)),
        (cosine(10, 0.0), LearningRate::from(0.1)),
        (piecewise(1000), piecewise(1001)),
    ] {
        let folder = Folder::new("identity-schedule");
        let plain = |rate: &LearningRate| Box::new(Sgd::new(rate.clone()));
        assert!(with(plain(&a), &folder, Interrupt::After(1, 4)).is_err());
        let refused = with(plain(&b), &folder, Interrupt::Never);
        let Err(Error::Backup(BackupFault::OfAnother { what, .. })) = &refused else {
            panic!("{a:?}: {refused:?}")
        };
        assert_eq!(what, "optimizer");
        assert!(with(plain(&a), &folder, Interrupt::Never).is_ok(), "{a:?}");
    }
    let folder = Folder::new("identity-average");
    let average = |momentum| Box::new(Sgd::new(0.1).average_weights(WeightAverage::new(momentum)));
    assert!(with(average(0.5), &folder, Interrupt::After(1, 4)).is_err());
    assert!(matches!(with(average(0.6), &folder, Interrupt::Never), Err(Error::Backup(_))));
}

#[test]
fn a_source_with_other_rows_is_refused() {
    let folder = Folder::new("identity-source");
    let (x, y) = classes();
    let source = |shift: f32| {
        let (x, y) = (x.clone(), y.clone());
        source_fn(40, [6], [1], move |index, to: &mut [f32], target: &mut [f32]| {
            to.iter_mut().zip(x.row(index)).for_each(|(to, x)| *to = x + shift);
            target[0] = y[index] as f32;
            Ok(())
        })
    };
    let with =
        |interrupt: Interrupt| fit(4).backup(folder.backup().save_freq(2)).callback(interrupt.callback());
    let dense = || model(Dense::new(3).into_named());
    assert!(dense().fit_source(&source(0.0), &with(Interrupt::After(1, 4))).is_err());
    let refused = dense().fit_source(&source(1.0), &with(Interrupt::Never));
    let Err(Error::Backup(BackupFault::OfAnother { what, .. })) = &refused else { panic!("{refused:?}") };
    assert!(what.starts_with("sum over a sample of the data"), "{what}");
    assert!(dense().fit_source(&source(0.0), &with(Interrupt::Never)).is_ok());
}
