//! A SIMD register: the interface between the tile kernel and each instruction set.

/// The numbers in a SIMD register.
///
/// # Safety
/// Every method may only run on a machine that has the instruction set of the implementing type; pointers
/// must be valid for as many numbers as the method reads or writes. No alignment is needed.
pub(super) unsafe trait Vector: Copy {
    /// The type of one number.
    type Number: Copy + Default;
    /// The number of lanes.
    const LANES: usize;

    unsafe fn splat(x: Self::Number) -> Self;
    unsafe fn load(from: *const Self::Number) -> Self;
    unsafe fn store(self, to: *mut Self::Number);
    /// Whether [`load_some`](Self::load_some) is one instruction. Two rows then share a register that they fill to half.
    const MASKED: bool = false;
    /// Whether [`outer`](Self::outer) needs the numbers of a column of A next to each other.
    const PACKED_ROWS: bool = false;

    /// `sums[i][j] += a[i]·b[j]`, rounded as by [`fused`](Self::fused), with the numbers of `a` `a_row` apart.
    #[inline(always)]
    unsafe fn outer<const R: usize, const N: usize>(
        sums: &mut [[Self; N]; R],
        a: *const Self::Number,
        a_row: usize,
        b: &[Self; N],
    ) {
        for (i, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the caller promises R numbers.
            let x = unsafe { Self::splat(*a.add(i * a_row)) };
            for (sum, b) in sums.iter_mut().zip(b) {
                // SAFETY: guaranteed by the caller.
                *sum = unsafe { sum.fused(x, *b) };
            }
        }
    }
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
    /// `self + a·b`, rounded once if the instruction set has fused multiply-add.
    unsafe fn fused(self, a: Self, b: Self) -> Self;
}

/// A register that can be split into two halves.
///
/// # Safety
/// As for [`Vector`].
pub(super) unsafe trait Halves: Vector {
    type Half: Vector<Number = Self::Number>;
    /// The same half twice.
    unsafe fn twice(half: Self::Half) -> Self;
    /// `x` in the lower half and `y` in the upper one.
    unsafe fn pair(x: Self::Number, y: Self::Number) -> Self;
    /// The lower half and the upper one.
    unsafe fn halves(self) -> [Self::Half; 2];
}

/// An array that the compiler may turn into a register: the portable fallback.
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
            #[inline(never)] // at the ends of rows alone; a small program is smaller by 10 kB
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

portable!(f32, 2);
portable!(f32, 4);
portable!(f64, 1);
portable!(f64, 2);

macro_rules! portable_halves {
    ($number:ty, $lanes:literal, $half:literal) => {
        // SAFETY: plain Rust on arrays.
        unsafe impl Halves for Lanes<$number, $lanes> {
            type Half = Lanes<$number, $half>;

            #[inline(always)]
            unsafe fn twice(half: Self::Half) -> Self {
                Lanes(std::array::from_fn(|i| half.0[if i < $half { i } else { i - $half }]))
            }
            #[inline(always)]
            unsafe fn pair(x: $number, y: $number) -> Self {
                Lanes(std::array::from_fn(|i| if i < $half { x } else { y }))
            }
            #[inline(always)]
            unsafe fn halves(self) -> [Self::Half; 2] {
                [0, $half].map(|from| Lanes(std::array::from_fn(|i| self.0[from + i])))
            }
        }
    };
}

portable_halves!(f32, 4, 2);
portable_halves!(f64, 2, 1);
