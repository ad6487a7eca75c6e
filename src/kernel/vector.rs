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
         |$from:ident, $n:ident| $load_some:expr, |$to:ident, $m:ident, $v:ident| $store_some:expr) => {
            // SAFETY: each method is the instruction of its name; the caller promises the instruction set and
            // the pointers.
            unsafe impl Vector for $type {
                type Number = $number;
                const LANES: usize = $lanes;

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
        |to, m, v| _mm512_mask_storeu_ps(to, ((1u32 << m) - 1) as u16, v)
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
        |to, m, v| _mm256_maskstore_ps(to, mask_8(m), v)
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
        |to, m, v| _mm_maskstore_ps(to, mask_4_of_32(m), v)
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
