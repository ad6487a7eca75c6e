//! Every layer of the roster is saved and loaded in each format, and predicts the same bits.

use cornu::ndarray::{ArrayD, IxDyn};
use cornu::prelude::*;

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
