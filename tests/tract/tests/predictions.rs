//! tract predicts the same as cornu from exported files, for batches of any size.

#[path = "../../files/onnx/cases.rs"]
mod cases;

use cases::{Case, cases};
use cornu::ndarray::{ArrayD, Axis, Slice};
use tract_onnx::prelude::*;

fn tensor(values: &ArrayD<f32>) -> TractResult<Tensor> {
    Tensor::from_shape(values.shape(), values.as_standard_layout().as_slice().unwrap_or_default())
}

/// The largest deviation, relative for values above 1.
fn check(path: &std::path::Path, x: &ArrayD<f32>, y: &ArrayD<f32>) -> TractResult<f32> {
    let model = tract_onnx::onnx().model_for_path(path)?.into_optimized()?.into_runnable()?;
    let mut worst = 0.0f32;
    for batch in [1, 2, 7] {
        let [x, y] = [x, y].map(|all| all.slice_axis(Axis(0), Slice::from(..batch)).to_owned());
        let found = model.run(tvec!(tensor(&x)?.into()))?;
        let found = found[0].to_array_view::<f32>()?;
        assert_eq!(found.shape(), y.shape(), "{}", path.display());
        for (found, y) in found.iter().zip(&y) {
            worst = worst.max((found - y).abs() / y.abs().max(1.0));
            assert!(!found.is_nan(), "{}", path.display());
        }
    }
    Ok(worst)
}

#[test]
fn tract_predicts_like_cornu() {
    let folder = std::env::temp_dir().join(format!("cornu-tract-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (mut failed, mut worst, mut count) = (Vec::new(), 0.0f32, 0);
    for Case { name, model, x, y } in cases() {
        let path = folder.join(&name).with_extension("onnx");
        model.export_onnx(&path).unwrap();
        match std::panic::catch_unwind(|| check(&path, &x, &y)) {
            Ok(Ok(difference)) if difference <= 1e-5 => {
                worst = worst.max(difference);
                count += 1;
            }
            Ok(Ok(difference)) => failed.push(format!("{name}: off by {difference:e}")),
            Ok(Err(error)) => failed.push(format!("{name}: {error:?}")),
            Err(_) => failed.push(format!("{name}: a panic")),
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    println!("{count} models agree to within {worst:e}");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(count > 100);
}
