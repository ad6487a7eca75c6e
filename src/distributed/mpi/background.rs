//! Sums that go on in a thread of their own: an MPI over TCP moves data only while it is called.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use super::calls::Calls;
use super::sums::Memory;
use crate::distributed::{OwnedNumbers, Sum};
use crate::error::{Error, RankFault, Result};

/// Marks messages of sums in the background.
const TAG: ::mpi::Tag = 3;

/// The thread that sums, in the order in which it is asked.
#[derive(Debug)]
pub(super) struct Background {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// Numbers to sum, and where to send the sums.
struct Job(OwnedNumbers, Sender<Result<OwnedNumbers>>);

impl Background {
    pub(super) fn start(calls: Calls) -> Result<Self> {
        let (jobs, to_do) = channel::<Job>();
        let calls = Calls { is_humble: true, ..calls };
        let work = move || {
            let mut memory = Memory::default();
            for Job(mut numbers, reply) in to_do {
                let summed = calls.sum(numbers.as_numbers(), &mut memory, TAG);
                // Nobody waits for a sum where a training has ended in an error.
                let _ = reply.send(summed.map(|()| numbers));
            }
        };
        let thread =
            std::thread::Builder::new().name("cornu sums".into()).spawn(work).map_err(Error::outside)?;
        Ok(Background { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Begins a sum, of rank `rank`.
    pub(super) fn sum(&self, numbers: OwnedNumbers, rank: usize) -> Result<Sum<'static>> {
        let ended =
            move || Error::from(RankFault::Failed { rank, cause: "its thread for sums has ended".into() });
        let (reply, sums) = channel();
        self.jobs.as_ref().and_then(|jobs| jobs.send(Job(numbers, reply)).ok()).ok_or_else(ended)?;
        Ok(Sum::new(move || sums.recv().unwrap_or_else(|_| Err(ended()))))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // A panic of the thread was an error to whoever waited for its sums.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
