//! Evidence of several ranks: each samples its own rows of the sampled batches. At the end of an epoch, rank 0 combines
//! the evidence and runs the rules.

use std::path::Path;

use super::evidence::layers::LayerFacts;
use super::evidence::{Data, Epoch, Feature, FirstBatch, LayerSample, Plan, Shard, TargetStatistics};
use super::monitor::Monitor;
use crate::error::Result;
use crate::layer::NamedLayer;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// The most features of a shard that are compared.
const FEATURES: usize = 256;

impl<F: Scalar> Monitor<F> {
    /// The monitor of a rank other than 0, which runs no rules; rank 0 sends the numbers of sampled batches and of classes.
    pub(crate) fn follower(
        layers: &[NamedLayer<F>],
        plan: Plan,
        target_statistics: TargetStatistics<F>,
        sampled_batches: usize,
        classes: usize,
    ) -> Self {
        let mut monitor = Monitor::new(layers, plan, Data::default(), target_statistics, sampled_batches);
        monitor.epoch.prediction_counts = vec![0; classes];
        monitor
    }

    /// The number of classes by which the outputs are counted.
    pub(crate) fn classes(&self) -> usize {
        self.epoch.prediction_counts.len()
    }

    /// A single row has no spread over rows.
    pub(crate) fn saw_one_row(&mut self) {
        self.epoch.output_deviation = None;
        self.evidence.layers.iter_mut().for_each(|layer| layer.sample.spread = None);
    }

    /// Takes the evidence of this rank for the epoch, to send it to rank 0, and resets it.
    pub(crate) fn hand_over(&mut self) -> Result<Vec<u8>> {
        let mut state = State::writing();
        self.epoch.state(&mut state)?;
        state.count("clipped", &mut self.clipped)?;
        self.evidence.layers.iter_mut().try_for_each(|layer| layer.sample.state(&mut state))?;
        let mut first = self.evidence.first.clone();
        state.item("first", &mut first.is_some())?;
        first.iter_mut().try_for_each(|first| first.state(&mut state))?;
        let mut has_targets = self.counts_targets();
        state.item("tallies", &mut has_targets)?;
        if has_targets {
            self.target_statistics.state(&mut state)?;
        }
        self.epoch.prediction_counts.fill(0);
        (self.epoch.rows, self.clipped) = (0, 0);
        self.skip();
        Ok(state.bytes().to_vec())
    }

    /// Marks the first epoch as complete.
    pub(crate) fn skip(&mut self) {
        if self.evidence.curves.epochs.is_empty() {
            self.evidence.curves.epochs.push(Epoch::default());
        }
    }

    /// Combines the evidence of the other ranks on rank 0, in order.
    pub(crate) fn take_together(&mut self, others: Vec<Vec<u8>>) -> Result<()> {
        if let (true, Some(shard)) = (self.counts_targets(), self.evidence.data.shards.first_mut()) {
            shard.classes = self.target_statistics.classes().unwrap_or_default();
        }
        others.into_iter().enumerate().try_for_each(|(place, bytes)| self.take_from(place + 1, bytes))
    }

    fn take_from(&mut self, rank: usize, bytes: Vec<u8>) -> Result<()> {
        let mut state = State::reading(Path::new(&format!("rank {rank}")), bytes);
        let mut other = self.epoch.clone();
        other.state(&mut state)?;
        let mut clipped = 0;
        state.count("clipped", &mut clipped)?;
        self.clipped += clipped;
        let epoch = &mut self.epoch;
        let share = other.rows as f64 / (epoch.rows + other.rows).max(1) as f64;
        epoch.zero_logits += share * (other.zero_logits - epoch.zero_logits);
        let own = epoch.output_deviation.filter(|_| epoch.rows > 0);
        epoch.output_deviation = larger(own, other.output_deviation);
        epoch.rows += other.rows;
        epoch
            .prediction_counts
            .iter_mut()
            .zip(other.prediction_counts)
            .for_each(|(sum, other)| *sum += other);
        for layer in &mut self.evidence.layers {
            let mut sample = layer.sample.clone();
            sample.state(&mut state)?;
            layer.take(sample);
        }
        let mut seen = false;
        state.item("first", &mut seen)?;
        if seen {
            // Needed if rank 0 had no row in its first batches.
            let mut first = FirstBatch::default();
            first.state(&mut state)?;
            self.evidence.first.get_or_insert(first);
        }
        let mut has_targets = false;
        state.item("tallies", &mut has_targets)?;
        if has_targets {
            let mut target_statistics = self.target_statistics.empty();
            target_statistics.state(&mut state)?;
            if let Some(shard) = self.evidence.data.shards.get_mut(rank) {
                shard.classes = target_statistics.classes().unwrap_or_default();
            }
            if self.counts_targets() {
                self.target_statistics.merge(target_statistics);
            }
        }
        state.end()
    }
}

/// Returns the larger of two values, or the one that is known.
fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.into_iter().chain(b).reduce(f64::max)
}

impl LayerFacts {
    /// Combines the behaviour on another rank: a unit is dead only if it is dead on all ranks.
    fn take(&mut self, other: LayerSample) {
        let sample = &mut self.sample;
        if sample.rows == 0 {
            (sample.rms, sample.spread) = (other.rms, None);
        }
        sample.spread = larger(sample.spread, other.spread);
        sample.rows += other.rows;
        sample.lost += other.lost;
        sample.alive.iter_mut().zip(other.alive).for_each(|(alive, other)| *alive |= other);
        sample.saturated.iter_mut().zip(other.saturated).for_each(|(sum, other)| *sum += other);
    }
}

impl Shard {
    /// The facts about a shard with this number of training rows, from a sample.
    pub(crate) fn of<F: Scalar>(rows: usize, x: Batch<F>) -> Self {
        let mut data = Data::default();
        data.sample_inputs(x);
        let stride = data.features.len().div_ceil(FEATURES).max(1);
        let features = data.features.into_iter().step_by(stride).collect();
        Shard { rows, sampled_rows: x.rows(), features, classes: Vec::new() }
    }

    /// The facts as numbers, to send them to another rank: the two counts, then mean and deviation of each feature.
    pub(crate) fn to_numbers(&self) -> Vec<f64> {
        let features = self.features.iter().flat_map(|feature| [feature.mean, feature.deviation]);
        [self.rows as f64, self.sampled_rows as f64].into_iter().chain(features).collect()
    }

    /// The facts that another rank has sent.
    pub(crate) fn from_numbers(numbers: &[f64]) -> Self {
        let mut pairs = numbers.as_chunks::<2>().0.iter();
        let [rows, sampled_rows] = pairs.next().map_or([0; 2], |counts| counts.map(|count| count as usize));
        let features = pairs.map(|&[mean, deviation]| Feature { mean, deviation }).collect();
        Shard { rows, sampled_rows, features, classes: Vec::new() }
    }
}
