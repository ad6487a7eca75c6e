//! `.npz` files.

#![no_main]

use cornu::prelude::*;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("cornu-fuzz-{}.npz", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let mut model = Sequential::new().input([2]).add(Dense::new(2).name("a"));
    model.build().unwrap();
    let _ = model.load_weights(&path);
});
