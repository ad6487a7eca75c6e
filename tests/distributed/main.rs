//! Trainings on several ranks. Ranks are threads in all modules except `mpirun`, which starts processes under MPI.

mod clouds;
mod diagnosis;
#[cfg(feature = "mpi")]
mod mpirun;
mod ranks;
mod search;
mod shards;
mod speed;
