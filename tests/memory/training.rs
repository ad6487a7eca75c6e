//! A training takes little memory beyond its data.

use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

pub fn a_training_takes_little_memory_beyond_its_data() {
    let x = Array2::from_shape_fn((5000, 6000), |(i, j)| ((i * 31 + j * 17) % 97) as f32 / 97.0);
    let y = Array1::from_iter((0..5000).map(|i| i % 5));
    let dense = |units| Dense::new(units).activation(Activation::Relu);
    let (history, bytes) = crate::peak::peak(|| {
        let mut model = Sequential::new().seed(1).add(dense(40)).add(dense(10)).add(Dense::new(5));
        let loss = SparseCategoricalCrossentropy::new().from_logits(true);
        model.compile(Sgd::new(0.01), loss, [Accuracy::new()]).unwrap();
        model.fit(&x, &y, &Fit::new().batch_size(50).validation_split(0.2).verbose(Verbose::Silent)).unwrap()
    });
    assert!(history.last("loss").is_some());
    // "Training `signal` takes 5.8 MB of memory beyond its data"; threads and instruction sets make a small difference.
    let guide = include_str!("../../src/guide/speed.md");
    let stated = guide.split(" MB of memory beyond its data").next().and_then(|text| text.rsplit(' ').next());
    let stated: f64 = stated.expect("a figure").parse().expect("a number");
    assert!((bytes as f64 / 1e6 - stated).abs() < 0.3, "{bytes} bytes, where the guide states {stated} MB");
    println!("{bytes} bytes beyond the data");
}
