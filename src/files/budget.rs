//! The memory that a loader may still allocate.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that each byte of settings adds to a budget. Settings take more memory as objects than as text: a number in a
/// list takes 40 bytes, for example, and a layer up to 1.5 kB.
pub(crate) const PER_SETTINGS_BYTE: usize = 16;

/// The bytes that are left of twice the file's size plus 1 MiB, raised for settings, or of the user's limit. Before an
/// allocation whose size depends on the file, the loader takes its bytes from the budget.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicUsize,
    /// The bytes of settings that may still raise the budget, at first the size of the file; 0 for the user's limit.
    settings: AtomicUsize,
}

/// The error if less is left than requested.
#[derive(Debug)]
pub(crate) struct Spent;

impl Budget {
    /// The budget for a file of this size.
    pub(crate) fn of(len: u64) -> Self {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let left = AtomicUsize::new(len.saturating_mul(2).saturating_add(1 << 20));
        Budget { left, settings: AtomicUsize::new(len) }
    }

    pub(crate) fn bytes(bytes: usize) -> Self {
        Budget { left: AtomicUsize::new(bytes), settings: AtomicUsize::new(0) }
    }

    /// Raises the budget for a text of settings of this length.
    pub(crate) fn add_settings(&self, len: usize) {
        let rest = |left: usize| Some(left.saturating_sub(len));
        let before = self.settings.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest);
        let added = before.unwrap_or_else(|before| before).min(len);
        self.give(added.saturating_mul(PER_SETTINGS_BYTE));
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
        let text = "it would take more memory than twice the file's size";
        write!(f, "{text}, {PER_SETTINGS_BYTE} times its settings and 1 MiB, or than the limit")
    }
}
