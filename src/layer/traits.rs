//! The properties of a layer.

use std::iter::Sum;
use std::ops::Add;

use super::MaskRule;
use crate::activation::Activation;
use crate::kernel;

/// The properties of a layer that the model and the diagnosis use, returned by [`Layer::traits`](super::Layer::traits).
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
    /// Whether the layer only reshapes its input; the output then shares the memory, and neither pass is called.
    /// Default: false.
    pub is_view: bool,
    /// Whether the layer acts on each vector along the last axis, and is called with `rows·steps × channels`.
    /// Default: false.
    pub by_last_axis: bool,
    /// Whether a prediction without the activation is the input times a matrix, plus constants. Default: false.
    pub is_affine: bool,
    /// Whether the layer changes its input at random in training, and not at all in a prediction. Default: false.
    pub is_noise: bool,
    /// Whether the layer brings numbers to a common scale, by their own mean and deviation or by those of the data.
    /// Default: false.
    pub is_normalization: bool,
    /// Whether the parameters come from the data before training, not from training. Default: false.
    pub is_adapted: bool,
    /// Whether the layer runs a cell over the steps of its input. Default: false.
    pub is_recurrent: bool,
    /// Whether such a layer starts with the last step. Default: false.
    pub goes_backwards: bool,
    /// How the layers that it holds are connected. Default: in sequence.
    pub topology: Topology,
    /// The share of its inputs that the layer drops in training. Default: 0.
    pub drop_rate: f64,
    /// The activation applied to the output. Default: none.
    pub activation: Option<Activation>,
    /// The number of indices, if the layer reads its input as indices from 0. If such a layer comes first, the model
    /// checks its data. Default: none.
    pub indices: Option<usize>,
    /// What the layer does with a mask. Default: [`MaskRule::Ends`].
    pub mask: MaskRule,
    /// The memory of training besides the parameters. Default: none.
    pub memory: Memory,
    /// Whether a prediction can report that its input is finite; see `Scratch`.
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
    /// In sequence but for the last, which reads the input of the whole; its output is added to that of the one before.
    Shortcut,
    /// Each reads the input of the whole.
    Parallel,
}

/// The number of values that a layer keeps or uses in training, besides its parameters.
///
/// # Example
/// ```
/// use cornu::layer::Memory;
/// let memory = Memory::fixed(100) + Memory::per_row(3);
/// assert_eq!(memory.numbers(32), 196);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Values for any batch.
    pub(crate) fixed: usize,
    /// Values per row of a batch.
    pub(crate) per_row: usize,
    /// Values per part of a batch; each thread works on one part at a time.
    pub(crate) per_part: usize,
}

impl Memory {
    /// A fixed number of values for any batch.
    pub fn fixed(numbers: usize) -> Self {
        Memory { fixed: numbers, ..Memory::default() }
    }

    /// This number of values per row of a batch.
    pub fn per_row(numbers: usize) -> Self {
        Memory { per_row: numbers, ..Memory::default() }
    }

    /// The maximum for a layer that runs on `steps` rows per row of its caller.
    pub(in crate::layer) fn times_rows(self, steps: usize) -> Self {
        Memory::fixed(self.fixed + kernel::PARTS * self.per_part) + Memory::per_row(steps * self.per_row)
    }

    /// The number of values for a batch of `rows` rows.
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
