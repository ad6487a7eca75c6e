//! Comparison of checksums. A fuzzing build accepts any checksum, so that it reaches the code behind the check.

/// Whether the computed checksum equals that of the file.
pub(crate) fn fits<T: PartialEq + ?Sized>(computed: &T, stored: &T) -> bool {
    cfg!(fuzzing) || computed == stored
}
