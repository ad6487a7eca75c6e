//! Background sums in their own thread, because an MPI over TCP transfers data only while it is called.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use super::calls::Calls;
use super::sums::SumBuffers;
use crate::distributed::{OwnedNumbers, Sum};
use crate::error::{Error, RankFault, Result};

/// The tag of background sums.
const TAG: ::mpi::Tag = 3;

/// The thread of background sums, which processes them in order.
#[derive(Debug)]
pub(super) struct Background {
    jobs: Option<Sender<SumJob>>,
    thread: Option<JoinHandle<()>>,
}

/// Numbers to sum, and the channel for the result.
struct SumJob(OwnedNumbers, Sender<Result<OwnedNumbers>>);

impl Background {
    pub(super) fn start(calls: Calls) -> Result<Self> {
        let (jobs, to_do) = channel::<SumJob>();
        let calls = Calls { is_humble: true, ..calls };
        let work = move || {
            let mut memory = SumBuffers::default();
            for SumJob(mut numbers, reply) in to_do {
                let summed = calls.sum(numbers.as_numbers(), &mut memory, TAG);
                // If the training ended in an error, nobody waits for the sum.
                let _ = reply.send(summed.map(|()| numbers));
            }
        };
        let thread =
            std::thread::Builder::new().name("cornu sums".into()).spawn(work).map_err(Error::outside)?;
        Ok(Background { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Starts a sum of rank `rank`.
    pub(super) fn sum(&self, numbers: OwnedNumbers, rank: usize) -> Result<Sum<'static>> {
        let ended =
            move || Error::from(RankFault::Failed { rank, cause: "the thread of its sums has ended".into() });
        let (reply, sums) = channel();
        self.jobs.as_ref().and_then(|jobs| jobs.send(SumJob(numbers, reply)).ok()).ok_or_else(ended)?;
        Ok(Sum::new(move || sums.recv().unwrap_or_else(|_| Err(ended()))))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // A panic of the thread was already an error for those who waited for its sums.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
