//! Work of unknown duration, different on each rank. Heartbeats show the others that a rank is alive.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::Ranks;
use crate::error::{Error, RankFault, Result};
use crate::state::StateValue;

/// The interval of heartbeats, far below the patience of the waiting ranks.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The first byte of a message: still working, done with the result that follows, or failed with the fault that follows.
const ALIVE: u8 = 0;
const DONE: u8 = 1;
const FAILED: u8 = 2;

impl Ranks<'_> {
    /// Runs the work of this rank, waits for that of the others however long it takes, and returns the results of all ranks in
    /// order. If a rank ends or becomes silent, all ranks return an error.
    pub(crate) fn work(&self, work: impl FnOnce() -> Vec<u8>) -> Result<Vec<Vec<u8>>> {
        let own = self.with_heartbeats(work);
        if self.is_first() {
            let all = self.collect(own);
            let mut bytes = vec![if all.is_ok() { DONE } else { FAILED }];
            match &all {
                Ok(all) => all.put(&mut bytes),
                Err(error) => fault(error).put(&mut bytes),
            }
            // If one rank cannot be reached, the others are still sent the result.
            let sent = (1..self.size()).map(|rank| self.send(rank, &bytes)).fold(Ok(()), Result::and);
            return all.and_then(|all| sent.map(|()| all));
        }
        let mut bytes = vec![DONE];
        bytes.extend(own);
        // Rank 0 may have ended and sent the cause before.
        let sent = self.send(0, &bytes);
        let bytes = self.receive_result(0, &mut || Ok(()))?;
        sent?;
        let mut rest = &bytes[..];
        let all = Vec::take(&mut rest).filter(|all: &Vec<_>| rest.is_empty() && all.len() == self.size());
        all.ok_or_else(|| broken(0))
    }

    /// Runs the work while another thread sends heartbeats.
    fn with_heartbeats<T>(&self, work: impl FnOnce() -> T) -> T {
        let (stop, stopped) = channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let is_due = || stopped.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout);
                while is_due() && self.send_heartbeat(None).is_ok() {}
            });
            let result = work();
            drop(stop);
            result
        })
    }

    /// Sends a heartbeat: rank 0 to all other ranks `except` one, any other rank to rank 0.
    fn send_heartbeat(&self, except: Option<usize>) -> Result<()> {
        if !self.is_first() {
            return self.send(0, &[ALIVE]);
        }
        let mut others = (1..self.size()).filter(|&rank| Some(rank) != except);
        others.try_for_each(|rank| self.send(rank, &[ALIVE]))
    }

    /// Collects the results of all ranks on rank 0, which passes on the heartbeats of the rank it waits for.
    fn collect(&self, own: Vec<u8>) -> Result<Vec<Vec<u8>>> {
        let receive = |rank| self.receive_result(rank, &mut || self.send_heartbeat(Some(rank)));
        let others = (1..self.size()).map(receive);
        std::iter::once(Ok(own)).chain(others).collect()
    }

    /// Waits for the result of a rank; calls `alive` at each of its heartbeats.
    fn receive_result(&self, from: usize, alive: &mut dyn FnMut() -> Result<()>) -> Result<Vec<u8>> {
        loop {
            let mut bytes = self.receive(from)?;
            match bytes.first() {
                Some(&ALIVE) => alive()?,
                Some(&DONE) => return Ok(bytes.split_off(1)),
                Some(&FAILED) => {
                    let fault = RankFault::take(&mut &bytes[1..]).ok_or_else(|| broken(from))?;
                    return Err(fault.into());
                }
                _ => return Err(broken(from)),
            }
        }
    }

    /// Sends bytes from one rank to another; returns them on the receiver and `None` on all others.
    pub(crate) fn transfer(
        &self,
        from: usize,
        to: usize,
        bytes: impl FnOnce() -> Vec<u8>,
    ) -> Result<Option<Vec<u8>>> {
        match self.rank() {
            rank if rank == from && rank == to => Ok(Some(bytes())),
            rank if rank == from => self.send(to, &bytes()).map(|()| None),
            rank if rank == to => self.receive(from).map(Some),
            _ => Ok(None),
        }
    }
}

/// The fault that rank 0 reports to the others.
fn fault(error: &Error) -> RankFault {
    match error {
        Error::Rank(fault @ RankFault::Failed { .. }) => fault.clone(),
        other => RankFault::Failed { rank: 0, cause: other.to_string() },
    }
}

fn broken(rank: usize) -> Error {
    RankFault::Failed { rank, cause: "expected a message with a result".into() }.into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Communicator, RankSettings, threads};
    use super::*;

    #[test]
    fn all_ranks_receive_all_results_of_work_of_any_duration() {
        for size in [2, 3, 5] {
            let found = threads(size, |world| {
                let ranks = Ranks::of(RankSettings::over(Some(world))).unwrap();
                (0..2)
                    .map(|turn| {
                        let work = || {
                            // Longer than a heartbeat on one rank, which the others wait for.
                            let long = world.rank() == size - 1 - turn;
                            std::thread::sleep(Duration::from_millis(if long { 1200 } else { 1 }));
                            vec![world.rank() as u8; turn + 1]
                        };
                        ranks.work(work).unwrap()
                    })
                    .collect::<Vec<_>>()
            });
            for found in found {
                for (turn, all) in found.iter().enumerate() {
                    assert_eq!(*all, (0..size as u8).map(|rank| vec![rank; turn + 1]).collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn a_rank_that_ends_during_work_is_named_on_all_ranks() {
        for gone in [1, 2] {
            let found = threads(3, |world| {
                let ranks = Ranks::of(RankSettings::over(Some(world))).unwrap();
                if world.rank() == gone {
                    return "gone".to_string();
                }
                ranks.work(Vec::new).unwrap_err().to_string()
            });
            for (rank, found) in found.iter().enumerate().filter(|(rank, _)| *rank != gone) {
                assert_eq!(*found, format!("rank {gone}: it has ended"), "on rank {rank}");
            }
        }
    }
}
