//! Whole `.keras` and `.h5` files.

#![no_main]

use cornu::save::{Format, Loader};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Loader::new().load_bytes(Format::Keras, bytes);
    let _ = Loader::new().load_bytes(Format::KerasH5, bytes);
});
