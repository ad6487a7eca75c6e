//! The processes that `mpirun` started, as ranks of a training.

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::distributed::{Communicator, Numbers, OwnedNumbers, Sum};
use crate::error::{Error, RankFault, Result};
use ::mpi::request::scope;
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{Communicator as _, Destination as _, Root as _};

use super::background::Background;
use super::calls::Calls;
use super::sums::{PIECE, SumBuffers};

/// The tags of messages and of sums.
const MESSAGE: ::mpi::Tag = 1;
const SUM: ::mpi::Tag = 2;

/// The size of the first message of a broadcast, which includes the length. Shorter broadcasts need only this message.
const HEAD: usize = 1 << 10;

/// All ranks of the program, seen from one of them; created by [`launch`](super::launch).
///
/// Small sums use MPI's all-reduce. Sums of at least 16 KiB per rank use a ring between neighbours, which has the same bits
/// under any MPI and sends the fewest bytes. [Background sums](Communicator::start_sum) have their own thread, which mostly
/// sleeps. No call blocks inside MPI, so a hanging rank is detected: a wait that exceeds the
/// [`patience`](World::patience) ends the run on all ranks.
///
/// # Example
/// ```no_run
/// use cornu::distributed::{Communicator, mpi::launch};
/// use std::time::Duration;
/// fn main() -> std::process::ExitCode {
///     launch(|world| -> cornu::Result<()> {
///         // Each rank may take a minute to read its data.
///         world.patience(Duration::from_secs(60));
///         let mut bytes = format!("rank {} of {}", world.rank(), world.size()).into_bytes();
///         world.broadcast(&mut bytes)?;
///         assert_eq!(bytes, format!("rank 0 of {}", world.size()).into_bytes());
///         Ok(())
///     })
/// }
/// ```
#[derive(Debug)]
pub struct World {
    pub(super) calls: Calls,
    memory: Mutex<SumBuffers>,
    background: Mutex<Option<Background>>,
}

impl World {
    /// Requires an initialized MPI.
    pub(super) fn new() -> Self {
        World { calls: Calls::new(), memory: Mutex::default(), background: Mutex::default() }
    }

    /// Sets the longest wait of this rank for the others before the run ends. It must exceed the longest work of one rank
    /// while others wait: a callback that writes a large file, reading data, or the slowest step. Default: 25 s.
    pub fn patience(&self, patience: Duration) -> &Self {
        self.calls.patience.store(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self
    }

    fn poisoned(&self) -> Error {
        RankFault::Failed { rank: self.calls.rank, cause: "a thread panicked during a sum".into() }.into()
    }

    fn broadcast_piece(&self, bytes: &mut [u8]) -> Result<()> {
        let (world, wait) = (SimpleCommunicator::world(), self.calls.wait("a broadcast of rank 0"));
        let pieces = bytes.chunks_mut(PIECE);
        pieces.into_iter().try_for_each(|piece| {
            scope(|scope| {
                wait.for_request(|| world.process_at_rank(0).immediate_broadcast_into(scope, piece))
            })
        })
    }
}

impl Communicator for World {
    fn rank(&self) -> usize {
        self.calls.rank
    }

    fn size(&self) -> usize {
        self.calls.size
    }

    /// Sends pieces, the last of which is shorter than the others.
    fn send(&self, to: usize, bytes: &[u8]) -> Result<()> {
        let (world, wait) = (SimpleCommunicator::world(), self.calls.wait("a message"));
        let end = bytes.len().is_multiple_of(PIECE).then_some(&[][..]);
        bytes.chunks(PIECE).chain(end).try_for_each(|piece| {
            let to = world.process_at_rank(to as i32);
            scope(|scope| wait.for_request(|| to.immediate_send_with_tag(scope, piece, MESSAGE)))
        })
    }

    fn receive(&self, from: usize) -> Result<Vec<u8>> {
        let wait = self.calls.wait("a message");
        let mut bytes = Vec::new();
        loop {
            let (message, count) = wait.for_message(from, MESSAGE)?;
            let start = bytes.len();
            bytes.resize(start + count, 0);
            scope(|scope| {
                wait.for_request(|| message.immediate_matched_receive_into(scope, &mut bytes[start..]))
            })?;
            if count < PIECE {
                return Ok(bytes);
            }
        }
    }

    fn sum(&self, numbers: Numbers) -> Result<()> {
        let mut memory = self.memory.lock().map_err(|_| self.poisoned())?;
        self.calls.sum(numbers, &mut memory, SUM)
    }

    fn start_sum(&self, mut numbers: OwnedNumbers) -> Result<Sum<'_>> {
        let goes_round = match &numbers {
            OwnedNumbers::F32(numbers) => self.calls.goes_round::<f32>(numbers.len()),
            OwnedNumbers::F64(numbers) => self.calls.goes_round::<f64>(numbers.len()),
        };
        // MPI's own all-reduce has its place among the other calls of all ranks.
        if !goes_round {
            self.sum(numbers.as_numbers())?;
            return Ok(Sum::new(|| Ok(numbers)));
        }
        let mut background = self.background.lock().map_err(|_| self.poisoned())?;
        let thread = match &mut *background {
            Some(thread) => thread,
            none => none.insert(Background::start(self.calls.clone())?),
        };
        thread.sum(numbers, self.calls.rank)
    }

    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let mut head = [0; HEAD];
        let (length, first) = head.split_at_mut(size_of::<u64>());
        length.copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        bytes.iter().zip(&mut *first).for_each(|(byte, to)| *to = *byte);
        self.broadcast_piece(&mut head)?;
        let (length, first) = head.split_at(size_of::<u64>());
        let length = length.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)) as usize;
        bytes.resize(length, 0);
        let (start, rest) = bytes.split_at_mut(length.min(first.len()));
        start.copy_from_slice(&first[..start.len()]);
        if rest.is_empty() { Ok(()) } else { self.broadcast_piece(rest) }
    }
}
