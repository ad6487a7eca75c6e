//! Hash functions. Their values are stored in backups or select random streams, so they must never change.

use crate::scalar::Scalar;

/// The start value of [`fnv1a`].
pub(crate) const FNV_OFFSET: u64 = 0xCBF2_9CE4_8422_2325;

/// 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// FNV-1a with 64 bits, continued from `hash`. Each step is a bijection, so a single altered byte always changes the hash.
pub(crate) fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// Hashes the exact bits of the values, continued from `hash`: 0 and −0 differ.
pub(crate) fn hash_bits<F: Scalar>(hash: u64, values: &[F]) -> u64 {
    values
        .iter()
        .fold(hash, |hash, value| (hash ^ value.as_f64().to_bits()).wrapping_mul(GOLDEN).rotate_left(29))
}

/// Hashes the values, continued from `hash`: rows that compare equal have equal hashes, so 0 and −0 agree.
pub(crate) fn hash_values<'a, F: Scalar>(hash: u64, values: impl IntoIterator<Item = &'a F>) -> u64 {
    values.into_iter().fold(hash, |hash, value| {
        let bits = (value.as_f64() + 0.0).to_bits();
        (hash ^ bits ^ (bits >> 32)).wrapping_mul(GOLDEN).rotate_left(29)
    })
}

/// Spreads consecutive counts over all of `u64` (Fibonacci hashing).
pub(crate) fn spread(count: u64) -> u64 {
    count.wrapping_mul(GOLDEN)
}

/// A number in [0, 1) for each count, uniform over consecutive counts: the finalizer of SplitMix64.
pub(crate) fn uniform(count: u64) -> f64 {
    let mut z = spread(count.wrapping_add(1));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_equal_the_published_values() {
        assert_eq!(fnv1a(FNV_OFFSET, b"foobar"), 0x85944171F73967E8);
        // The first output of SplitMix64 with seed 0 is 0xE220A8397B1DCDAF.
        assert_eq!(uniform(0), (0xE220_A839_7B1D_CDAF_u64 >> 11) as f64 / (1u64 << 53) as f64);
    }

    #[test]
    fn only_hash_bits_distinguishes_zeros() {
        assert_ne!(hash_bits(1, &[0.0f32]), hash_bits(1, &[-0.0f32]));
        assert_eq!(hash_values(1, &[0.0f32]), hash_values(1, &[-0.0f32]));
        assert_ne!(hash_values(1, &[1.0f32]), hash_values(1, &[2.0f32]));
    }
}
