//! Small training programs, faulty and healthy, on which the diagnosis is evaluated.

pub mod data;
pub mod follow;
pub mod judge;
pub mod program;
pub mod quality;
