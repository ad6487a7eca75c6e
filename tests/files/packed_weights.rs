//! Weights of other programs in HDF5 files with a newer superblock, chunks and compression, which `hdf5-pure` reads.

use cornu::prelude::*;
use hdf5_pure::FileBuilder;

#[test]
fn weights_in_compressed_chunks_are_read() {
    let kernel: Vec<f32> = (0..24).map(|i| (i as f32 * 0.7).sin()).collect();
    let mut file = FileBuilder::new();
    let mut layers = file.create_group("layers");
    let mut dense = layers.create_group("dense");
    let mut vars = dense.create_group("vars");
    vars.create_dataset("0").with_f32_data(&kernel).with_shape(&[6, 4]).with_chunks(&[4, 3]).with_deflate(6);
    vars.create_dataset("1").with_f32_data(&[0.5, -0.25, 1.0, 2.0]);
    dense.add_group(vars.finish());
    layers.add_group(dense.finish());
    file.add_group(layers.finish());
    let path = std::env::temp_dir().join(format!("cornu-packed-{}.weights.h5", std::process::id()));
    std::fs::write(&path, file.finish().unwrap()).unwrap();

    let mut model = Sequential::new().seed(1).input([6]).add(Dense::new(4).name("F1"));
    model.build().unwrap();
    model.load_weights(&path).unwrap();
    assert!(model.weight("F1/kernel").unwrap().iter().eq(&kernel));
    assert_eq!(model.weight("F1/bias").unwrap().as_slice(), Some(&[0.5, -0.25, 1.0, 2.0][..]));

    let mut other = Sequential::new().seed(1).input([5]).add(Dense::new(4));
    other.build().unwrap();
    assert!(matches!(other.load_weights(&path), Err(Error::WeightShape { .. })));
    std::fs::remove_file(&path).unwrap();
}
