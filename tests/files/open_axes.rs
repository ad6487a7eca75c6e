//! Models with open axes in files.

use cornu::ndarray::Array3;
use cornu::prelude::*;
use cornu::save::Loader;

fn model() -> Sequential {
    let mut model = Sequential::new()
        .seed(1)
        .input([None, Some(3)])
        .add(Residual::new().add(Conv1D::new(3, 3).padding(Padding::Same)))
        .add(TimeDistributed::new(Dense::new(4)))
        .add(Gru::new(5))
        .add(Dense::new(2));
    model.build().unwrap();
    model
}

fn x(steps: usize) -> Array3<f32> {
    Array3::from_shape_fn((4, steps, 3), |(i, j, k)| ((7 * i + 3 * j + k) % 11) as f32 / 11.0)
}

#[test]
fn open_axes_are_saved_and_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let saved = model();
    // The length of the last samples is not part of the file.
    for name in ["m.keras", "m.safetensors"] {
        let path = folder.path().join(name);
        saved.save(&path).unwrap();
        let loaded = Sequential::load(&path).unwrap();
        assert_eq!(loaded.input_axes().unwrap().to_string(), "(None, 3)", "{name}");
        for steps in [1, 6, 20] {
            assert_eq!(loaded.predict(&x(steps)).unwrap(), saved.predict(&x(steps)).unwrap(), "{name}");
        }
        let fixed = Loader::<f32>::new().input_shape([20, 3]).load(&path).unwrap();
        assert_eq!(fixed.predict(&x(20)).unwrap(), saved.predict(&x(20)).unwrap(), "{name}");
        assert!(matches!(fixed.predict(&x(6)), Err(Error::SampleShape { .. })), "{name}");
        assert!(Loader::<f32>::new().input_shape([20, 4]).load(&path).is_err(), "{name}");
    }
    let json = saved.to_json().unwrap();
    assert!(json.contains("null"));
    assert_eq!(Sequential::<f32>::from_json(&json).unwrap().input_axes(), saved.input_axes());
}

#[test]
fn a_summary_shows_open_axes() {
    let summary = model().summary().to_string();
    assert!(summary.contains("(None, None, 4)"), "{summary}");
    assert!(summary.contains("(None, 5)"), "{summary}");
    assert!(model().to_dot().contains("input (None, 3)"));
}

#[cfg(feature = "onnx")]
#[test]
fn onnx_graphs_are_open_unless_an_operator_needs_the_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    let mut plain = Sequential::new()
        .seed(1)
        .input([None, Some(3)])
        .add(Conv1D::new(3, 3))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(2));
    plain.build().unwrap();
    plain.export_onnx(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.windows(12).any(|part| part == b"input_axis_1"));
    let mut pooled =
        Sequential::new().seed(1).input([None, Some(3)]).add(AdaptiveMaxPooling1D::new(4).name("P"));
    pooled.build().unwrap();
    let error = pooled.export_onnx(&path).unwrap_err().to_string();
    assert!(error.starts_with("layer 0 `P` (AdaptiveMaxPooling1D)"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the file is unchanged");
}
