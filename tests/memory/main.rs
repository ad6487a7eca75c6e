//! The memory of trainings, predictions and readers, measured by a global allocator.
//!
//! The allocator counts all threads, so this is a separate program with a single test; a second test would be counted
//! too.

mod allocation;
#[cfg(all(feature = "keras", feature = "safetensors"))]
mod loading;
#[cfg(all(feature = "csv", feature = "npy", feature = "mat", feature = "hdf5", feature = "parquet"))]
#[path = "../support/npy.rs"]
mod npy;
#[cfg(feature = "parquet")]
mod parquet;
#[path = "../support/peak.rs"]
mod peak;
#[cfg(all(feature = "csv", feature = "npy", feature = "mat", feature = "hdf5", feature = "parquet"))]
mod readers;
mod training;
#[cfg(all(feature = "csv", feature = "npy", feature = "mat", feature = "hdf5", feature = "parquet"))]
#[path = "../support/zip.rs"]
mod zip;

#[test]
fn memory_stays_within_bounds() {
    allocation::nothing_is_allocated_once_a_training_runs();
    training::a_training_takes_little_memory_beyond_its_data();
    #[cfg(all(feature = "keras", feature = "safetensors"))]
    loading::loading_takes_little_memory_beyond_the_weights();
    #[cfg(all(feature = "csv", feature = "npy", feature = "mat", feature = "hdf5", feature = "parquet"))]
    readers::readers_take_memory_within_bounds();
    #[cfg(feature = "parquet")]
    parquet::hostile_parquet_files_take_little_memory();
}
