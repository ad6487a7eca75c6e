//! Rust API Guidelines that the compiler can check: C-SEND-SYNC, C-GOOD-ERR, C-COMMON-TRAITS; and what the prelude
//! exports of the layers.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::fs;

use cornu::callback::Logs;
use cornu::diagnosis::{Finding, Findings};
use cornu::error::{BackupFault, FileError};
use cornu::layer::NamedLayer;
use cornu::prelude::*;
use cornu::save::Loader;
use cornu::selection::{HyperParameters, LearningRateFinder, RangeTest, Search, SearchResults, Trial};

#[test]
fn public_types_are_send_and_sync() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Sequential>();
    shared::<Sequential<f64>>();
    shared::<NamedLayer<f32>>();
    shared::<History>();
    shared::<Logs>();
    shared::<Findings>();
    shared::<Finding>();
    shared::<Loader>();
    shared::<Rng>();
    shared::<Activation>();
    shared::<Initializer>();
    shared::<ConfusionMatrix>();
    shared::<LabelEncoder<String>>();
    shared::<Search>();
    shared::<SearchResults>();
    shared::<Trial>();
    shared::<HyperParameters>();
    shared::<LearningRateFinder>();
    shared::<RangeTest>();
}

#[test]
fn errors_are_std_errors_and_send_and_sync() {
    fn good<E: std::error::Error + Display + Debug + Clone + Send + Sync + 'static>() {}
    good::<Error>();
    good::<FileError>();
    good::<BackupFault>();
}

#[test]
fn public_types_are_clone_and_debug() {
    fn common<T: Clone + Debug>() {}
    common::<Sequential>();
    common::<History>();
    common::<Findings>();
    common::<ConfusionMatrix>();
    common::<ClassificationReport>();
    common::<Evaluate<'static>>();
    common::<EarlyStopping>();
    common::<SearchResults>();
    fn shown<T: Display>() {}
    shown::<Findings>();
    shown::<Logs>();
    shown::<ConfusionMatrix>();
    shown::<SearchResults>();
    shown::<RangeTest>();
}

#[test]
fn settings_are_comparable() {
    use cornu::optimizer::{CosineDecay, ExponentialDecay};
    fn compared<T: Clone + Debug + PartialEq>() {}
    compared::<SparseCategoricalCrossentropy>();
    compared::<BinaryFocalCrossentropy>();
    compared::<Huber>();
    compared::<CosineDecay>();
    compared::<ExponentialDecay>();
    compared::<LearningRateFinder>();
    compared::<RangeTest>();
    compared::<Rng>();
    assert_eq!(Huber::new(), Huber::new().delta(1.0));
    assert_ne!(Huber::new(), Huber::new().delta(2.0));
}

#[test]
fn families_export_their_layers_and_nothing_else() {
    let mut exported = BTreeSet::new();
    for family in fs::read_dir("src/layer").unwrap() {
        let Ok(text) = fs::read_to_string(family.unwrap().path().join("mod.rs")) else { continue };
        let items = text.split("\npub use ").skip(1).filter_map(|item| item.split(';').next());
        let words = items.flat_map(|item| item.split(|c: char| !c.is_alphanumeric() && c != '_'));
        exported.extend(words.filter(|word| word.starts_with(char::is_uppercase)).map(str::to_lowercase));
    }
    // The prelude exports `Activation` from the root of the crate, and the settings of layers beside the layers.
    // Keras's `RNN` is named after its cells.
    let loader = Loader::new();
    let layers = loader.layer_kinds().filter(|kind| !["Activation", "RNN"].contains(kind)).chain([
        "Interpolation",
        "Merge",
        "MergeMode",
        "OutputMode",
        "StackedRnnCells",
    ]);
    assert_eq!(exported, layers.map(str::to_lowercase).collect());
}
