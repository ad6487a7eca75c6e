//! Generated signals like those of the question: 24 s at 250 Hz, one realization of 1/f noise below 40 Hz for
//! each class, with the amplitude of an EEG in microvolts, copied with 5 % noise.

use std::f64::consts::TAU;

use cornu::Rng;
use cornu::ndarray::{Array1, Array3};

use crate::Signals;

const CLASSES: usize = 5;
const SAMPLES: usize = 6000;
const RATE: f64 = 250.0;
const HIGHEST: f64 = 40.0;
const MICROVOLTS: f64 = 100.0;
const NOISE: f64 = 0.05;

/// The prototype signal of each class.
pub struct Source {
    seed: u64,
    bits: Vec<Vec<f64>>,
}

impl Source {
    pub fn new(seed: u64) -> Self {
        let bits = (0..CLASSES).map(|class| pink_noise(&mut Rng::stream(seed, class as u64))).collect();
        Source { seed, bits }
    }

    /// Noisy copies of each class, sorted by class; `draw` selects the noise.
    pub fn signals(&self, copies: usize, draw: u64) -> Signals {
        let mut rng = Rng::stream(self.seed, 1000 * draw);
        let mut x = Array3::zeros((CLASSES * copies, SAMPLES, 1));
        for (i, mut signal) in x.outer_iter_mut().enumerate() {
            for (sample, bit) in signal.iter_mut().zip(&self.bits[i / copies]) {
                *sample = (bit + NOISE * MICROVOLTS * rng.normal()) as f32;
            }
        }
        Signals { x, y: Array1::from_iter((0..CLASSES * copies).map(|i| i / copies)), classes: CLASSES }
    }
}

/// A sum of waves with power 1/f and random phases.
fn pink_noise(rng: &mut Rng) -> Vec<f64> {
    let lowest = RATE / SAMPLES as f64;
    let mut signal = vec![0.0; SAMPLES];
    for wave in 1..=(HIGHEST / lowest) as usize {
        let (amplitude, phase) = ((wave as f64).sqrt().recip() * rng.normal(), TAU * rng.uniform());
        let step = TAU * wave as f64 / SAMPLES as f64;
        signal.iter_mut().enumerate().for_each(|(t, x)| *x += amplitude * (step * t as f64 + phase).sin());
    }
    let deviation = (signal.iter().map(|x| x * x).sum::<f64>() / SAMPLES as f64).sqrt();
    signal.iter_mut().for_each(|x| *x *= MICROVOLTS / deviation);
    signal
}
