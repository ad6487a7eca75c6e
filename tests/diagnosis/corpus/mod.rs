//! Small training programs, faulty and healthy, that the diagnosis is measured on.

pub mod data;
pub mod follow;
pub mod judge;
pub mod program;
pub mod quality;
