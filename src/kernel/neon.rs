//! SIMD registers of aarch64: NEON, which every such machine has.

use super::vector::{Halves, Vector};
use std::arch::aarch64::*;

macro_rules! register {
    ($type:ident, $number:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $add:ident, $fused:ident,
     $fused_by:ident, $($lane:literal)*) => {
        // SAFETY: each method is the instruction of its name; the caller promises the pointers.
        unsafe impl Vector for $type {
            type Number = $number;
            const LANES: usize = $lanes;
            const PACKED_ROWS: bool = true;

            /// Multiplies by one lane of a register that holds several numbers of A.
            #[inline(always)]
            unsafe fn outer<const R: usize, const N: usize>(
                sums: &mut [[Self; N]; R],
                a: *const $number,
                _: usize,
                b: &[Self; N],
            ) {
                let whole = R - R % $lanes;
                for first in (0..whole).step_by($lanes) {
                    // SAFETY: see the impl; the caller promises R numbers.
                    unsafe {
                        let x = $load(a.add(first));
                        $(for j in 0..N {
                            sums[first + $lane][j] = $fused_by::<$lane>(sums[first + $lane][j], b[j], x);
                        })*
                    }
                }
                for (i, sums) in sums.iter_mut().enumerate().skip(whole) {
                    // SAFETY: as above.
                    let x = unsafe { $splat(*a.add(i)) };
                    for (sum, b) in sums.iter_mut().zip(b) {
                        // SAFETY: as above.
                        *sum = unsafe { $fused(*sum, x, *b) };
                    }
                }
            }

            #[inline(always)]
            unsafe fn splat(x: $number) -> Self {
                // SAFETY: see the impl.
                unsafe { $splat(x) }
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
            unsafe fn load_some(from: *const $number, count: usize) -> Self {
                let mut lanes = [0.0; $lanes];
                // SAFETY: see the impl; `count` numbers are copied.
                unsafe {
                    std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count.min($lanes));
                    $load(lanes.as_ptr())
                }
            }
            #[inline(always)]
            unsafe fn store_some(self, to: *mut $number, count: usize) {
                let mut lanes = [0.0; $lanes];
                // SAFETY: see the impl; `count` numbers are copied.
                unsafe {
                    $store(lanes.as_mut_ptr(), self);
                    std::ptr::copy_nonoverlapping(lanes.as_ptr(), to, count.min($lanes));
                }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: see the impl.
                unsafe { $add(self, other) }
            }
            #[inline(always)]
            unsafe fn fused(self, a: Self, b: Self) -> Self {
                // SAFETY: see the impl.
                unsafe { $fused(self, a, b) }
            }
        }
    };
}

register!(
    float32x4_t,
    f32,
    4,
    vdupq_n_f32,
    vld1q_f32,
    vst1q_f32,
    vaddq_f32,
    vfmaq_f32,
    vfmaq_laneq_f32,
    0 1 2 3
);
register!(
    float64x2_t,
    f64,
    2,
    vdupq_n_f64,
    vld1q_f64,
    vst1q_f64,
    vaddq_f64,
    vfmaq_f64,
    vfmaq_laneq_f64,
    0 1
);
register!(
    float32x2_t,
    f32,
    2,
    vdup_n_f32,
    vld1_f32,
    vst1_f32,
    vadd_f32,
    vfma_f32,
    vfma_lane_f32,
    0 1
);
register!(float64x1_t, f64, 1, vdup_n_f64, vld1_f64, vst1_f64, vadd_f64, vfma_f64, vfma_lane_f64, 0);

macro_rules! halves {
    ($type:ident, $half:ident, $number:ty, $combine:ident, $splat:ident, $low:ident, $high:ident) => {
        // SAFETY: each method is made of the instructions named.
        unsafe impl Halves for $type {
            type Half = $half;

            #[inline(always)]
            unsafe fn twice(half: $half) -> Self {
                // SAFETY: see the impl.
                unsafe { $combine(half, half) }
            }
            #[inline(always)]
            unsafe fn pair(x: $number, y: $number) -> Self {
                // SAFETY: see the impl.
                unsafe { $combine($splat(x), $splat(y)) }
            }
            #[inline(always)]
            unsafe fn halves(self) -> [$half; 2] {
                // SAFETY: see the impl.
                unsafe { [$low(self), $high(self)] }
            }
        }
    };
}

halves!(float32x4_t, float32x2_t, f32, vcombine_f32, vdup_n_f32, vget_low_f32, vget_high_f32);
halves!(float64x2_t, float64x1_t, f64, vcombine_f64, vdup_n_f64, vget_low_f64, vget_high_f64);
