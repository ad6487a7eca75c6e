//! Waiting for other ranks with a time limit.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::error::Result;
use ::mpi::Tag;
use ::mpi::point_to_point::Message;
use ::mpi::request::{Request, RequestCollection, Scope};
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{Communicator as _, Destination as _, Equivalence as _, Source as _};

use super::abort::abort;
use super::calls::Calls;

/// The tags of the roll call: a rank has lost patience, rank 0 asks which ranks are waiting, and those answer.
const ALARM: Tag = 30_001;
const CALL: Tag = 30_002;
const HERE: Tag = 30_003;

/// How long rank 0 waits for answers.
const ROLL_CALL: Duration = Duration::from_secs(1);

/// The time that a wait spins, and the time before it checks for messages of the roll call.
const SPIN: Duration = Duration::from_micros(200);
const LISTEN: Duration = Duration::from_millis(10);

/// One wait of a rank for the others.
pub(super) struct Wait<'c> {
    pub(super) calls: &'c Calls,
    pub(super) patience: Option<Duration>,
    /// What the rank waits for, for the error message.
    pub(super) what: &'static str,
}

impl Calls {
    pub(super) fn wait(&self, what: &'static str) -> Wait<'_> {
        let patience = Some(Duration::from_millis(self.patience.load(Ordering::Relaxed)));
        Wait { calls: self, patience, what }
    }
}

impl Wait<'_> {
    /// Starts a request and waits for it. If that takes too long, ends the run on all ranks and names the first rank that is
    /// not waiting.
    pub(super) fn for_request<'a, D: ?Sized + 'a, S: Scope<'a>>(
        &self,
        start: impl FnOnce() -> Request<'a, D, S>,
    ) -> Result<()> {
        let turn = self.calls.take_turn()?;
        let mut request = Some(start());
        drop(turn);
        self.until(|| {
            request = request.take().and_then(|request| request.test().err());
            request.is_none().then_some(())
        })
    }

    /// Starts requests and waits for all of them.
    pub(super) fn for_all<'a, D: ?Sized + 'a>(
        &self,
        requests: &mut RequestCollection<'a, D>,
        start: impl FnOnce(&mut RequestCollection<'a, D>),
    ) -> Result<()> {
        let turn = self.calls.take_turn()?;
        start(requests);
        drop(turn);
        let mut done = Vec::new();
        self.until(|| requests.test_all(&mut done).then_some(()))
    }

    /// Waits for the next message of a rank; returns it and its length in bytes.
    pub(super) fn for_message(&self, from: usize, tag: Tag) -> Result<(Message, usize)> {
        let world = SimpleCommunicator::world();
        let process = world.process_at_rank(from as i32);
        let (message, status) = self.until(|| process.immediate_matched_probe_with_tag(tag))?;
        Ok((message, status.count(u8::equivalent_datatype()).unsigned_abs() as usize))
    }

    /// Polls in turn with the other threads until there is a result.
    fn until<T>(&self, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
        let start = Instant::now();
        let mut alarmed = None;
        loop {
            let turn = self.calls.take_turn()?;
            if let Some(found) = ask() {
                return Ok(found);
            }
            let waited = start.elapsed();
            if waited >= LISTEN {
                self.listen(waited, &mut alarmed);
            }
            drop(turn);
            match waited {
                _ if waited < SPIN && !self.calls.is_humble => std::thread::yield_now(),
                _ if waited < LISTEN && !self.calls.is_humble => std::thread::sleep(SPIN / 10),
                _ if waited < LISTEN => std::thread::sleep(SPIN / 4),
                _ => std::thread::sleep(SPIN),
            }
        }
    }

    fn listen(&self, waited: Duration, alarmed: &mut Option<Instant>) {
        let world = SimpleCommunicator::world();
        let late = self.patience.is_some_and(|patience| waited > patience);
        if self.calls.rank == 0 {
            let alarm = world.any_process().immediate_matched_probe_with_tag(ALARM);
            if alarm.map(|(message, _)| message.matched_receive::<u64>()).is_some() || late {
                self.call();
            }
            return;
        }
        let first = world.process_at_rank(0);
        if let Some((message, _)) = first.immediate_matched_probe_with_tag(CALL) {
            message.matched_receive::<u64>();
            first.send_with_tag(&(self.calls.rank as u64), HERE);
        }
        match alarmed {
            None if late => {
                first.send_with_tag(&(self.calls.rank as u64), ALARM);
                *alarmed = Some(Instant::now());
            }
            // If rank 0 were waiting, it would have ended the run by now.
            Some(since) if since.elapsed() > 2 * ROLL_CALL => self.blame(0),
            _ => {}
        }
    }

    /// Asks all other ranks whether they are waiting, and ends the run.
    fn call(&self) -> ! {
        let world = SimpleCommunicator::world();
        (1..self.calls.size).for_each(|rank| world.process_at_rank(rank as i32).send_with_tag(&0_u64, CALL));
        let mut here = vec![false; self.calls.size];
        here[0] = true;
        let start = Instant::now();
        while start.elapsed() < ROLL_CALL && here.contains(&false) {
            match world.any_process().immediate_matched_probe_with_tag(HERE) {
                Some((message, _)) => {
                    here[message.matched_receive::<u64>().0 as usize % self.calls.size] = true
                }
                None => std::thread::sleep(SPIN),
            }
        }
        self.blame(here.iter().position(|here| !here).unwrap_or(0))
    }

    fn blame(&self, rank: usize) -> ! {
        let seconds = self.patience.unwrap_or_default().as_secs_f64();
        abort(&format!(
            "rank {rank}: did not respond for {seconds} s, while the others waited for {}",
            self.what
        ))
    }
}
