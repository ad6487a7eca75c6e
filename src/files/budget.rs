//! The memory that a loader may still allocate.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The rest of twice the file's size plus 1 MiB, or of the limit set by the user. Before an allocation whose size
/// depends on the file, the loader takes it from here.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicUsize,
}

/// The error if less is left than requested.
#[derive(Debug)]
pub(crate) struct Spent;

impl Budget {
    /// The budget for a file of this size.
    pub(crate) fn of(len: u64) -> Self {
        Budget::bytes(usize::try_from(len).unwrap_or(usize::MAX).saturating_mul(2).saturating_add(1 << 20))
    }

    pub(crate) fn bytes(bytes: usize) -> Self {
        Budget { left: AtomicUsize::new(bytes) }
    }

    pub(crate) fn left(&self) -> usize {
        self.left.load(Ordering::Relaxed)
    }

    /// Takes this many bytes.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Spent> {
        let less = |left: usize| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).map(|_| ()).map_err(|_| Spent)
    }

    /// Takes the size of `count` values of this type.
    pub(crate) fn take_many<T>(&self, count: usize) -> Result<(), Spent> {
        self.take(count.checked_mul(size_of::<T>()).ok_or(Spent)?)
    }

    /// Returns memory that was freed.
    pub(crate) fn give(&self, bytes: usize) {
        let more = |left: usize| Some(left.saturating_add(bytes));
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("it would take more memory than twice the file's size and 1 MiB, or than the limit")
    }
}
