//! The one source of randomness: ChaCha8, portable, seeded, cut in independent streams.

use std::cell::RefCell;

use ndarray_rand::rand::{Rng as _, RngCore, SeedableRng, seq::SliceRandom};
use ndarray_rand::rand_distr::{Beta, Distribution, StandardNormal};
use rand_chacha::ChaCha8Rng;

use crate::error::{Error, Result};

/// A stream of random numbers that is the same on every machine for the same seed and stream number.
///
/// # Example
/// ```
/// use cornu::Rng;
/// let mut a = Rng::stream(7, 0);
/// let mut b = Rng::stream(7, 0);
/// assert_eq!(a.uniform(), b.uniform());
/// assert_ne!(a.uniform(), Rng::stream(7, 1).uniform());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rng {
    stream: ChaCha8Rng,
    /// How many bytes what is built with it may still take.
    room: usize,
    /// Whether first weights are to be drawn; those of a model that is read from a file need not be.
    draws: bool,
}

thread_local! {
    static SEEDS: RefCell<Option<Rng>> = const { RefCell::new(None) };
}

impl Rng {
    /// The stream `number` of `seed`. Different numbers give independent streams.
    pub fn stream(seed: u64, number: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(number);
        Rng { stream: generator, room: usize::MAX, draws: true }
    }

    /// The same for weights that a file holds: within so many bytes, and drawn only where the draws after them matter.
    pub(crate) fn within(self, room: usize, draws: bool) -> Self {
        Rng { room, draws, ..self }
    }

    /// What is left of the room.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// Whether first weights are to be drawn.
    pub(crate) fn draws(&self) -> bool {
        self.draws
    }

    /// Takes room for so many things, which make up something of this shape.
    pub(crate) fn take_room<T>(&mut self, count: usize, shape: &[usize]) -> Result<()> {
        let left = count.checked_mul(size_of::<T>()).and_then(|bytes| self.room.checked_sub(bytes));
        self.room = left.ok_or_else(|| Error::TooLarge { shape: shape.to_vec() })?;
        Ok(())
    }

    /// A seed from the operating system, or of [`Rng::with_seeds`] within it.
    pub(crate) fn seed_from_os() -> u64 {
        let drawn = SEEDS.with_borrow_mut(|seeds| seeds.as_mut().map(Rng::bits));
        drawn.unwrap_or_else(ndarray_rand::rand::random)
    }

    /// Calls `f`, and draws from this stream the seeds that models made in it would have from the operating system.
    pub(crate) fn with_seeds<R>(seeds: Rng, f: impl FnOnce() -> R) -> R {
        /// Puts back what was there, also where `f` panics.
        struct Back(Option<Rng>);
        impl Drop for Back {
            fn drop(&mut self) {
                SEEDS.set(self.0.take());
            }
        }
        let _back = Back(SEEDS.replace(Some(seeds)));
        f()
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.stream.next_u64()
    }

    /// Uniform in `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        self.stream.random()
    }

    /// Normal with mean 0 and standard deviation 1.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.stream)
    }

    /// Of the beta distribution with both parameters `alpha`, between 0 and 1.
    pub(crate) fn beta(&mut self, alpha: f64) -> f64 {
        Beta::new(alpha, alpha).map_or(0.5, |beta| beta.sample(&mut self.stream))
    }

    /// Puts `items` in a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.stream);
    }
}
