//! Training on a file that does not fit in memory: writes a table of 256 MiB, or the size passed, to the folder for temporary
//! files, and trains on it in a new random order in each epoch. Only the rows of the current batch are read.
//!
//! Prints the size of the file, the loss on held-out rows and, on Linux, the peak memory of the process, which is small
//! for any size of the file.
//!
//! ```sh
//! cargo run --release --example larger_than_memory
//! cargo run --release --example larger_than_memory -- 2048       # MiB
//! cargo run --release --features plot --example larger_than_memory      # also draws examples/pictures/larger_than_memory.svg
//! ```

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::Mutex;

use cornu::data::source_fn;
use cornu::prelude::*;

/// The numbers of a row: 255 inputs and a target, 1 KiB.
const WIDTH: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let size: usize = std::env::args().nth(1).map_or(Ok(256), |arg| arg.parse())?;
    let rows = size << 10;
    let path = std::env::temp_dir().join(format!("cornu-example-{}.f32", std::process::id()));
    let mut rng = Rng::new(1);
    let mut file = BufWriter::new(File::create(&path)?);
    for _ in 0..rows {
        // Uniform inputs; the target is a sum of the first ten and a product: its variance is 11/12 + noise.
        let mut row: Vec<f32> = (1..WIDTH).map(|_| rng.uniform() as f32 - 0.5).collect();
        row.push(row[..10].iter().sum::<f32>() + 3.464 * 3.464 * row[10] * row[11] * 0.2887);
        file.write_all(&row.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
    }
    drop(file);

    // The last 4096 rows are held out.
    let table = Mutex::new(File::open(&path)?);
    let part = |first: usize, count: usize| {
        let table = &table;
        source_fn(count, [WIDTH - 1], [1], move |index, x: &mut [f32], y: &mut [f32]| {
            let mut bytes = [0; 4 * WIDTH];
            let mut file =
                table.lock().map_err(|_| cornu::Error::outside(std::io::Error::other("a reader failed")))?;
            file.seek(SeekFrom::Start(((first + index) * 4 * WIDTH) as u64))
                .map_err(cornu::Error::outside)?;
            file.read_exact(&mut bytes).map_err(cornu::Error::outside)?;
            let numbers = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            x.iter_mut().chain(y).zip(numbers).for_each(|(to, number)| *to = number);
            Ok(())
        })
    };
    let (train, held_out) = (part(0, rows - 4096), part(rows - 4096, 4096));
    let mut model =
        Sequential::new().seed(1).add(Dense::new(32).activation(Activation::Relu)).add(Dense::new(1));
    model.compile(Adam::new(0.002), MeanSquaredError::new(), [R2Score::new()])?;
    let fit = Fit::new().epochs(5).batch_size(128).validation_source(&held_out).verbose(Verbose::Lines);
    let _history = model.fit_source(&train, &fit)?;
    #[cfg(feature = "plot")]
    _history.plot("examples/pictures/larger_than_memory.svg")?;
    let scores = model.evaluate_source(&held_out, &Evaluate::new().batch_size(128));
    std::fs::remove_file(&path)?;
    println!("a table of {size} MiB; on 4096 held-out rows: {}", scores?);
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status
            .lines()
            .filter(|line| line.starts_with("VmHWM"))
            .for_each(|line| println!("peak memory: {line}"));
    }
    Ok(())
}
