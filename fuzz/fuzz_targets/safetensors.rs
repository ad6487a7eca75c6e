//! Whole `.safetensors` files, and files with weights only.

#![no_main]

use cornu::prelude::*;
use cornu::save::{Format, Loader};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Loader::new().load_bytes(Format::SafeTensors, bytes);
    let path = std::env::temp_dir().join(format!("cornu-fuzz-{}.safetensors", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let mut model = Sequential::new().input([2]).add(Dense::new(2).name("a"));
    model.build().unwrap();
    let _ = model.load_weights(&path);
    let _ = model.load_torch_weights(&path, [("w", "a/kernel"), ("b", "a/bias")]);
});
