//! All processes that `mpirun` has started, as ranks of a training.

use std::sync::Mutex;
use std::time::Duration;

use crate::distributed::{Communicator, Numbers};
use crate::error::{RankFault, Result};
use ::mpi::collective::SystemOperation;
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{
    Buffer, BufferMut, Communicator as _, CommunicatorCollectives as _, Destination as _, Root as _,
    Source as _,
};

use super::wait::Wait;

/// How many bytes or numbers go in one message: MPI counts in 32 bits.
const PIECE: usize = 1 << 28;

/// Marks messages of a training.
const MESSAGE: ::mpi::Tag = 1;

/// All ranks of the program, seen from one of them; made by [`launch`](super::launch).
///
/// Sums go through MPI's own all-reduce, without blocking, so that a rank that has hung is noticed: a wait for longer than
/// the [`patience`](World::patience) ends the run on all ranks.
///
/// # Example
/// See [`launch`](super::launch).
#[derive(Debug)]
pub struct World {
    rank: usize,
    size: usize,
    patience: Duration,
    /// Calls of MPI are made by one thread at a time.
    turn: Mutex<()>,
}

impl World {
    /// Where MPI has been initialised.
    pub(super) fn new() -> Self {
        let world = SimpleCommunicator::world();
        let (rank, size) = (world.rank().unsigned_abs() as usize, world.size().unsigned_abs() as usize);
        World { rank, size, patience: Duration::from_secs(25), turn: Mutex::new(()) }
    }

    /// How long this rank waits for the others before the run is ended. It must be longer than anything that one rank does
    /// while the others wait for it: a callback that writes a large file, the reading of its data, its slowest step.
    /// Default: 25 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn wait(&self, what: &'static str) -> Wait {
        Wait { rank: self.rank, size: self.size, patience: Some(self.patience), what }
    }

    fn turn(&self) -> Result<std::sync::MutexGuard<'_, ()>> {
        let poisoned = |_| RankFault::Failed { rank: self.rank, cause: "a call of MPI has panicked".into() };
        Ok(self.turn.lock().map_err(poisoned)?)
    }

    fn sum_pieces<T: Copy>(&self, numbers: &mut [T]) -> Result<()>
    where
        [T]: Buffer + BufferMut,
    {
        let _turn = self.turn()?;
        let world = SimpleCommunicator::world();
        let wait = self.wait("a sum over all ranks");
        for piece in numbers.chunks_mut(PIECE) {
            let own = piece.to_vec();
            ::mpi::request::scope(|scope| {
                let sum = SystemOperation::sum();
                wait.for_request(world.immediate_all_reduce_into(scope, &own[..], piece, sum));
            });
        }
        Ok(())
    }

    fn broadcast_piece(&self, bytes: &mut [u8]) -> Result<()> {
        let _turn = self.turn()?;
        let world = SimpleCommunicator::world();
        let wait = self.wait("a broadcast of rank 0");
        for piece in bytes.chunks_mut(PIECE) {
            ::mpi::request::scope(|scope| {
                wait.for_request(world.process_at_rank(0).immediate_broadcast_into(scope, piece));
            });
        }
        Ok(())
    }
}

impl Communicator for World {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn send(&self, to: usize, bytes: &[u8]) -> Result<()> {
        let _turn = self.turn()?;
        let world = SimpleCommunicator::world();
        let wait = self.wait("a message");
        let length = (bytes.len() as u64).to_le_bytes();
        for piece in std::iter::once(&length[..]).chain(bytes.chunks(PIECE)) {
            ::mpi::request::scope(|scope| {
                wait.for_request(
                    world.process_at_rank(to as i32).immediate_send_with_tag(scope, piece, MESSAGE),
                );
            });
        }
        Ok(())
    }

    fn receive(&self, from: usize) -> Result<Vec<u8>> {
        let _turn = self.turn()?;
        let world = SimpleCommunicator::world();
        let wait = self.wait("a message");
        let take = |bytes: &mut [u8]| {
            ::mpi::request::scope(|scope| {
                wait.for_request(
                    world.process_at_rank(from as i32).immediate_receive_into_with_tag(scope, bytes, MESSAGE),
                );
            });
        };
        let mut length = [0; 8];
        take(&mut length);
        let mut bytes = vec![0; u64::from_le_bytes(length) as usize];
        bytes.chunks_mut(PIECE).for_each(take);
        Ok(bytes)
    }

    fn sum(&self, numbers: Numbers) -> Result<()> {
        match numbers {
            Numbers::F32(numbers) => self.sum_pieces(numbers),
            Numbers::F64(numbers) => self.sum_pieces(numbers),
        }
    }

    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let mut length = (bytes.len() as u64).to_le_bytes();
        self.broadcast_piece(&mut length)?;
        bytes.resize(u64::from_le_bytes(length) as usize, 0);
        self.broadcast_piece(bytes)
    }
}
