//! Whether a checksum is the one that is told: any is in a build for fuzzing, so that what lies behind it is reached.

/// Whether what was computed is what the file tells.
pub(crate) fn fits<T: PartialEq + ?Sized>(computed: &T, told: &T) -> bool {
    cfg!(fuzzing) || computed == told
}
