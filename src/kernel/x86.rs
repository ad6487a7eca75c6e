//! SIMD registers of x86-64: AVX-512, AVX2 with FMA, and their halves.

use super::vector::{Halves, Vector};
use std::arch::x86_64::*;

macro_rules! register {
    ($type:ident, $number:ty, $lanes:literal, $set1:ident, $load:ident, $store:ident, $add:ident, $fused:ident,
     |$from:ident, $n:ident| $load_some:expr, |$to:ident, $m:ident, $v:ident| $store_some:expr $(, $transpose:ident)?) => {
        // SAFETY: each method is the instruction of its name; the caller promises the instruction set and
        // the pointers.
        unsafe impl Vector for $type {
            type Number = $number;
            const LANES: usize = $lanes;
            const MASKED: bool = true;

            $(#[inline(always)]
            unsafe fn transpose(from: *const $number, from_row: usize, to: *mut $number, to_row: usize) {
                // SAFETY: see the impl.
                unsafe { $transpose(from, from_row, to, to_row) }
            })?
            #[inline(always)]
            unsafe fn splat(x: $number) -> Self {
                // SAFETY: see the impl.
                unsafe { $set1(x) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $number) -> Self {
                // SAFETY: see the impl.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $number) {
                // SAFETY: see the impl.
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn load_some($from: *const $number, $n: usize) -> Self {
                // SAFETY: see the impl; the mask keeps from reading further.
                unsafe { $load_some }
            }
            #[inline(always)]
            unsafe fn store_some(self, $to: *mut $number, $m: usize) {
                let $v = self;
                // SAFETY: see the impl; the mask keeps from writing further.
                unsafe { $store_some }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: see the impl.
                unsafe { $add(self, other) }
            }
            #[inline(always)]
            unsafe fn fused(self, a: Self, b: Self) -> Self {
                // SAFETY: see the impl.
                unsafe { $fused(a, b, self) }
            }
        }
    };
}

/// Eight rows of eight, by pairs, by fours, and by halves.
#[inline(always)]
unsafe fn transpose_f32(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    // Macros, because a closure would not inherit the instruction set of the enclosing function.
    macro_rules! pair {
        ($i:expr) => {{
            let (a, b) =
                (_mm256_loadu_ps(from.add(($i) * from_row)), _mm256_loadu_ps(from.add(($i + 1) * from_row)));
            (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b))
        }};
    }
    macro_rules! four {
        ($i:literal) => {{
            let ((a, b), (c, d)) = (pair!($i), pair!($i + 2));
            let (ac, bd) = (_mm256_shuffle_ps::<0x44>(a, c), _mm256_shuffle_ps::<0x44>(b, d));
            [ac, _mm256_shuffle_ps::<0xEE>(a, c), bd, _mm256_shuffle_ps::<0xEE>(b, d)]
        }};
    }
    // SAFETY: the caller promises AVX2 and both squares.
    unsafe {
        let (top, bottom) = (four!(0), four!(4));
        for j in 0..4 {
            let (low, high) = (to.add(j * to_row), to.add((j + 4) * to_row));
            _mm256_storeu_ps(low, _mm256_permute2f128_ps::<0x20>(top[j], bottom[j]));
            _mm256_storeu_ps(high, _mm256_permute2f128_ps::<0x31>(top[j], bottom[j]));
        }
    }
}

/// Ones for the first `count` of 8, zeros for the others, at `MASK_32[8 - count..]`.
static MASK_32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
/// The same of 4, at `MASK_64[4 - count..]`.
static MASK_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

#[inline(always)]
unsafe fn mask_8(count: usize) -> __m256i {
    // SAFETY: 8 numbers from 8 − count on lie within the 16.
    unsafe { _mm256_loadu_si256(MASK_32.as_ptr().add(8 - count.min(8)).cast()) }
}
#[inline(always)]
unsafe fn mask_4_of_32(count: usize) -> __m128i {
    // SAFETY: 4 numbers from 8 − count on lie within the 16.
    unsafe { _mm_loadu_si128(MASK_32.as_ptr().add(8 - count.min(4)).cast()) }
}
#[inline(always)]
unsafe fn mask_4(count: usize) -> __m256i {
    // SAFETY: 4 numbers from 4 − count on lie within the 8.
    unsafe { _mm256_loadu_si256(MASK_64.as_ptr().add(4 - count.min(4)).cast()) }
}
#[inline(always)]
unsafe fn mask_2_of_64(count: usize) -> __m128i {
    // SAFETY: 2 numbers from 4 − count on lie within the 8.
    unsafe { _mm_loadu_si128(MASK_64.as_ptr().add(4 - count.min(2)).cast()) }
}

register!(
    __m512,
    f32,
    16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_add_ps,
    _mm512_fmadd_ps,
    |from, n| _mm512_maskz_loadu_ps(((1u32 << n) - 1) as u16, from),
    |to, m, v| _mm512_mask_storeu_ps(to, ((1u32 << m) - 1) as u16, v),
    transpose_f32
);
register!(
    __m512d,
    f64,
    8,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_add_pd,
    _mm512_fmadd_pd,
    |from, n| _mm512_maskz_loadu_pd(((1u32 << n) - 1) as u8, from),
    |to, m, v| _mm512_mask_storeu_pd(to, ((1u32 << m) - 1) as u8, v)
);
register!(
    __m256,
    f32,
    8,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_add_ps,
    _mm256_fmadd_ps,
    |from, n| _mm256_maskload_ps(from, mask_8(n)),
    |to, m, v| _mm256_maskstore_ps(to, mask_8(m), v),
    transpose_f32
);
register!(
    __m256d,
    f64,
    4,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_add_pd,
    _mm256_fmadd_pd,
    |from, n| _mm256_maskload_pd(from, mask_4(n)),
    |to, m, v| _mm256_maskstore_pd(to, mask_4(m), v)
);
register!(
    __m128,
    f32,
    4,
    _mm_set1_ps,
    _mm_loadu_ps,
    _mm_storeu_ps,
    _mm_add_ps,
    _mm_fmadd_ps,
    |from, n| _mm_maskload_ps(from, mask_4_of_32(n)),
    |to, m, v| _mm_maskstore_ps(to, mask_4_of_32(m), v),
    transpose_f32
);
register!(
    __m128d,
    f64,
    2,
    _mm_set1_pd,
    _mm_loadu_pd,
    _mm_storeu_pd,
    _mm_add_pd,
    _mm_fmadd_pd,
    |from, n| _mm_maskload_pd(from, mask_2_of_64(n)),
    |to, m, v| _mm_maskstore_pd(to, mask_2_of_64(m), v)
);

macro_rules! halves {
    ($type:ident, $half:ident, $number:ty, |$h:ident| $twice:expr, |$x:ident, $y:ident| $pair:expr, |$v:ident| $halves:expr) => {
        // SAFETY: each method is made of instructions of the type's set, which the caller promises.
        unsafe impl Halves for $type {
            type Half = $half;

            #[inline(always)]
            unsafe fn twice($h: $half) -> Self {
                // SAFETY: see the impl.
                unsafe { $twice }
            }
            #[inline(always)]
            unsafe fn pair($x: $number, $y: $number) -> Self {
                // SAFETY: see the impl.
                unsafe { $pair }
            }
            #[inline(always)]
            unsafe fn halves(self) -> [$half; 2] {
                let $v = self;
                // SAFETY: see the impl.
                unsafe { $halves }
            }
        }
    };
}

halves!(
    __m512,
    __m256,
    f32,
    |half| _mm512_castpd_ps(_mm512_broadcast_f64x4(_mm256_castps_pd(half))),
    |x, y| _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0xCA>(
        _mm512_set_epi64(-1, -1, -1, -1, 0, 0, 0, 0),
        _mm512_castps_si512(_mm512_set1_ps(y)),
        _mm512_castps_si512(_mm512_set1_ps(x))
    )),
    |v| [_mm512_castps512_ps256(v), _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(v))),]
);
halves!(
    __m512d,
    __m256d,
    f64,
    |half| _mm512_broadcast_f64x4(half),
    |x, y| _mm512_mask_blend_pd(0xF0, _mm512_set1_pd(x), _mm512_set1_pd(y)),
    |v| [_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd::<1>(v)]
);
halves!(
    __m256,
    __m128,
    f32,
    |half| _mm256_set_m128(half, half),
    |x, y| _mm256_blend_ps::<0xF0>(_mm256_set1_ps(x), _mm256_set1_ps(y)),
    |v| [_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v)]
);
halves!(
    __m256d,
    __m128d,
    f64,
    |half| _mm256_set_m128d(half, half),
    |x, y| _mm256_blend_pd::<0xC>(_mm256_set1_pd(x), _mm256_set1_pd(y)),
    |v| [_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v)]
);
