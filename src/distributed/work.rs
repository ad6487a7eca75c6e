//! Work of unknown length, of which each rank has another: while one is at it, the others hear that it lives.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::Ranks;
use crate::error::{Error, RankFault, Result};
use crate::state::StateValue;

/// How often a rank says that it is at work; far below the patience of those that wait.
const BEAT: Duration = Duration::from_secs(1);

/// What the first byte of a message says: still at work, done with what follows, or failed by the rank and for the cause
/// that follow.
const ALIVE: u8 = 0;
const DONE: u8 = 1;
const FAILED: u8 = 2;

impl Ranks<'_> {
    /// Does this rank's work, waits for that of the others however long it takes, and gives all ranks what each made, in
    /// order. A rank that ends or falls silent is an error on all.
    pub(crate) fn work(&self, work: impl FnOnce() -> Vec<u8>) -> Result<Vec<Vec<u8>>> {
        let own = self.beating(work);
        if self.is_first() {
            let all = self.collect(own);
            let mut bytes = vec![if all.is_ok() { DONE } else { FAILED }];
            match &all {
                Ok(all) => all.put(&mut bytes),
                Err(error) => cause(error).put(&mut bytes),
            }
            // The first that cannot be told is not the last that has to be.
            let told = (1..self.size()).map(|rank| self.send(rank, &bytes)).fold(Ok(()), Result::and);
            return all.and_then(|all| told.map(|()| all));
        }
        let mut bytes = vec![DONE];
        bytes.extend(own);
        // Rank 0 may have ended, and have said why before.
        let sent = self.send(0, &bytes);
        let bytes = self.hear(0, &mut || Ok(()))?;
        sent?;
        let mut rest = &bytes[..];
        let all = Vec::take(&mut rest).filter(|all: &Vec<_>| rest.is_empty() && all.len() == self.size());
        all.ok_or_else(|| broken(0))
    }

    /// Does the work, while another thread tells those who may be waiting that it is under way.
    fn beating<T>(&self, work: impl FnOnce() -> T) -> T {
        let (stop, stopped) = channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) && self.beat(0).is_ok() {}
            });
            let made = work();
            drop(stop);
            made
        })
    }

    /// Rank 0 says so to all but one, another rank to rank 0.
    fn beat(&self, but: usize) -> Result<()> {
        match self.is_first() {
            true => {
                (1..self.size()).filter(|rank| *rank != but).try_for_each(|rank| self.send(rank, &[ALIVE]))
            }
            false => self.send(0, &[ALIVE]),
        }
    }

    /// What all ranks made, on rank 0. While one is waited for, the others hear of it.
    fn collect(&self, own: Vec<u8>) -> Result<Vec<Vec<u8>>> {
        let others = (1..self.size()).map(|rank| self.hear(rank, &mut || self.beat(rank)));
        std::iter::once(Ok(own)).chain(others).collect()
    }

    /// What a rank has made, once it has; `alive` is called each time that it says it is at work.
    fn hear(&self, from: usize, alive: &mut dyn FnMut() -> Result<()>) -> Result<Vec<u8>> {
        loop {
            let mut bytes = self.receive(from)?;
            match bytes.first() {
                Some(&ALIVE) => alive()?,
                Some(&DONE) => return Ok(bytes.split_off(1)),
                Some(&FAILED) => {
                    let (rank, cause) =
                        <(u64, String)>::take(&mut &bytes[1..]).ok_or_else(|| broken(from))?;
                    return Err(RankFault::Failed { rank: rank as usize, cause }.into());
                }
                _ => return Err(broken(from)),
            }
        }
    }

    /// Brings bytes from one rank to another: what arrived on that one, nothing on all others.
    pub(crate) fn hand(
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

/// Which rank has failed, and why.
fn cause(error: &Error) -> (u64, String) {
    match error {
        Error::Rank(RankFault::Failed { rank, cause }) => (*rank as u64, cause.clone()),
        other => (0, other.to_string()),
    }
}

fn broken(rank: usize) -> Error {
    RankFault::Failed { rank, cause: "it sent what is no result".into() }.into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Communicator, RankSettings, threads};
    use super::*;

    #[test]
    fn all_get_what_each_made_however_long_it_took() {
        for size in [2, 3, 5] {
            let found = threads(size, |world| {
                let ranks = Ranks::of(RankSettings::over(Some(world))).unwrap();
                (0..2)
                    .map(|turn| {
                        let work = || {
                            // Longer than a beat on one of them, which the others wait for.
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
    fn a_rank_that_ends_in_between_is_named_on_all() {
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
