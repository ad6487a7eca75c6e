//! Ranks as threads of one process.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::Communicator;
use crate::error::{Error, RankFault, Result};

/// The default time that a rank waits for another.
const PATIENCE: Duration = Duration::from_secs(25);

/// A rank in a thread; see [`threads`].
///
/// # Example
/// ```
/// use cornu::distributed::{Communicator, threads};
/// let received = threads(2, |world| match world.rank() {
///     0 => world.send(1, b"hello").map(|()| Vec::new()),
///     _ => world.receive(0),
/// });
/// assert_eq!(received[1].as_deref().ok(), Some(&b"hello"[..]));
/// ```
#[derive(Debug)]
pub struct ThreadRank {
    rank: usize,
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Mutex<Receiver<Vec<u8>>>>,
    patience: Duration,
}

impl ThreadRank {
    /// Sets the longest wait for a message of another rank. Default: 25 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

/// Runs a program on `size` ranks, each in its own thread, and returns the result of each rank. Use it to test on one machine
/// what will run on many.
///
/// # Panics
/// If the program panics on any rank, after all ranks have ended.
///
/// # Example
/// ```
/// use cornu::distributed::{Communicator, threads};
/// assert_eq!(threads(3, |world| world.rank()), [0, 1, 2]);
/// ```
pub fn threads<T: Send>(size: usize, program: impl Fn(&ThreadRank) -> T + Sync) -> Vec<T> {
    let mut to: Vec<Vec<Sender<Vec<u8>>>> = vec![Vec::new(); size];
    let mut from: Vec<Vec<Mutex<Receiver<Vec<u8>>>>> = Vec::new();
    for _ in 0..size {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..size).map(|_| channel()).unzip();
        to.iter_mut().zip(senders).for_each(|(to, sender)| to.push(sender));
        from.push(receivers.into_iter().map(Mutex::new).collect());
    }
    let ranks = to.into_iter().zip(from).enumerate();
    std::thread::scope(|scope| {
        let handles: Vec<_> = ranks
            .map(|(rank, (to, from))| {
                let world = ThreadRank { rank, to, from, patience: PATIENCE };
                let program = &program;
                scope.spawn(move || program(&world))
            })
            .collect();
        let joined: Vec<_> = handles.into_iter().map(|handle| handle.join()).collect();
        let returned = |result: std::thread::Result<T>| match result {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        joined.into_iter().map(returned).collect()
    })
}

impl Communicator for ThreadRank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn send(&self, to: usize, bytes: &[u8]) -> Result<()> {
        self.to[to].send(bytes.to_vec()).map_err(|_| ended(to))
    }

    fn receive(&self, from: usize) -> Result<Vec<u8>> {
        let receiver = self.from[from].lock().map_err(|_| ended(from))?;
        receiver.recv_timeout(self.patience).map_err(|error| match error {
            RecvTimeoutError::Disconnected => ended(from),
            RecvTimeoutError::Timeout => {
                let cause = format!("no message for {} s", self.patience.as_secs_f64());
                RankFault::Failed { rank: from, cause }.into()
            }
        })
    }
}

fn ended(rank: usize) -> Error {
    RankFault::Failed { rank, cause: "it has ended".into() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributed::Numbers;

    #[test]
    fn sums_and_broadcasts_reach_every_rank() {
        for size in 1..=9 {
            let found = threads(size, |world| -> Result<_> {
                let mut numbers = [1.0, world.rank() as f32];
                world.sum(Numbers::F32(&mut numbers))?;
                let mut bytes = vec![world.rank() as u8, 7];
                world.broadcast(&mut bytes)?;
                Ok((numbers, bytes))
            });
            for found in found {
                let (numbers, bytes) = found.unwrap();
                assert_eq!(numbers, [size as f32, (size * (size - 1) / 2) as f32]);
                assert_eq!(bytes, [0, 7]);
            }
        }
    }

    #[test]
    fn a_rank_that_ends_or_hangs_is_named() {
        let found = threads(2, |world| if world.rank() == 0 { world.receive(1).err() } else { None });
        assert_eq!(found[0].as_ref().unwrap().to_string(), "rank 1: it has ended");
        let found = threads(1, |world| {
            let world = ThreadRank {
                rank: 0,
                to: world.to.clone(),
                from: vec![Mutex::new(channel::<Vec<u8>>().1)],
                patience: Duration::from_millis(1),
            };
            world.patience(Duration::from_millis(2)).receive(0).err()
        });
        assert!(found[0].is_some());
    }
}
