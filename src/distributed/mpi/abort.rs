//! The end of a run after an error.

use std::io::Write;

use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::Communicator as _;

/// Ends the run on all ranks immediately.
pub(super) fn abort(text: &str) -> ! {
    print_error(text);
    SimpleCommunicator::world().abort(1)
}

/// Prints an error, whatever state MPI is in.
pub(super) fn print_error(text: &str) {
    let mut to = std::io::stderr().lock();
    // The run ends even if the pipe is closed.
    // In one piece: `mpirun` may print what another process writes between two.
    let _ = to.write_all(format!("error: {text}\n").as_bytes());
    let _ = to.flush();
}
