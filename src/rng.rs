//! The one source of randomness: ChaCha8, portable, seeded, cut in independent streams.

use std::cell::RefCell;

use ndarray_rand::rand::{Rng as _, RngCore, SeedableRng, seq::SliceRandom};
use ndarray_rand::rand_distr::{Beta, Distribution, StandardNormal};
use rand_chacha::ChaCha8Rng;

/// A stream of random numbers that is the same on every machine for the same seed and stream number.
///
/// # Example
/// ```
/// use cornu::Rng;
/// let mut a = Rng::new(7);
/// let mut b = Rng::new(7);
/// assert_eq!(a.uniform(), b.uniform());
/// assert_ne!(a.uniform(), Rng::stream(7, 1).uniform());
/// assert_eq!(a.clone().bits(), a.bits());
///
/// let noise: Vec<f64> = (0..1000).map(|_| a.normal()).collect();
/// assert!((noise.iter().sum::<f64>() / 1000.0).abs() < 0.2);
/// let mut order: Vec<usize> = (0..100).collect();
/// a.shuffle(&mut order);
/// assert!(!order.is_sorted());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rng(ChaCha8Rng);

thread_local! {
    static SEEDS: RefCell<Option<Rng>> = const { RefCell::new(None) };
}

impl Rng {
    /// Creates stream 0 of `seed`.
    ///
    /// # Example
    /// ```
    /// use cornu::Rng;
    /// assert_eq!(Rng::new(7), Rng::stream(7, 0));
    /// assert_ne!(Rng::new(7), Rng::new(8));
    /// ```
    pub fn new(seed: u64) -> Self {
        Rng::stream(seed, 0)
    }

    /// Creates stream `number` of `seed`. Different numbers give independent streams.
    pub fn stream(seed: u64, number: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(number);
        Rng(generator)
    }

    /// Returns a seed from the operating system or, within [`Rng::with_seeds`], from its stream.
    pub(crate) fn seed_from_os() -> u64 {
        let drawn = SEEDS.with_borrow_mut(|seeds| seeds.as_mut().map(Rng::bits));
        drawn.unwrap_or_else(ndarray_rand::rand::random)
    }

    /// Calls `f`. Models that it creates draw their seeds from this stream, not from the operating system.
    pub(crate) fn with_seeds<R>(seeds: Rng, f: impl FnOnce() -> R) -> R {
        /// Restores the previous stream, even if `f` panics.
        struct Restore(Option<Rng>);
        impl Drop for Restore {
            fn drop(&mut self) {
                SEEDS.set(self.0.take());
            }
        }
        let _restore = Restore(SEEDS.replace(Some(seeds)));
        f()
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        self.0.random()
    }

    /// Normal with mean 0 and standard deviation 1.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// A number between 0 and 1, from the beta distribution whose two parameters are `alpha`.
    pub(crate) fn beta(&mut self, alpha: f64) -> f64 {
        Beta::new(alpha, alpha).map_or(0.5, |beta| beta.sample(&mut self.0))
    }

    /// Puts `items` in a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.0);
    }
}
