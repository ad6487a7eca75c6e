//! Calls of MPI, by one thread at a time, and sums over all ranks made of them.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::distributed::{Numbers, ranks::part};
use crate::error::{RankFault, Result};
use ::mpi::Tag;
use ::mpi::collective::SystemOperation;
use ::mpi::request::{multiple_scope, scope};
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{
    Buffer, BufferMut, Communicator as _, CommunicatorCollectives as _, Destination as _, Equivalence,
    Source as _,
};

use super::wait::Wait;

/// How many bytes or numbers go in one message: MPI counts in 32 bits.
pub(super) const PIECE: usize = 1 << 28;

/// Where each rank's share of a sum has so many bytes, it goes directly to that rank and back.
const SHARE: usize = 1 << 12;

/// One of the ranks, as each of its threads sees it.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    pub(super) rank: usize,
    pub(super) size: usize,
    /// In milliseconds.
    pub(super) patience: Arc<AtomicU64>,
    turn: Arc<Mutex<()>>,
}

/// The memory of direct sums, kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Memory(Vec<f32>, Vec<f64>);

impl Calls {
    /// Where MPI has been initialised.
    pub(super) fn new() -> Self {
        let world = SimpleCommunicator::world();
        let (rank, size) = (world.rank().unsigned_abs() as usize, world.size().unsigned_abs() as usize);
        Calls { rank, size, patience: Arc::new(AtomicU64::new(25_000)), turn: Arc::default() }
    }

    /// The right to call MPI, until it is dropped.
    pub(super) fn turn(&self) -> Result<MutexGuard<'_, ()>> {
        let poisoned = |_| RankFault::Failed { rank: self.rank, cause: "a call of MPI has panicked".into() };
        Ok(self.turn.lock().map_err(poisoned)?)
    }

    pub(super) fn wait(&self, what: &'static str) -> Wait<'_> {
        let patience = Some(Duration::from_millis(self.patience.load(Ordering::Relaxed)));
        Wait { calls: self, patience, what }
    }

    /// Replaces the numbers by their sums over all ranks. Sums that are under way at once have different tags.
    pub(super) fn sum(&self, numbers: Numbers, memory: &mut Memory, tag: Tag) -> Result<()> {
        match numbers {
            Numbers::F32(numbers) if self.is_direct::<f32>(numbers.len()) => {
                self.sum_directly(numbers, &mut memory.0, tag)
            }
            Numbers::F64(numbers) if self.is_direct::<f64>(numbers.len()) => {
                self.sum_directly(numbers, &mut memory.1, tag)
            }
            Numbers::F32(numbers) => self.all_reduce(numbers),
            Numbers::F64(numbers) => self.all_reduce(numbers),
        }
    }

    /// Whether so many numbers are summed by messages alone.
    pub(super) fn is_direct<T>(&self, count: usize) -> bool {
        self.size > 1 && (self.size * SHARE..PIECE).contains(&(count * size_of::<T>()))
    }

    /// By MPI's own all-reduce, which all ranks call in the same order.
    fn all_reduce<T: Copy>(&self, numbers: &mut [T]) -> Result<()>
    where
        [T]: Buffer + BufferMut,
    {
        let (world, wait) = (SimpleCommunicator::world(), self.wait("a sum over all ranks"));
        for piece in numbers.chunks_mut(PIECE) {
            let own = piece.to_vec();
            scope(|scope| {
                let (world, own, sum) = (&world, &own[..], SystemOperation::sum());
                wait.for_request(move || world.immediate_all_reduce_into(scope, own, piece, sum))
            })?;
        }
        Ok(())
    }

    /// In two rounds: each rank receives its share of the numbers from all others, adds them in the order of ranks, and
    /// sends the sums to all. As few bytes as can be, `2·(size − 1)/size` of the numbers each way, and the same bits under
    /// any MPI.
    fn sum_directly<T: Equivalence + AddAssign + Default + Copy>(
        &self,
        numbers: &mut [T],
        memory: &mut Vec<T>,
        tag: Tag,
    ) -> Result<()> {
        let (rank, size, count) = (self.rank, self.size, numbers.len());
        let (world, wait) = (SimpleCommunicator::world(), self.wait("a sum over all ranks"));
        // Each rank begins with the one after it, so that none is sent to by all at once.
        let others = || (1..size).map(|step| (rank + step) % size);
        let at = |rank: usize| world.process_at_rank(rank as i32);
        let own = part(count, rank, size);
        memory.resize(size * own.len(), T::default());
        memory[rank * own.len()..][..own.len()].copy_from_slice(&numbers[own.clone()]);
        let mut to: Vec<_> = memory.chunks_mut(own.len()).map(Some).collect();
        multiple_scope(2 * size, |scope, requests| {
            wait.for_all(requests, |requests| {
                for (other, to) in others().filter_map(|other| Some((other, to[other].take()?))) {
                    requests.add(at(other).immediate_receive_into_with_tag(scope, to, tag));
                }
                for other in others() {
                    let share = &numbers[part(count, other, size)];
                    requests.add(at(other).immediate_send_with_tag(scope, share, tag));
                }
            })
        })?;
        let sums = &mut numbers[own.clone()];
        sums.copy_from_slice(&memory[..own.len()]);
        for other in memory.chunks(own.len()).skip(1) {
            sums.iter_mut().zip(other).for_each(|(sum, other)| *sum += *other);
        }
        let mut rest = numbers;
        let mut to = Vec::with_capacity(size);
        for other in 0..size {
            let (share, after) = rest.split_at_mut(part(count, other, size).len());
            to.push(Some(share));
            rest = after;
        }
        let Some(sums) = to[rank].take().map(|sums| &*sums) else { return Ok(()) };
        multiple_scope(2 * size, |scope, requests| {
            wait.for_all(requests, |requests| {
                for (other, to) in others().filter_map(|other| Some((other, to[other].take()?))) {
                    requests.add(at(other).immediate_receive_into_with_tag(scope, to, tag));
                }
                for other in others() {
                    requests.add(at(other).immediate_send_with_tag(scope, sums, tag));
                }
            })
        })
    }
}
