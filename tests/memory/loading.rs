//! Loading draws no initial weights, which the file replaces: orthogonal ones are drawn in `f64`, as a copy of the matrix.

use cornu::prelude::*;

pub fn loading_takes_little_memory_beyond_the_weights() {
    let mut model = Sequential::new().seed(1).input([2, 4]).add(Lstm::new(300)).add(Dropout::new(0.2));
    model.build().unwrap();
    let weights: usize = model.weights().unwrap().iter().map(|(_, weight)| 4 * weight.len()).sum();
    for end in ["keras", "safetensors"] {
        let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("drawn.{end}"));
        model.save(&path).unwrap();
        let (again, bytes) = crate::peak::peak(|| Sequential::<f32>::load(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(again.weights().unwrap(), model.weights().unwrap());
        println!("{end}: {bytes} bytes for {weights} bytes of weights");
        // Twice the weights, for the file and the model.
        assert!(2 * bytes < 5 * weights, "{end}: {bytes} bytes for {weights} bytes of weights");
    }
}
