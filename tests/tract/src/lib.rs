//! An empty crate for the tests.
