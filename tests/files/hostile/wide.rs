//! Layers with wide samples in small files: they load within the promised memory, as nothing is stored per
//! value of a sample.

use cornu::ndarray::{ArrayD, Dimension, IxDyn};

use super::*;

#[track_caller]
fn check(what: &str, input: &[usize], model: Sequential) {
    let mut model = model.input(input);
    model.build().unwrap();
    let output: usize = model.output_shape().unwrap().iter().product();
    assert!(output > 250_000, "{what}: {output} numbers would fit");
    let shape: Vec<usize> = std::iter::once(1).chain(input.iter().copied()).collect();
    let x = ArrayD::from_shape_fn(IxDyn(&shape), |at| at.slice().iter().sum::<usize>() as f32 % 7.0 - 3.0);
    let expected = model.predict(&x).unwrap();
    for (end, format) in [("keras", Format::Keras), ("safetensors", Format::SafeTensors)] {
        let path = file(end);
        model.save(&path).unwrap();
        let loaded = load(format, &std::fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(loaded.predict(&x).unwrap(), expected, "{what}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn wide_samples_take_no_memory() {
    let new = Sequential::new;
    check("repeated", &[3], new().add(RepeatVector::new(100_000)));
    check("turned", &[700, 500], new().add(Permute::new([2, 1])));
    check("permuted", &[70, 50, 100], new().add(Permute::new([3, 1, 2])));
    check("padded", &[500, 3], new().add(ZeroPadding1D::new(100_000, 1)));
    check("padded on all sides", &[5, 4, 3], new().add(ZeroPadding2D::new([100, 200], [300, 100])));
    check("cropped", &[200_000, 2], new().add(Cropping1D::new(1, 2)));
    check("cropped on all sides", &[400, 500, 2], new().add(Cropping2D::new([1, 2], [3, 4])));
    check("repeated", &[5, 3], new().add(UpSampling1D::new(50_000)));
    check("repeated pixels", &[5, 4, 3], new().add(UpSampling2D::new([60, 80])));
    let bilinear = UpSampling2D::new([60, 80]).interpolation(Interpolation::Bilinear);
    check("interpolated pixels", &[5, 4, 3], new().add(bilinear));
    check("largest of pieces", &[5, 3], new().add(AdaptiveMaxPooling1D::new(100_000)));
    check("means of pieces", &[200, 300, 3], new().add(AdaptiveAveragePooling2D::new([300, 400])));
    // The slopes are in the file; shared slopes are few.
    check("slopes", &[400_000], new().add(PRelu::new().alpha_initializer(Initializer::Constant(0.25))));
    check("shared slopes", &[100_000, 3], new().add(PRelu::new().shared_axes([1])));
}

#[test]
fn samples_of_impossible_size_are_refused() {
    for (layer, input) in [
        (RepeatVector::new(1 << 40).into_named(), &[3][..]),
        (UpSampling1D::new(1 << 62).into_named(), &[5, 3]),
        (AdaptiveMaxPooling1D::new(1 << 62).into_named(), &[5, 3]),
        (AdaptiveAveragePooling2D::new([usize::MAX, 2]).into_named(), &[5, 3, 2]),
        (UpSampling2D::new([1 << 62, 1 << 62]).into_named(), &[5, 3, 2]),
        (UpSampling2D::new([1, usize::MAX]).interpolation(Interpolation::Bilinear).into_named(), &[5, 1, 2]),
    ] {
        let mut model = Sequential::new().input(input).add(layer);
        let error = model.build().unwrap_err();
        assert!(error.to_string().contains("too many elements"), "{error}");
    }
}
