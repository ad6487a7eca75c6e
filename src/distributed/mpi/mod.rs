//! Ranks that are processes, started by `mpirun` or `srun`, under any MPI of version 3 and above (feature `mpi`).
//!
//! The crate `mpi` finds the library by its compiler `mpicc` when it is built, and reads its headers by `libclang`: on Debian
//! and Ubuntu the packages `libopenmpi-dev`, `openmpi-bin` and `libclang-dev`, or `libmpich-dev` and `mpich` in place of the first two.
//! How to run a program on many ranks: [`guide::many_machines`](crate::guide::many_machines).

mod abort;
mod background;
mod calls;
mod launch;
mod sums;
mod wait;
mod world;

pub use launch::launch;
pub use world::World;
