//! Ranks as processes started by `mpirun` or `srun`, under any MPI of version 3 and above (feature `mpi`).
//!
//! At build time, the crate `mpi` finds the library through its compiler `mpicc` and reads its headers with `libclang`. On
//! Debian and Ubuntu, install `libopenmpi-dev`, `openmpi-bin` and `libclang-dev`; or `libmpich-dev` and `mpich` instead of
//! the first two. [`guide::many_machines`](crate::guide::many_machines) explains how to run a program on many ranks.

mod abort;
mod background;
mod calls;
mod launch;
mod sums;
mod wait;
mod world;

pub use launch::launch;
pub use world::World;
