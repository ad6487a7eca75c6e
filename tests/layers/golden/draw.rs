//! The numbers that `generate.py` draws, computed from their index and a salt.

use cornu::Scalar;
use cornu::ndarray::{ArrayD, IxDyn};

/// 16-bit numbers in [−1, 1), times a scale.
pub fn draw<F: Scalar>(shape: &[usize], salt: u64, scale: f64) -> ArrayD<F> {
    let mut place = salt * 1_000_003;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        let mut z = place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z ^= z >> 29;
        z = z.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z ^= z >> 32;
        place += 1;
        F::of((((z >> 20) & 0xFFFF) as f64 / 32768.0 - 1.0) * scale)
    })
}

/// Class indices.
pub fn classes(n: usize, count: usize, salt: u64) -> Vec<usize> {
    draw::<f64>(&[n], salt, 1.0).iter().map(|x| ((x + 1.0) * 16384.0) as usize % count).collect()
}

/// One-hot rows.
pub fn one_hot<F: Scalar>(classes: &[usize], count: usize) -> ArrayD<F> {
    ArrayD::from_shape_fn(IxDyn(&[classes.len(), count]), |at| {
        F::of(f64::from(u8::from(classes[at[0]] == at[1])))
    })
}
