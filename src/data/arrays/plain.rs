//! An array that lies in a file as numbers, and its samples one after another.

use std::fs::File;
use std::path::Path;

use ndarray::{ArrayD, IxDyn};

use crate::data::rows::{Rows, Scratch};
use crate::error::{Error, Result};
use crate::files::array::Number;

/// Where the numbers of an array lie, or what else has its name.
pub(super) type Located = std::result::Result<Plain, &'static str>;

/// How many numbers are held while samples are brought in order: 2 MiB of them.
pub(super) const BLOCK: usize = 1 << 18;

/// Where the numbers of an array lie.
#[derive(Debug)]
pub(super) struct Plain {
    /// What messages call the file.
    pub(super) name: String,
    pub(super) file: File,
    pub(super) number: Number,
    pub(super) big_endian: bool,
    pub(super) start: u64,
    /// The sizes of its axes.
    pub(super) shape: Vec<usize>,
    /// Whether the first axis runs fastest, as MATLAB's and Fortran's do.
    pub(super) reversed: bool,
}

impl Plain {
    /// The samples that this axis counts: where they lie, where they lie one after another, else in a file made for it.
    pub(super) fn rows(self, axis: usize, scratch: Option<&Path>) -> Result<Rows> {
        let rank = self.shape.len();
        // Where one axis is empty, the others may be of any size.
        let all = self.shape.iter().try_fold(8usize, |all, &size| all.checked_mul(size.max(1)));
        if all.is_none() {
            return Err(Error::TooLarge { shape: self.shape });
        }
        // The axes as they lie in the file, the slowest first, and the place of the samples among them.
        let (mut lying, mut place) = (self.shape.clone(), axis);
        if self.reversed {
            lying.reverse();
            place = rank - 1 - axis;
        }
        let (count, mut shape) = (self.shape[axis], self.shape.clone());
        shape.remove(axis);
        let ordered = !self.reversed || shape.iter().filter(|size| **size != 1).count() <= 1;
        let before: usize = lying[..place].iter().product();
        if ordered && before == 1 {
            let Plain { name, file, number, big_endian, start, .. } = self;
            return Ok(Rows { name, file, number, big_endian, start, count, shape });
        }
        // The place in the file of each axis of a sample, in order.
        let mut order: Vec<usize> =
            (0..rank).map(|axis| if self.reversed { rank - 1 - axis } else { axis }).collect();
        order.remove(axis);
        order.insert(0, place);
        let after: usize = lying[place + 1..].iter().product();
        let Plain { name, file, number, big_endian, start, .. } = self;
        let stretch =
            Rows { name, file, number, big_endian, start, count: before * count * after, shape: Vec::new() };
        let mut to = Scratch::new(scratch)?;
        let step = (BLOCK / (before * after).max(1)).max(1);
        for first in (0..count).step_by(step) {
            let some = step.min(count - first);
            let mut block = vec![0.0; before * some * after];
            for (outer, to) in block.chunks_exact_mut((some * after).max(1)).enumerate() {
                stretch.run((outer * count + first) * after, to)?;
            }
            let mut sizes = lying.clone();
            sizes[place] = some;
            let large = |_| Error::TooLarge { shape: sizes.clone() };
            let block = ArrayD::from_shape_vec(IxDyn(&sizes), block).map_err(large)?;
            let block = block.permuted_axes(order.clone());
            to.put(block.as_standard_layout().as_slice().unwrap_or_default())?;
        }
        to.rows(stretch.name, count, shape)
    }

    /// The same numbers as one list, where all axes but one have a size of 1.
    pub(super) fn list(self) -> Rows {
        let count = self.len();
        let Plain { name, file, number, big_endian, start, .. } = self;
        Rows { name, file, number, big_endian, start, count, shape: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }
}
