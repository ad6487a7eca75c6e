//! Every layer of the roster is saved and loaded in each format, and predicts the same bits.

use cornu::ndarray::{ArrayD, IxDyn};
use cornu::prelude::*;

use crate::deep::{bits, folder_of};
use crate::roster;

#[test]
fn every_layer_predicts_the_same_after_save_and_load() {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("round_trip");
    std::fs::create_dir_all(&folder).unwrap();
    for (number, case) in roster::layers::<f32>().into_iter().enumerate() {
        let mut model = case.model();
        model.build().unwrap();
        let mut rng = Rng::stream(22, number as u64);
        let shape = [&[3], &case.shape[..]].concat();
        let x = ArrayD::from_shape_simple_fn(IxDyn(&shape), || match case.takes_indices() {
            true => (rng.uniform() * 7.0).floor() as f32,
            false => rng.normal() as f32,
        });
        let bits = |model: &Sequential| -> Vec<u32> {
            model.predict(&x).unwrap().iter().map(|y| y.to_bits()).collect()
        };
        for end in ["keras", "safetensors"] {
            let path = folder.join(format!("{number}-{}", case.layer.kind())).with_extension(end);
            model.save(&path).unwrap();
            let again = Sequential::load(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            assert_eq!(bits(&again), bits(&model), "{path:?}");
        }
    }
}

#[test]
fn a_model_that_is_not_built_is_saved_with_its_initial_weights() {
    let block = || Residual::new().add(Conv1D::new(2, 3).padding(Padding::Same)).shortcut(Dense::new(2));
    for input in [[Some(5), Some(3)], [None, Some(3)]] {
        let model = Sequential::new().seed(4).input(input).add(block()).add(GlobalMaxPooling1D::new());
        let mut built = model.clone();
        built.build().unwrap();
        for end in ["keras", "safetensors"] {
            let path = folder_of("round_trip").join(format!("unbuilt.{end}"));
            model.save(&path).unwrap();
            let again = Sequential::load(&path).unwrap();
            assert_eq!(bits(&again), bits(&built), "{end}");
            assert_eq!(again.input_axes(), model.input_axes(), "{end}");
        }
        if cfg!(feature = "onnx") {
            model.save(folder_of("round_trip").join("unbuilt.onnx")).unwrap();
        }
        assert_eq!(model.output_shape(), None);
    }
    // Without a shape there are no weights to save.
    let model = Sequential::new().add(Dense::<f32>::new(2));
    for end in ["keras", "safetensors"] {
        let path = folder_of("round_trip").join(format!("shapeless.{end}"));
        model.save(&path).unwrap();
        assert_eq!(Sequential::load(&path).unwrap().output_shape(), None, "{end}");
    }
}
