//! Sums over all ranks with MPI calls.

use std::ops::AddAssign;

use crate::distributed::{Numbers, ranks::part};
use crate::error::Result;
use ::mpi::Tag;
use ::mpi::collective::SystemOperation;
use ::mpi::request::{multiple_scope, scope};
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{
    Buffer, BufferMut, Communicator as _, CommunicatorCollectives as _, Destination as _, Equivalence,
    Source as _,
};

use super::calls::Calls;

/// The most bytes or numbers of one message, because MPI counts in 32 bits.
pub(super) const PIECE: usize = 1 << 28;

/// From this many bytes per rank, a sum uses the ring.
const SHARE: usize = 1 << 14;

/// The bytes of one message in the ring, which an MPI sends without asking the other rank first.
const EAGER: usize = 1 << 15;

/// Buffers that are reused by successive sums.
#[derive(Debug, Default)]
pub(super) struct SumBuffers(Vec<f32>, Vec<f64>);

impl Calls {
    /// Replaces the numbers by their sums over all ranks. Concurrent sums have different tags.
    pub(super) fn sum(&self, numbers: Numbers, memory: &mut SumBuffers, tag: Tag) -> Result<()> {
        match numbers {
            Numbers::F32(numbers) if self.goes_round::<f32>(numbers.len()) => {
                self.sum_round_a_ring(numbers, &mut memory.0, tag)
            }
            Numbers::F64(numbers) if self.goes_round::<f64>(numbers.len()) => {
                self.sum_round_a_ring(numbers, &mut memory.1, tag)
            }
            Numbers::F32(numbers) => self.all_reduce(numbers),
            Numbers::F64(numbers) => self.all_reduce(numbers),
        }
    }

    /// Whether this many numbers are summed in the ring.
    pub(super) fn goes_round<T>(&self, count: usize) -> bool {
        self.size > 1 && (self.size * SHARE..PIECE).contains(&(count * size_of::<T>()))
    }

    /// Sums with MPI's all-reduce, which all ranks call in the same order.
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

    /// Sums in a ring, with one share of the numbers for each rank. In the first `size − 1` rounds, each rank receives a share
    /// from the previous rank, adds it to its own, and sends the result to the next. As many rounds again distribute the sums.
    /// Each rank sends `2·(size − 1)/size` of the numbers, the minimum, only to its neighbour, and the bits do not depend on
    /// the MPI library.
    fn sum_round_a_ring<T: Equivalence + AddAssign + Default + Copy>(
        &self,
        numbers: &mut [T],
        memory: &mut Vec<T>,
        tag: Tag,
    ) -> Result<()> {
        let (rank, size, count) = (self.rank, self.size, numbers.len());
        let (world, wait) = (SimpleCommunicator::world(), self.wait("a sum over all ranks"));
        let (next, before) = ((rank + 1) % size, (rank + size - 1) % size);
        let (next, before) = (world.process_at_rank(next as i32), world.process_at_rank(before as i32));
        memory.resize(part(count, 0, size).len(), T::default());
        for step in 0..2 * (size - 1) {
            let share = |back: usize| part(count, (rank + 2 * size - back) % size, size);
            let (sent, received) = (share(step), share(step + 1));
            let (from, to) = (&numbers[sent], &mut memory[..received.len()]);
            multiple_scope(2, |scope, requests| {
                wait.for_all(requests, |requests| {
                    for to in to.chunks_mut(EAGER / size_of::<T>()) {
                        requests.add(before.immediate_receive_into_with_tag(scope, to, tag));
                    }
                    for from in from.chunks(EAGER / size_of::<T>()) {
                        requests.add(next.immediate_send_with_tag(scope, from, tag));
                    }
                })
            })?;
            let own = numbers[received].iter_mut().zip(&*memory);
            match step < size - 1 {
                true => own.for_each(|(own, other)| *own += *other),
                false => own.for_each(|(own, other)| *own = *other),
            }
        }
        Ok(())
    }
}
