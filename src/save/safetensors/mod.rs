//! `.safetensors`: a header of JSON that names each tensor's type, shape and place, then the numbers.
//!
//! The architecture and what the model was compiled with stand in the header's metadata, beside a checksum of all that is
//! told and of all numbers. The crate `safetensors` wants the whole file in memory, which with the model is more than
//! twice the file's size and 1 MiB; of the format there is little more than what `json` reads here.
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

/// Under these names the metadata tells of a model; the values are texts, as the format has it.
const CONFIG: &str = "cornu.config";
const COMPILE: &str = "cornu.compile_config";
const STATE: &str = "cornu.state";
const CHECKSUM: &str = "cornu.checksum";
/// The first part of the name of an optimizer's array: `optimizer/F1/kernel/0`.
const OPTIMIZER: &str = "optimizer";

/// The format's words for numbers.
const TYPES: [(&str, Number); 7] = [
    ("F32", Number::F32),
    ("F64", Number::F64),
    ("F16", Number::F16),
    ("BF16", Number::Bf16),
    ("I32", Number::I32),
    ("I64", Number::I64),
    ("U32", Number::U32),
];

/// The checksum: of all metadata beside itself, of all that the header tells of tensors, in the order of their numbers,
/// and of the numbers.
struct Checksum(crc32fast::Hasher);

impl Checksum {
    fn new() -> Self {
        Checksum(crc32fast::Hasher::new())
    }

    /// Takes in a word, so that no two rows of words look alike.
    fn word(&mut self, word: &str) {
        self.0.update(&(word.len() as u64).to_le_bytes());
        self.0.update(word.as_bytes());
    }

    fn tensor(&mut self, name: &str, kind: &str, shape: &[usize]) {
        self.word(name);
        self.word(kind);
        shape.iter().for_each(|&size| self.0.update(&(size as u64).to_le_bytes()));
    }

    fn told(self) -> String {
        format!("crc32:{:08x}", self.0.finalize())
    }
}
