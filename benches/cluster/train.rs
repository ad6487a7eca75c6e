//! One rank of a measured training, started by `benches/cluster/run.py`. Rank 0 prints one line of JSON.
//!
//! | arguments | measurement |
//! |---|---|
//! | `train signal overlap 1 5 50` | 5 epochs of `signal` (or `mnist`) of `benches/workloads.rs` with `overlap` or `whole` gradients, `sync_every` 1, batches of 50 |
//! | `network` | round trips between ranks 0 and 1, for the cost model |
//! | `accuracy 4 20 0.1` | 20 epochs with `sync_every` 4 on overlapping clouds, with SGD at this learning rate: the held-out accuracy |

#[path = "../networks/mod.rs"]
mod networks;

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use cornu::diagnosis::Diagnose;
use cornu::distributed::mpi::{World, launch};
use cornu::distributed::{Communicator, Numbers, OwnedNumbers, Sum};
use cornu::error::Result;
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

use networks::{loss, network, noise, signals};

/// A world that measures the time that this rank spends in it, mostly waiting.
#[derive(Debug)]
struct Timed<'w> {
    world: &'w World,
    waited: Mutex<Duration>,
}

impl<'w> Timed<'w> {
    fn of(world: &'w World) -> Self {
        Timed { world, waited: Mutex::default() }
    }

    fn time<T>(&self, call: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let found = call();
        *self.waited.lock().unwrap() += start.elapsed();
        found
    }
}

impl Communicator for Timed<'_> {
    fn rank(&self) -> usize {
        self.world.rank()
    }

    fn size(&self) -> usize {
        self.world.size()
    }

    fn send(&self, to: usize, bytes: &[u8]) -> Result<()> {
        self.time(|| self.world.send(to, bytes))
    }

    fn receive(&self, from: usize) -> Result<Vec<u8>> {
        self.time(|| self.world.receive(from))
    }

    fn sum(&self, numbers: Numbers) -> Result<()> {
        self.time(|| self.world.sum(numbers))
    }

    fn start_sum(&self, numbers: OwnedNumbers) -> Result<Sum<'_>> {
        let sum = self.time(|| self.world.start_sum(numbers))?;
        Ok(Sum::new(|| self.time(|| sum.finish())))
    }

    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()> {
        self.time(|| self.world.broadcast(bytes))
    }
}

/// Ten overlapping clouds in 40 dimensions.
fn clouds(rows: usize, seed: u64) -> (Array2<f32>, Array1<usize>) {
    let mut rng = Rng::new(2);
    let centres = Array2::from_shape_fn((30, 40), |_| rng.normal() as f32);
    let mut rng = Rng::stream(3, seed);
    let which: Vec<usize> = (0..rows).map(|_| (rng.bits() % 30) as usize).collect();
    let x = Array2::from_shape_fn((rows, 40), |(i, j)| centres[[which[i], j]] + 1.5 * rng.normal() as f32);
    (x, which.into_iter().map(|centre| centre % 10).collect())
}

/// The bytes sent over the link of this host so far.
fn sent() -> u64 {
    let read = |name| std::fs::read_to_string(format!("/sys/class/net/{name}/statistics/tx_bytes")).ok();
    read("eth0").and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// `train`.
fn train(world: &World, [workload, overlap, every, epochs, batch]: [&str; 5]) -> Result<()> {
    let mnist = workload == "mnist";
    let (x, y) = if mnist { noise(12_800, 784, 10) } else { signals(5000, 6000) };
    let mut model = if mnist { network(&[512, 512], 10) } else { network(&[40, 10], 5) };
    match mnist {
        true => model.compile(Adam::new(0.001), loss(), ())?,
        false => model.compile(Sgd::new(0.01), loss(), ())?,
    }
    let (every, epochs, batch) = (number(every), number(epochs), number(batch));
    let timed = Timed::of(world);
    let mut run = |epochs: usize| -> Result<(History, f64, f64)> {
        *timed.waited.lock().unwrap() = Duration::ZERO;
        let before = sent();
        let fit =
            Fit::new().epochs(epochs).batch_size(batch).verbose(Verbose::Silent).diagnose(Diagnose::Off);
        let fit = fit.bucket_bytes(if overlap == "overlap" { 1 << 20 } else { usize::MAX }).sync_every(every);
        let history = model.fit(&x, &y, &fit.distributed(&timed))?;
        Ok((history, timed.waited.lock().unwrap().as_secs_f64(), (sent() - before) as f64))
    };
    // A training with a single epoch is subtracted, to exclude the time before the first and after the last epoch.
    let (_, waited_once, sent_once) = run(1)?;
    let (history, waited, sent) = run(1 + epochs)?;
    let steps = x.nrows().div_ceil(batch) as f64;
    let mut times: Vec<f64> = history.times()[1..].iter().map(|time| time.as_secs_f64() / steps).collect();
    times.sort_by(f64::total_cmp);
    let all = epochs as f64 * steps;
    if world.rank() == 0 {
        println!(
            "{{\"step\": {:e}, \"waited\": {:e}, \"sent\": {:.0}, \"loss\": {:e}}}",
            times[times.len() / 2],
            (waited - waited_once) / all,
            (sent - sent_once) / all,
            history.last("loss").unwrap_or(f64::NAN),
        );
    }
    Ok(())
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

/// `network`: the time of an empty message and of a byte in a long one, as half of a round trip.
fn ping(world: &World) -> Result<()> {
    let mut points = Vec::new();
    for length in [0, 1 << 10, 1 << 14, 1 << 17, 1 << 20, 1 << 22] {
        let message = vec![1; length];
        let mut times = Vec::new();
        for _ in 0..if length > 1 << 17 { 9 } else { 51 } {
            let start = Instant::now();
            match world.rank() {
                0 => {
                    world.send(1, &message)?;
                    world.receive(1)?;
                }
                1 => {
                    world.receive(0)?;
                    world.send(0, &message)?;
                }
                _ => {}
            }
            times.push(start.elapsed().as_secs_f64() / 2.0);
        }
        times.sort_by(f64::total_cmp);
        points.push((length as f64, times[times.len() / 2]));
    }
    // The sums of a step: a small one, and the gradients of both networks.
    let mut sums = Vec::new();
    for count in [4, 240_505, 669_706] {
        let mut times = Vec::new();
        for _ in 0..21 {
            let mut numbers = vec![1.0_f32; count];
            world.sum(Numbers::F32(&mut [0.0]))?;
            let start = Instant::now();
            world.sum(Numbers::F32(&mut numbers))?;
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        sums.push((count, times[times.len() / 2]));
    }
    if world.rank() == 0 {
        let (alpha, (longest, time)) = (points[0].1, points[points.len() - 1]);
        println!(
            "{{\"alpha\": {alpha:e}, \"beta\": {:e}, \"points\": {points:?}, \"sums\": {sums:?}}}",
            (time - alpha) / longest
        );
    }
    Ok(())
}

/// `accuracy`.
fn accuracy(world: &World, [every, epochs, rate]: [&str; 3]) -> Result<()> {
    let ((x, y), (held_x, held_y)) = (clouds(8000, 0), clouds(4000, 1));
    let mut model = network(&[64], 10);
    model.compile(Sgd::new(rate.parse::<f64>().expect("a rate")).momentum(0.9), loss(), [Accuracy::new()])?;
    let fit =
        Fit::new().epochs(number(epochs)).batch_size(64).verbose(Verbose::Silent).diagnose(Diagnose::Off);
    let history = model.fit(&x, &y, &fit.sync_every(number(every)).distributed(world))?;
    let scores = model.evaluate(&held_x, &held_y, &Evaluate::new().batch_size(1000))?;
    if world.rank() == 0 {
        println!(
            "{{\"loss\": {:.4}, \"held_loss\": {:.4}, \"held_accuracy\": {:.4}}}",
            history.last("loss").unwrap_or(f64::NAN),
            scores.get("loss").unwrap_or(f64::NAN),
            scores.get("accuracy").unwrap_or(f64::NAN),
        );
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    launch(|world| match words[..] {
        ["train", ref rest @ ..] if rest.len() == 5 => train(world, std::array::from_fn(|i| rest[i])),
        ["network"] => ping(world),
        ["accuracy", ref rest @ ..] if rest.len() == 3 => accuracy(world, std::array::from_fn(|i| rest[i])),
        // `cargo bench` without arguments measures nothing.
        _ => Ok(()),
    })
}
