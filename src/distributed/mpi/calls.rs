//! One rank of an MPI program, and its turns to call MPI.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::{RankFault, Result};
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::Communicator as _;

/// A rank, as seen by each of its threads.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    pub(super) rank: usize,
    pub(super) size: usize,
    /// In milliseconds.
    pub(super) patience: Arc<AtomicU64>,
    pub(super) turn: Arc<Mutex<()>>,
    /// Whether this thread yields the processor from the start of a wait.
    pub(super) is_humble: bool,
}

impl Calls {
    /// Requires an initialized MPI.
    pub(super) fn new() -> Self {
        let world = SimpleCommunicator::world();
        let (rank, size) = (world.rank().unsigned_abs() as usize, world.size().unsigned_abs() as usize);
        Calls {
            rank,
            size,
            patience: Arc::new(AtomicU64::new(25_000)),
            turn: Arc::default(),
            is_humble: false,
        }
    }

    /// Locks MPI for this thread until the guard is dropped.
    pub(super) fn take_turn(&self) -> Result<MutexGuard<'_, ()>> {
        let poisoned = |_| RankFault::Failed { rank: self.rank, cause: "an MPI call panicked".into() };
        Ok(self.turn.lock().map_err(poisoned)?)
    }
}
