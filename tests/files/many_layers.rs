//! What `save` writes, `load` reads: models of up to 1000 layers of every kind in every format, and layers with long lists.

use std::path::PathBuf;

use cornu::ndarray::{Array2, ArrayD, IxDyn};
use cornu::prelude::*;

use crate::deep::{bits, folder_of};
use crate::hostile::memory;
use crate::roster::{self, LayerCase};

fn folder() -> PathBuf {
    folder_of("many_layers")
}

/// Saves and loads the model in every format, each time within the promised memory.
#[track_caller]
fn check(name: &str, mut model: Sequential) {
    model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
    let shape = [&[2], model.input_shape().unwrap()].concat();
    let mut rng = Rng::new(9);
    let x = ArrayD::from_shape_simple_fn(IxDyn(&shape), || (rng.uniform() * 7.0).floor() as f32);
    let expected = model.predict(&x).unwrap().mapv(f32::to_bits);
    #[track_caller]
    fn read<T>(name: &str, end: &str, path: &PathBuf, read: impl FnOnce() -> Result<T>) -> T {
        let file = std::fs::read(path).unwrap();
        let limit = memory::promised(end, &file);
        drop(file);
        let result = memory::within(limit, read);
        std::fs::remove_file(path).unwrap();
        result.unwrap_or_else(|error| panic!("{name}.{end}: {error}"))
    }
    for end in ["keras", "safetensors"] {
        let path = folder().join(format!("{name}.{end}"));
        model.save(&path).unwrap();
        let again = read(name, end, &path, || Sequential::load(&path));
        assert_eq!(bits(&again), bits(&model), "{name}.{end}");
        assert_eq!(again.predict(&x).unwrap().mapv(f32::to_bits), expected, "{name}.{end}");
        assert_eq!(again.compile_config().unwrap(), model.compile_config().unwrap(), "{name}.{end}");
    }
    if model.weights().unwrap().is_empty() {
        return;
    }
    let text = model.to_json().unwrap();
    let empty = Sequential::<f32>::from_json(&text).unwrap().seed(99);
    for end in ["npz", "safetensors", "weights.h5"] {
        let path = folder().join(format!("{name}-weights.{end}"));
        model.save_weights(&path).unwrap();
        let mut again = empty.clone();
        again.build().unwrap();
        read(name, end, &path, || again.load_weights(&path));
        assert_eq!(again.predict(&x).unwrap().mapv(f32::to_bits), expected, "{name}.{end}");
    }
}

/// A chain of layers of the roster. Between two layers whose shapes differ there are others that change the shape.
struct Chain {
    model: Sequential,
    shape: Vec<usize>,
    count: usize,
}

impl Chain {
    fn new(shape: &[usize]) -> Self {
        Chain { model: Sequential::new().seed(3).input(shape), shape: shape.to_vec(), count: 0 }
    }

    fn push(&mut self, layer: impl Layer<f32> + 'static) {
        let layer = layer.into_named();
        let label = format!("{}_{}", layer.label().to_lowercase(), self.count);
        self.model = std::mem::take(&mut self.model).add(layer.name(label));
        self.count += 1;
    }

    fn add(&mut self, case: &LayerCase<f32>) {
        let len = |shape: &[usize]| shape.iter().product::<usize>();
        if self.shape != case.shape {
            if self.shape.len() > 1 {
                self.push(Flatten::new());
            }
            if len(&self.shape) != len(&case.shape) {
                self.push(Dense::new(len(&case.shape)));
            }
            if case.shape.len() > 1 {
                self.push(Reshape::new(case.shape.iter().map(|&size| size as isize).collect::<Vec<_>>()));
            }
        }
        if case.takes_indices() && self.count > 0 {
            // All numbers become the index 2.
            self.push(Activation::Threshold { threshold: 1e30, default_value: 2.0 });
        }
        self.push(case.layer.clone());
        let mut alone = case.model();
        alone.build().unwrap();
        self.shape = alone.output_shape().unwrap().to_vec();
    }
}

#[test]
fn models_of_many_layers_of_one_kind_are_read() {
    for (number, case) in roster::layers::<f32>().iter().enumerate() {
        // Those that keep the shape need no others between, and have the shortest settings.
        let mut alone = case.model();
        alone.build().unwrap();
        let most = if alone.output_shape() == Some(&case.shape) { 1000 } else { 100 };
        for count in [10, 100, 1000].into_iter().filter(|count| *count <= most) {
            let mut chain = Chain::new(&case.shape);
            (0..count).for_each(|_| chain.add(case));
            check(&format!("{number}-{}-{count}", case.layer.kind()), chain.model);
        }
    }
}

#[test]
fn a_model_of_a_thousand_layers_of_all_kinds_is_read() {
    let cases = roster::layers::<f32>();
    let mut chain = Chain::new(&cases[0].shape);
    for case in cases.iter().cycle() {
        if chain.count >= 1000 {
            break;
        }
        chain.add(case);
    }
    check("all", chain.model);
}

#[test]
fn long_lists_of_numbers_are_read() {
    for len in [9_200, 100_000, 300_000] {
        for (mean, variance) in [(0.0, 1.0), (0.123_456_789, 1e-3)] {
            let layer = Normalization::new().statistics(vec![mean; len], vec![variance; len]);
            check(&format!("given-{len}"), Sequential::new().input([len]).add(layer));
        }
    }
    let len = 100_000;
    let x = Array2::from_shape_fn((3, len), |(i, j)| ((i * 5 + j) % 7) as f32);
    check("adapted", Sequential::new().input([len]).add(Normalization::new().adapt(&x).unwrap()));
    check(
        "scaled",
        Sequential::new().input([len]).add(Rescaling::per_channel(vec![2.0; len], vec![1.0; len])),
    );
}
