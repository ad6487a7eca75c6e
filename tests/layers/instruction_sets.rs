//! Every layer trains to the same bits by each instruction set with fused multiply-add: to the bits that are written down, on
//! any machine, and by each set that this machine has. A process of its own trains with each set, as `CORNU_ISA` is read once.

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

/// The digest of each layer, in this process.
fn digests() -> BTreeMap<String, String> {
    let of_f32 = cases::<f32>().into_iter().map(|case| (format!("f32 {}", case.0), digest(case)));
    let of_f64 = cases::<f64>().into_iter().map(|case| (format!("f64 {}", case.0), digest(case)));
    of_f32.chain(of_f64).collect()
}

/// Whether the instruction set of this process has fused multiply-add; without it, products are rounded twice.
fn has_fused(isa: Option<&str>) -> bool {
    #[cfg(target_arch = "x86_64")]
    return cfg!(target_feature = "fma")
        || isa != Some("portable") && is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return {
        let _ = isa;
        cfg!(target_arch = "aarch64")
    };
}

/// `CORNU_WRITE_DIGESTS=1` writes the file anew, after a change of what layers compute.
#[test]
fn every_layer_trains_to_the_written_bits() {
    if !has_fused(std::env::var("CORNU_ISA").ok().as_deref()) {
        return;
    }
    let found = digests();
    let lines: Vec<String> = found.iter().map(|(layer, digest)| format!("{layer}: {digest}")).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/layers/instruction_sets.txt");
    if std::env::var_os("CORNU_WRITE_DIGESTS").is_some() {
        return std::fs::write(path, lines.join("\n") + "\n").unwrap();
    }
    assert!(lines.len() > 100, "{} layers", lines.len());
    let written = std::fs::read_to_string(path).unwrap();
    let written: Vec<&str> = written.lines().collect();
    let differs = lines.iter().zip(&written).find(|(found, written)| found != *written);
    assert!(differs.is_none() && lines.len() == written.len(), "{} layers, {differs:?}", lines.len());
}

#[test]
#[ignore = "the process that another test starts"]
fn trains() {
    if let Err(error) = Sequential::new().input([1]).add(Dense::new(1)).build() {
        return println!("lacks: {error}");
    }
    digests().iter().for_each(|(layer, digest)| println!("digest of {layer}: {digest}"));
}

/// The digest of each layer by an instruction set; none if the machine lacks it.
fn digests_by(isa: &str) -> BTreeMap<String, String> {
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
    let names = ["avx512", "avx2", "neon", "portable"].into_iter().filter(|name| has_fused(Some(*name)));
    let mut sets = names.map(|isa| (isa, digests_by(isa))).filter(|(_, digests)| !digests.is_empty());
    let Some((first, expected)) = sets.next() else { return };
    assert!(expected.len() > 100, "{} layers by {first}", expected.len());
    for (isa, found) in sets {
        for (layer, digest) in &expected {
            assert_eq!(found.get(layer), Some(digest), "{layer}: {isa} and {first}");
        }
    }
}
