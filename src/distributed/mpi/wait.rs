//! Waiting for other ranks, but not for ever.

use std::time::{Duration, Instant};

use ::mpi::Tag;
use ::mpi::request::{Request, Scope};
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{Communicator as _, Destination as _, Source as _};

use super::launch::abort;

/// What ranks say of themselves: one has lost patience, rank 0 asks who waits, and those that wait answer.
const ALARM: Tag = 30_001;
const CALL: Tag = 30_002;
const HERE: Tag = 30_003;

/// How long rank 0 waits for answers.
const ROLL_CALL: Duration = Duration::from_secs(1);

/// So long a wait goes on without giving the processor away for long, and so long without a look at what others say.
const SPIN: Duration = Duration::from_micros(200);
const LISTEN: Duration = Duration::from_millis(10);

/// One wait of a rank for the others.
pub(super) struct Wait {
    pub(super) rank: usize,
    pub(super) size: usize,
    pub(super) patience: Option<Duration>,
    /// What is waited for.
    pub(super) what: &'static str,
}

impl Wait {
    /// Returns once the request is done. Where that takes too long, ends the run on all ranks, with the name of the first
    /// that does not wait too.
    pub(super) fn for_request<'a, D: ?Sized, S: Scope<'a>>(&self, mut request: Request<'a, D, S>) {
        let start = Instant::now();
        let mut alarmed = None;
        loop {
            request = match request.test() {
                Ok(_) => return,
                Err(request) => request,
            };
            let waited = start.elapsed();
            match waited {
                _ if waited < SPIN => std::thread::yield_now(),
                _ if waited < LISTEN => std::thread::sleep(SPIN / 10),
                _ => {
                    self.listen(waited, &mut alarmed);
                    std::thread::sleep(SPIN);
                }
            }
        }
    }

    fn listen(&self, waited: Duration, alarmed: &mut Option<Instant>) {
        let world = SimpleCommunicator::world();
        let late = self.patience.is_some_and(|patience| waited > patience);
        if self.rank == 0 {
            if late || world.any_process().immediate_matched_probe_with_tag(ALARM).is_some() {
                self.call();
            }
            return;
        }
        let first = world.process_at_rank(0);
        if let Some((message, _)) = first.immediate_matched_probe_with_tag(CALL) {
            message.matched_receive::<u64>();
            first.send_with_tag(&(self.rank as u64), HERE);
        }
        match alarmed {
            None if late => {
                first.send_with_tag(&(self.rank as u64), ALARM);
                *alarmed = Some(Instant::now());
            }
            // Rank 0, if it waited, would have ended the run by now.
            Some(since) if since.elapsed() > 2 * ROLL_CALL => self.blame(0),
            _ => {}
        }
    }

    /// Asks all other ranks whether they wait, and ends the run.
    fn call(&self) -> ! {
        let world = SimpleCommunicator::world();
        (1..self.size).for_each(|rank| world.process_at_rank(rank as i32).send_with_tag(&0_u64, CALL));
        let mut here = vec![false; self.size];
        here[0] = true;
        let start = Instant::now();
        while start.elapsed() < ROLL_CALL && here.contains(&false) {
            match world.any_process().immediate_matched_probe_with_tag(HERE) {
                Some((message, _)) => here[message.matched_receive::<u64>().0 as usize % self.size] = true,
                None => std::thread::sleep(SPIN),
            }
        }
        self.blame(here.iter().position(|here| !here).unwrap_or(0))
    }

    fn blame(&self, rank: usize) -> ! {
        let seconds = self.patience.unwrap_or_default().as_secs_f64();
        abort(&format!("rank {rank}: the others have waited {seconds} s for it, for {}", self.what))
    }
}
