//! The crate as a whole: its architecture, manifest, public types, guide and examples.

mod api;
mod architecture;
mod examples;
mod guide;
mod manifest;
