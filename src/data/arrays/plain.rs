//! An array that lies uncompressed in a file, and its samples in order.

use std::fs::File;
use std::path::Path;

use ndarray::{ArrayD, IxDyn};

use crate::data::rows::{ScratchFile, StoredRows};
use crate::error::{Error, Result};
use crate::files::array::Number;

/// The location of an array, or a description of what has its name instead.
pub(super) type Located = std::result::Result<Plain, &'static str>;

/// The number of values held while samples are reordered: 2 MiB.
pub(super) const BLOCK: usize = 1 << 18;

/// The location of an array's numbers.
#[derive(Debug)]
pub(super) struct Plain {
    /// The name of the file in messages.
    pub(super) name: String,
    pub(super) file: File,
    pub(super) number: Number,
    pub(super) big_endian: bool,
    pub(super) start: u64,
    /// The shape.
    pub(super) shape: Vec<usize>,
    /// Whether the first axis varies fastest, as in MATLAB and Fortran.
    pub(super) reversed: bool,
}

impl Plain {
    /// Returns the samples along this axis: in place if they are contiguous, otherwise in a temporary file.
    pub(super) fn rows(self, axis: usize, scratch: Option<&Path>) -> Result<StoredRows> {
        let rank = self.shape.len();
        // If one axis is empty, the others may have any size.
        let all = self.shape.iter().try_fold(8usize, |all, &size| all.checked_mul(size.max(1)));
        if all.is_none() {
            return Err(Error::TooLarge { shape: self.shape });
        }
        // The axes in file order, slowest first, and the position of the samples among them.
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
            return Ok(StoredRows { name, file, number, big_endian, start, count, shape });
        }
        // The position in the file of each axis of a sample, in order.
        let mut order: Vec<usize> =
            (0..rank).map(|axis| if self.reversed { rank - 1 - axis } else { axis }).collect();
        order.remove(axis);
        order.insert(0, place);
        let after: usize = lying[place + 1..].iter().product();
        let Plain { name, file, number, big_endian, start, .. } = self;
        let stretch = StoredRows {
            name,
            file,
            number,
            big_endian,
            start,
            count: before * count * after,
            shape: Vec::new(),
        };
        let mut to = ScratchFile::new(scratch)?;
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

    /// Returns the numbers as one list, if all axes but one have size 1.
    pub(super) fn list(self) -> StoredRows {
        let count = self.len();
        let Plain { name, file, number, big_endian, start, .. } = self;
        StoredRows { name, file, number, big_endian, start, count, shape: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }
}
