//! What a layer says about itself.

use std::iter::Sum;
use std::ops::Add;

use crate::activation::Activation;
use crate::kernel;

/// What the model and the diagnosis know about a layer; the answer of [`Layer::traits`](super::Layer::traits).
///
/// # Example
/// ```
/// use cornu::layer::{Layer, LayerTraits};
/// use cornu::prelude::*;
/// let dropout: Dropout = Dropout::new(0.2);
/// let traits = dropout.traits();
/// assert!(traits.is_noise && traits.drop_rate == 0.2 && !traits.is_view);
/// assert_eq!(LayerTraits::default().activation, None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LayerTraits {
    /// The layer only reshapes its input: its output shares the memory, and neither pass is called. Default: false.
    pub is_view: bool,
    /// The layer works on each vector along the last axis alone, and is called with `rows·steps × channels`. Default: false.
    pub by_last_axis: bool,
    /// Without its activation, a prediction is the input times a matrix, plus constants. Default: false.
    pub is_affine: bool,
    /// The layer changes its input at random in training, and not at all in a prediction. Default: false.
    pub is_noise: bool,
    /// The layer brings numbers to a common scale, by their own mean and deviation or by those of the data. Default: false.
    pub is_normalization: bool,
    /// The parameters come from the data before training, not from training. Default: false.
    pub is_adapted: bool,
    /// The layer runs a cell over the steps of its input. Default: false.
    pub is_recurrent: bool,
    /// How the layers that it holds are connected. Default: in sequence.
    pub topology: Topology,
    /// The share of its inputs that the layer drops in training. Default: 0.
    pub drop_rate: f64,
    /// The function whose values the outputs are. Default: none.
    pub activation: Option<Activation>,
    /// The layer reads its input as indices from 0 and below this number. If such a layer comes first, a model checks its
    /// data. Default: none.
    pub indices: Option<usize>,
    /// The memory that training takes besides the parameters. Default: none.
    pub memory: Memory,
    /// A prediction answers whether its input is finite; see `Scratch`.
    #[doc(hidden)]
    pub proves_finite: bool,
}

/// How the layers within a layer are connected.
///
/// # Example
/// ```
/// use cornu::layer::{Layer, Topology};
/// use cornu::prelude::*;
/// let residual: Residual = Residual::new().add(Dense::new(2));
/// assert_eq!(residual.traits().topology, Topology::Residual);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topology {
    /// Each reads the output of the one before.
    #[default]
    Sequence,
    /// In sequence; the input is added to the output of the last.
    Residual,
    /// Each reads the input of the whole.
    Parallel,
}

/// How many numbers a layer keeps or uses in training, besides its parameters.
///
/// # Example
/// ```
/// use cornu::layer::Memory;
/// let memory = Memory::fixed(100) + Memory::per_row(3);
/// assert_eq!(memory.numbers(32), 196);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Numbers for any batch.
    pub(crate) fixed: usize,
    /// Numbers for each row of a batch.
    pub(crate) per_row: usize,
    /// Numbers for each part of a batch, of which threads work on one at a time.
    pub(crate) per_part: usize,
}

impl Memory {
    /// This many numbers, for any batch.
    pub fn fixed(numbers: usize) -> Self {
        Memory { fixed: numbers, ..Memory::default() }
    }

    /// This many numbers for each row of a batch.
    pub fn per_row(numbers: usize) -> Self {
        Memory { per_row: numbers, ..Memory::default() }
    }

    /// The most for a layer that runs on `steps` rows for each row of its caller.
    pub(in crate::layer) fn times_rows(self, steps: usize) -> Self {
        Memory::fixed(self.fixed + kernel::PARTS * self.per_part) + Memory::per_row(steps * self.per_row)
    }

    /// The numbers for a batch of `rows` rows.
    pub fn numbers(self, rows: usize) -> usize {
        self.fixed + rows * self.per_row + kernel::PARTS.min(rows) * self.per_part
    }
}

impl Add for Memory {
    type Output = Memory;

    fn add(self, other: Memory) -> Memory {
        Memory {
            fixed: self.fixed + other.fixed,
            per_row: self.per_row + other.per_row,
            per_part: self.per_part + other.per_part,
        }
    }
}

impl Sum for Memory {
    fn sum<I: Iterator<Item = Memory>>(memories: I) -> Memory {
        memories.fold(Memory::default(), Add::add)
    }
}
