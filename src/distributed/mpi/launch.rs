//! The entry point of a program on several ranks: initializes and finalizes MPI, and ends the run if one rank fails.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Duration;

use crate::distributed::Communicator as _;
use crate::error::RankFault;
use ::mpi::Threading;
use ::mpi::environment::initialize_with_threading;
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::CommunicatorCollectives as _;

use super::World;
use super::abort::{abort, print_error};
use super::wait::Wait;

/// Runs a program on all ranks that `mpirun -n N` started, or on one rank without `mpirun`.
///
/// If the program returns an error or panics on any rank, the run ends on all ranks with exit code 1 and one message on
/// standard error that names the rank and the cause. `mpirun` ends the run if a rank dies. If a rank hangs, the run ends
/// when the [`patience`](World::patience) of the others is exceeded.
///
/// # Example
/// ```no_run
/// use cornu::distributed::mpi::launch;
/// use cornu::prelude::*;
/// fn main() -> std::process::ExitCode {
///     launch(|world| -> Result<()> {
///         let x = ndarray::array![[0.0], [1.0], [2.0], [3.0]];
///         let y = ndarray::array![1.0, 3.0, 5.0, 7.0];
///         let mut model = Sequential::new().seed(1).add(Dense::new(1));
///         model.compile(Sgd::new(0.05), MeanSquaredError::new(), ())?;
///         model.fit(&x, &y, &Fit::new().epochs(20).distributed(world))?;
///         Ok(())
///     })
/// }
/// # use cornu::ndarray;
/// ```
pub fn launch<E: Into<Box<dyn Error>>>(program: impl FnOnce(&World) -> Result<(), E>) -> ExitCode {
    let Some((_universe, threading)) = initialize_with_threading(Threading::Serialized) else {
        print_error("MPI is already initialized in this process");
        return ExitCode::FAILURE;
    };
    let world = World::new();
    if threading < Threading::Serialized && world.size() > 1 {
        abort("expected an MPI with MPI_THREAD_SERIALIZED, which allows calls from several threads in turn");
    }
    let rank = world.rank();
    match std::panic::catch_unwind(AssertUnwindSafe(|| program(&world).map_err(Into::into))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error: Box<dyn Error> = error;
            let fault = match error.downcast_ref::<crate::Error>() {
                Some(crate::Error::Rank(fault)) => Some(fault),
                _ => error.downcast_ref::<RankFault>(),
            };
            match fault {
                Some(fault @ RankFault::Failed { .. }) => fail_after(&world, 16, &fault.to_string()),
                Some(fault) => fail_after(&world, 0, &fault.to_string()),
                None => fail_after(&world, 0, &format!("rank {rank}: {error}")),
            }
        }
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            fail_after(&world, 0, &format!("rank {rank}: panicked: {text}"));
        }
    }
    // A rank that is done waits here for the others, and notices if one loses patience.
    let end = Wait { calls: &world.calls, patience: None, what: "the end of the program" };
    match end.for_request(|| SimpleCommunicator::world().immediate_barrier()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => abort(&error.to_string()),
    }
}

/// Ends the run on all ranks after `turns` quarters of a second, and longer on higher ranks. If several ranks have the same
/// error, the first of them prints it, and a rank prints its own error before the others report it.
fn fail_after(world: &World, turns: usize, text: &str) -> ! {
    std::thread::sleep(Duration::from_millis(250) * (turns + 3 * world.rank().min(8)) as u32);
    let _turn = world.calls.take_turn();
    abort(text)
}
