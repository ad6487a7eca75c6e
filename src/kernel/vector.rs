//! A register of numbers: the one interface through which the tile kernel sees each instruction set.

/// Numbers side by side in one register.
///
/// # Safety
/// Every method may only run on a machine that has the instruction set of the implementing type; pointers
/// must be valid for as many numbers as the method reads or writes. No alignment is needed.
pub(super) unsafe trait Vector: Copy {
    /// The type of one number.
    type Number: Copy + Default;
    /// How many numbers.
    const LANES: usize;

    unsafe fn splat(x: Self::Number) -> Self;
    unsafe fn load(from: *const Self::Number) -> Self;
    unsafe fn store(self, to: *mut Self::Number);
    /// The first `count` numbers, the others 0. Reads no others.
    unsafe fn load_some(from: *const Self::Number, count: usize) -> Self;
    /// Writes the first `count` numbers, and no others.
    unsafe fn store_some(self, to: *mut Self::Number, count: usize);
    unsafe fn add(self, other: Self) -> Self;
    /// Writes 8 × 8 numbers transposed: `to[j][i] = from[i][j]`, rows `from_row` and `to_row` apart.
    #[inline(always)]
    unsafe fn transpose(from: *const Self::Number, from_row: usize, to: *mut Self::Number, to_row: usize) {
        for i in 0..8 {
            for j in 0..8 {
                // SAFETY: the caller promises both squares.
                unsafe { *to.add(j * to_row + i) = *from.add(i * from_row + j) };
            }
        }
    }
    /// `self + a·b`, rounded once where the instruction set has a fused product.
    unsafe fn fused(self, a: Self, b: Self) -> Self;
}

/// An array that the compiler may turn into registers: the portable fallback, and NEON on aarch64, where
/// the fused product is part of every machine.
#[derive(Clone, Copy)]
pub(super) struct Lanes<T, const N: usize>([T; N]);

macro_rules! portable {
    ($number:ty, $lanes:literal) => {
        // SAFETY: plain Rust on arrays; the pointers are the caller's promise.
        unsafe impl Vector for Lanes<$number, $lanes> {
            type Number = $number;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(x: $number) -> Self {
                Lanes([x; $lanes])
            }
            #[inline(always)]
            unsafe fn load(from: *const $number) -> Self {
                // SAFETY: the caller promises LANES readable numbers.
                Lanes(unsafe { from.cast::<[$number; $lanes]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $number) {
                // SAFETY: the caller promises LANES writable numbers.
                unsafe { to.cast::<[$number; $lanes]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn load_some(from: *const $number, count: usize) -> Self {
                let mut lanes = [0.0; $lanes];
                for (i, lane) in lanes.iter_mut().enumerate().take(count) {
                    // SAFETY: the caller promises `count` readable numbers.
                    *lane = unsafe { from.add(i).read() };
                }
                Lanes(lanes)
            }
            #[inline(always)]
            unsafe fn store_some(self, to: *mut $number, count: usize) {
                for (i, lane) in self.0.iter().enumerate().take(count) {
                    // SAFETY: the caller promises `count` writable numbers.
                    unsafe { to.add(i).write(*lane) };
                }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                Lanes(std::array::from_fn(|i| self.0[i] + other.0[i]))
            }
            #[inline(always)]
            unsafe fn fused(self, a: Self, b: Self) -> Self {
                if cfg!(target_arch = "aarch64") {
                    Lanes(std::array::from_fn(|i| a.0[i].mul_add(b.0[i], self.0[i])))
                } else {
                    Lanes(std::array::from_fn(|i| self.0[i] + a.0[i] * b.0[i]))
                }
            }
        }
    };
}

portable!(f32, 4);
portable!(f32, 8);
portable!(f64, 2);
portable!(f64, 4);

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use super::Vector;
    use std::arch::x86_64::*;

    macro_rules! register {
        ($type:ident, $number:ty, $lanes:literal, $set1:ident, $load:ident, $store:ident, $add:ident, $fused:ident,
         |$from:ident, $n:ident| $load_some:expr, |$to:ident, $m:ident, $v:ident| $store_some:expr $(, $transpose:ident)?) => {
            // SAFETY: each method is the instruction of its name; the caller promises the instruction set and
            // the pointers.
            unsafe impl Vector for $type {
                type Number = $number;
                const LANES: usize = $lanes;

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
        // Macros, as a closure would not have the instruction set of the function around it.
        macro_rules! pair {
            ($i:expr) => {{
                let (a, b) = (
                    _mm256_loadu_ps(from.add(($i) * from_row)),
                    _mm256_loadu_ps(from.add(($i + 1) * from_row)),
                );
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
}
