//! How much a loader may still allocate.

use std::cell::Cell;

/// What is left of twice the file's size and 1 MiB, or of the limit that the user set. Whoever is about to allocate by
/// what a file says takes from it first.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Cell<usize>,
}

/// More than there is left.
#[derive(Debug)]
pub(crate) struct Spent;

impl Budget {
    /// For a file of this size.
    pub(crate) fn of(len: u64) -> Self {
        Budget::bytes(usize::try_from(len).unwrap_or(usize::MAX).saturating_mul(2).saturating_add(1 << 20))
    }

    pub(crate) fn bytes(bytes: usize) -> Self {
        Budget { left: Cell::new(bytes) }
    }

    pub(crate) fn left(&self) -> usize {
        self.left.get()
    }

    /// Takes so many bytes.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Spent> {
        self.left.set(self.left.get().checked_sub(bytes).ok_or(Spent)?);
        Ok(())
    }

    /// Takes so many things of this type.
    pub(crate) fn take_many<T>(&self, count: usize) -> Result<(), Spent> {
        self.take(count.checked_mul(size_of::<T>()).ok_or(Spent)?)
    }

    /// Gives back what was taken and is free again.
    pub(crate) fn give(&self, bytes: usize) {
        self.left.set(self.left.get().saturating_add(bytes));
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(
            "it would take more memory than twice the file's size and 1 MiB, or than the limit that was set",
        )
    }
}
