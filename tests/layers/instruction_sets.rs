//! Every layer trains to the same bits by each instruction set that the machine has, of those with fused multiply-add. A
//! process of its own trains with each, as `CORNU_ISA` is read once.

use std::collections::BTreeMap;
use std::process::Command;

use cornu::prelude::*;
use ndarray::{Array2, ArrayD, IxDyn};

use crate::roster;

/// The rows of the training data, more than the tiles of a product take at once.
const ROWS: usize = 21;

/// A layer, the shape of its samples, and whether they are indices.
type Case<F> = (String, Sequential<F>, Vec<usize>, bool);

/// The layers of the roster, and some that are wide enough for whole registers, edges and several blocks of a sum.
fn cases<F: Scalar>() -> Vec<Case<F>> {
    let roster = roster::layers::<F>().into_iter().enumerate().map(|(number, case)| {
        let (model, takes_indices) = (case.model(), case.takes_indices());
        (format!("{number} {}", case.layer.kind()), model, case.shape, takes_indices)
    });
    let model = |shape: &[usize]| Sequential::<F>::with_scalar().seed(4).input(shape);
    let conv = Conv1D::new(33, 5).padding(Padding::Same).activation(Activation::Softplus);
    let image = Conv2D::new(17, [3, 3]).activation(Activation::Gelu { approximate: false });
    let wide = [
        ("dense", model(&[300]).add(Dense::new(70).activation(Activation::Tanh)), vec![300]),
        ("conv1d", model(&[30, 7]).add(conv), vec![30, 7]),
        ("conv2d", model(&[9, 9, 3]).add(image), vec![9, 9, 3]),
        ("lstm", model(&[11, 5]).add(Lstm::new(19)), vec![11, 5]),
        ("gru", model(&[11, 5]).add(Gru::new(19)), vec![11, 5]),
        ("normalized", model(&[40]).add(LayerNormalization::new()).add(BatchNormalization::new()), vec![40]),
    ];
    let wide = wide.into_iter().map(|(name, model, shape)| (format!("wide {name}"), model, shape, false));
    roster.chain(wide).collect()
}

/// Trains a model that ends in a dense layer, and returns the bits of all weights in 64 bits, and the result.
fn digest<F: Scalar>((_, model, shape, takes_indices): Case<F>) -> String {
    let mut rng = Rng::new(5);
    let shape = [&[ROWS], &shape[..]].concat();
    let x = ArrayD::from_shape_simple_fn(IxDyn(&shape), || match takes_indices {
        true => F::of((rng.uniform() * 7.0).floor()),
        false => F::of(rng.normal()),
    });
    let y = Array2::from_shape_fn((ROWS, 2), |(i, j)| F::of(((i * 5 + j) % 7) as f64 / 7.0));
    let mut model = model.add(Flatten::new()).add(Dense::new(2));
    model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
    let fit = Fit::new().epochs(2).batch_size(8).verbose(Verbose::Silent).diagnose(Diagnose::Off);
    let result = model.fit(&x, &y, &fit).map(|_| ()).map_err(|error| error.to_string());
    // FNV-1a.
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for (_, weight) in model.weights().unwrap() {
        for byte in weight.iter().flat_map(|number| number.as_f64().to_bits().to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    format!("{hash:016x} {result:?}")
}

#[test]
#[ignore = "the process that the other test starts"]
fn trains() {
    if let Err(error) = Sequential::new().input([1]).add(Dense::new(1)).build() {
        return println!("lacks: {error}");
    }
    for case in cases::<f32>() {
        println!("digest of f32 {}: {}", case.0.clone(), digest(case));
    }
    for case in cases::<f64>() {
        println!("digest of f64 {}: {}", case.0.clone(), digest(case));
    }
}

/// The digest of each layer by an instruction set; none if the machine lacks it.
fn digests(isa: &str) -> BTreeMap<String, String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--nocapture", "--exact", "instruction_sets::trains"]).env("CORNU_ISA", isa);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{isa}: {text} {}", String::from_utf8_lossy(&output.stderr));
    let lines = text.lines().filter_map(|line| line.split_once("digest of ")?.1.split_once(": "));
    lines.map(|(layer, digest)| (layer.into(), digest.into())).collect()
}

#[test]
fn every_layer_trains_to_the_same_bits() {
    // Without fused multiply-add at compile time, the portable products round twice.
    let has_fused = cfg!(any(target_arch = "aarch64", target_feature = "fma"));
    let names = ["avx512", "avx2", "neon", "portable"];
    let names = names.into_iter().filter(|name| has_fused || *name != "portable");
    let mut sets = names.map(|isa| (isa, digests(isa))).filter(|(_, digests)| !digests.is_empty());
    let Some((first, expected)) = sets.next() else { return };
    assert!(expected.len() > 100, "{} layers by {first}", expected.len());
    for (isa, found) in sets {
        for (layer, digest) in &expected {
            assert_eq!(found.get(layer), Some(digest), "{layer}: {isa} and {first}");
        }
    }
}
