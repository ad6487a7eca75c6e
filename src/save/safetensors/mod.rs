//! The `.safetensors` format: a JSON header with the type, shape and position of each tensor, then the numbers.
//!
//! The metadata in the header holds the architecture, the `compile` settings, and a checksum of the header and the
//! numbers. The header is read here for three reasons: `safetensors::tensor::Metadata` (0.8) allocates 25 bytes per byte of
//! a header with a long shape, while loading may allocate two; it keeps the last of two tensors with the same name
//! without an error; and it loses the order of the metadata, which the checksum covers.
//!
//! # References
//! <https://github.com/huggingface/safetensors#format>

mod header;
mod model;
mod torch;
mod write;

pub(super) use model::{read, read_weights};
pub(super) use write::{prepare, prepare_weights};

use crate::files::array::Number;

/// The metadata keys of a model; values are texts, as the format requires.
const CONFIG: &str = "cornu.config";
const COMPILE: &str = "cornu.compile_config";
const STATE: &str = "cornu.state";
const PREPARATIONS: &str = "cornu.preparations";
const CHECKSUM: &str = "cornu.checksum";
/// The first part of the name of an optimizer's array: `optimizer/F1/kernel/0`.
const OPTIMIZER: &str = "optimizer";

/// The number types of the format.
const TYPES: [(&str, Number); 7] = [
    ("F32", Number::F32),
    ("F64", Number::F64),
    ("F16", Number::F16),
    ("BF16", Number::Bf16),
    ("I32", Number::I32),
    ("I64", Number::I64),
    ("U32", Number::U32),
];

/// The checksum of all other metadata, of the tensors' header entries in the order of their numbers, and of the
/// numbers.
struct Checksum(crc32fast::Hasher);

impl Checksum {
    fn new() -> Self {
        Checksum(crc32fast::Hasher::new())
    }

    /// Adds a word, delimited so that different sequences of words have different encodings.
    fn word(&mut self, word: &str) {
        self.0.update(&(word.len() as u64).to_le_bytes());
        self.0.update(word.as_bytes());
    }

    fn tensor(&mut self, name: &str, kind: &str, shape: &[usize]) {
        self.word(name);
        self.word(kind);
        shape.iter().for_each(|&size| self.0.update(&(size as u64).to_le_bytes()));
    }

    fn finish(self) -> String {
        format!("crc32:{:08x}", self.0.finalize())
    }
}
