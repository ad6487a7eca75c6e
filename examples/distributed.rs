//! Distributed training: a network with batch normalization classifies three kinds of waves.
//!
//! On four cores of a laptop:
//!
//! ```sh
//! cargo build --release --features mpi --example distributed
//! RAYON_NUM_THREADS=1 mpirun -n 4 target/release/examples/distributed
//! ```
//!
//! On a Slurm cluster, on 8 machines with 32 cores each and one rank per machine:
//!
//! ```sh
//! RAYON_NUM_THREADS=32 srun --nodes 8 --ntasks-per-node 1 --cpus-per-task 32 --mpi pmix target/release/examples/distributed
//! ```
//!
//! Both compute the same numbers as `target/release/examples/distributed` alone, except for the order of additions.

use std::process::ExitCode;

use cornu::data::source_fn;
use cornu::distributed::Communicator;
use cornu::distributed::mpi::launch;
use cornu::prelude::*;

const LENGTH: usize = 128;

fn main() -> ExitCode {
    launch(|world| -> Result<()> {
        // Each rank reads only its part of every batch. This source generates a wave when it is read.
        let waves = source_fn(3000, [LENGTH, 1], [1], |index, x: &mut [f32], y: &mut [f32]| {
            let mut rng = Rng::stream(5, index as u64);
            let (class, phase) = (index % 3, rng.uniform());
            for (step, x) in x.iter_mut().enumerate() {
                let turns = phase + (2 + 3 * class) as f64 * step as f64 / LENGTH as f64;
                *x = ((std::f64::consts::TAU * turns).sin() + 0.5 * rng.normal()) as f32;
            }
            y[0] = class as f32;
            Ok(())
        });
        let mut model = Sequential::new()
            .seed(7)
            .input([LENGTH, 1])
            .add(Conv1D::new(8, 9).activation(Activation::Relu))
            .add(BatchNormalization::new())
            .add(GlobalAveragePooling1D::new())
            .add(Dense::new(3).activation(Activation::Softmax));
        model.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
        // Rank 0 prints the progress, writes the files of callbacks and decides when to stop.
        let stop = EarlyStopping::new().monitor("loss").patience(2);
        let fit = Fit::new().epochs(8).batch_size(64).callback(stop).distributed(world);
        let history = model.fit_source(&waves, &fit)?;
        if world.rank() == 0 {
            println!("{} ranks: loss {:.6}", world.size(), history.last("loss").unwrap_or(f64::NAN));
        }
        Ok(())
    })
}
