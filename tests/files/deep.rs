//! What `save` writes, `load` reads: names, masks, and tensors of other programs.

use std::path::PathBuf;

use cornu::ndarray::{Array2, array};
use cornu::prelude::*;

/// A folder for the files of a test file.
pub fn folder_of(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn folder() -> PathBuf {
    folder_of("deep")
}

/// The bits of all weights.
pub fn bits(model: &Sequential) -> Vec<u32> {
    model.weights().unwrap().iter().flat_map(|(_, w)| w.iter().map(|w| w.to_bits())).collect()
}

#[track_caller]
fn check(name: &str, model: &mut Sequential) {
    model.build().unwrap();
    for end in ["keras", "safetensors"] {
        let path = folder().join(format!("{name}.{end}"));
        model.save(&path).unwrap();
        let again = Sequential::load(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(bits(&again), bits(model), "{name}.{end}");
        std::fs::remove_file(&path).unwrap();
    }
    for end in ["npz", "safetensors", "weights.h5"] {
        let path = folder().join(format!("{name}-weights.{end}"));
        model.save_weights(&path).unwrap();
        let mut again = model.clone().seed(99);
        again.load_weights(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        std::fs::remove_file(&path).unwrap();
    }
    let text = model.to_json().unwrap();
    assert_eq!(Sequential::<f32>::from_json(&text).unwrap().layers().len(), model.layers().len());
}

/// A recurrent network with masks, trained for two epochs.
fn trained(seed: u64) -> (Sequential, Array2<f32>, Array2<f32>) {
    let mut model = Sequential::new()
        .seed(seed)
        .input([3, 2])
        .add(Bidirectional::new(Lstm::new(4).dropout(0.2).recurrent_dropout(0.3).return_sequences(true)))
        .add(Gru::new(3).dropout(0.4))
        .add(Dropout::new(0.2))
        .add(Dense::new(1));
    model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
    let x = Array2::from_shape_fn((12, 6), |(i, j)| ((i * 7 + j * 5) % 11) as f32 / 5.0 - 1.0);
    let y = Array2::from_shape_fn((12, 1), |(i, _)| (i % 3) as f32);
    (model, x, y)
}

#[test]
fn a_loaded_model_goes_on_with_the_same_masks() {
    let (mut model, x, y) = trained(5);
    let x = x.into_shape_with_order((12, 3, 2)).unwrap();
    let fit = Fit::new().epochs(2).batch_size(4).verbose(Verbose::Silent);
    model.fit(&x, &y, &fit).unwrap();
    for end in ["keras", "safetensors"] {
        let path = folder().join(format!("masks.{end}"));
        model.save(&path).unwrap();
        let mut again = Sequential::load(&path).unwrap();
        let mut other = model.clone();
        again.fit(&x, &y, &fit).unwrap();
        other.fit(&x, &y, &fit).unwrap();
        assert_eq!(bits(&again), bits(&other), "{end}");
        std::fs::remove_file(&path).unwrap();
    }
}

/// A `.safetensors` file with a tensor of this type and the weights of `Dense::new(1)` over two inputs.
fn torch(kind: &str, bytes: usize) -> PathBuf {
    let header = format!(
        r#"{{"other":{{"dtype":"{kind}","shape":[3],"data_offsets":[0,{}]}},"w":{{"dtype":"F32","shape":[1,2],"data_offsets":[{},{}]}},"b":{{"dtype":"BF16","shape":[1],"data_offsets":[{},{}]}}}}"#,
        3 * bytes,
        3 * bytes,
        3 * bytes + 8,
        3 * bytes + 8,
        3 * bytes + 10,
    );
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(vec![1; 3 * bytes]);
    file.extend([0.5f32, -2.0].iter().flat_map(|w| w.to_le_bytes()));
    file.extend([0x80, 0x3f]); // 1 as bfloat16
    let path = folder().join(format!("torch-{kind}.safetensors"));
    std::fs::write(&path, file).unwrap();
    path
}

#[test]
fn tensors_that_nobody_asks_for_may_have_any_type() {
    let known = [("BOOL", 1), ("U8", 1), ("I8", 1), ("F8_E4M3", 1), ("I16", 2), ("U64", 8), ("C64", 8)];
    // Three numbers of 6 bits need 3 bytes; the size of a type that is not known is not checked.
    for (kind, bytes) in
        known.into_iter().chain([("F8_E4M3FNUZ", 1), ("F6_E2M3", 1), ("F4", 2), ("F4096", 512)])
    {
        let path = torch(kind, bytes);
        let mut model = Sequential::new().input([2]).add(Dense::new(1).name("F1"));
        model.build().unwrap();
        model.load_torch_weights(&path, [("w", "F1/kernel"), ("b", "F1/bias")]).unwrap();
        assert_eq!(model.predict(&array![[1.0, 1.0]]).unwrap(), array![[-0.5]].into_dyn(), "{kind}");
        let asked = model.load_torch_weights(&path, [("w", "F1/kernel"), ("other", "F1/bias")]).unwrap_err();
        let text = asked.to_string();
        assert!(text.contains("`other`") || text.contains("other:"), "{text}");
        assert!(text.contains(&format!("found {kind}")), "{text}");
        assert!(Sequential::<f32>::load(&path).is_err());
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn names_that_no_file_can_hold_are_refused() {
    for name in ["a/b", "a\\b", "..", ".", "", "a:b", "a\nb", "a\0"] {
        let mut model = Sequential::new().input([2]).add(Dense::new(1).name(name));
        let error = model.build().unwrap_err();
        assert!(matches!(error, Error::Argument { argument: "name", .. }), "{error}");
        let mut model = Sequential::new().input([2]).add(Residual::new().add(Dense::new(2).name(name)));
        assert!(model.build().is_err(), "{name:?}");
    }
    // The last are words of the formats themselves.
    for name in ["a.b", "...", "größe", "層", "a b", "-", &"a".repeat(30_000), "optimizer", "layers", "vars"]
    {
        let mut model = Sequential::new()
            .input([2])
            .add(Dense::new(2).name(name))
            .add(Residual::new().add(Dense::new(2).name(name)).name("r"));
        model.compile(Adam::new(0.1), MeanSquaredError::new(), ()).unwrap();
        let x = array![[1.0, 2.0]];
        model.fit(&x, &x, &Fit::new().verbose(Verbose::Silent)).unwrap();
        check("names", &mut model);
    }
    let mut model = Sequential::new().input([2]).add(Dense::new(1).name("a".repeat(40_000)));
    model.build().unwrap();
    let error = model.save_weights(folder().join("long.npz")).unwrap_err();
    assert!(error.to_string().contains("a name of more than 32768 bytes"), "{error}");
}
