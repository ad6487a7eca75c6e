//! The state of the evidence, for resuming a killed training. Facts that are known before the first step are collected
//! again.

use super::{Curves, Epoch, Evidence, FirstBatch, LayerFacts, LayerSample};
use crate::error::Result;
use crate::state::State;

impl Evidence {
    pub(in crate::diagnosis) fn state(&mut self, state: &mut State) -> Result<()> {
        let Evidence { plan: _, data: _, layers, first, curves, inference: _, ended: _ } = self;
        let mut seen = first.is_some();
        state.item("first", &mut seen)?;
        if seen {
            state.group("first", |state| first.get_or_insert_default().state(state))?;
        }
        let Curves { epochs, diverged: _, stopped: _ } = curves;
        state.list("epochs", epochs, Epoch::default, Epoch::state)?;
        layers.iter_mut().try_for_each(|layer| {
            let LayerFacts { name, sample, alive_first, largest_step, .. } = layer;
            let units = sample.alive.len();
            state.group(name, |state| {
                state.item("alive_first", alive_first)?;
                // No more units than these can be active.
                *alive_first = alive_first.map(|alive| alive.min(units));
                state.item("largest_step", largest_step)?;
                sample.state(state)
            })
        })
    }
}

impl FirstBatch {
    pub(in crate::diagnosis) fn state(&mut self, state: &mut State) -> Result<()> {
        let FirstBatch { loss, rows, sums, layer, inputs, output } = self;
        state.item("loss", loss)?;
        state.count("rows", rows)?;
        state.item("sums", sums)?;
        state.item("layer", layer)?;
        state.item("inputs", inputs)?;
        state.item("output", output)
    }
}

impl Epoch {
    pub(in crate::diagnosis) fn state(&mut self, state: &mut State) -> Result<()> {
        let Epoch {
            loss,
            late_loss,
            penalty,
            late_penalty,
            end_penalty,
            val_loss,
            accuracy,
            val_accuracy,
            rows,
            clipped,
            prediction_counts,
            output_deviation,
            zero_logits,
            gradient,
            zero_gradient_loss,
            learning_rate,
        } = self;
        state.numbers(
            "numbers",
            [
                loss,
                late_loss,
                penalty,
                late_penalty,
                end_penalty,
                clipped,
                zero_logits,
                gradient,
                zero_gradient_loss,
                learning_rate,
            ],
        )?;
        state.item("val_loss", val_loss)?;
        state.item("accuracy", accuracy)?;
        state.item("val_accuracy", val_accuracy)?;
        state.item("output_deviation", output_deviation)?;
        state.count("rows", rows)?;
        state.counts("answers", prediction_counts)
    }
}

impl LayerSample {
    pub(in crate::diagnosis) fn state(&mut self, state: &mut State) -> Result<()> {
        let LayerSample { rows, lost, alive, saturated, rms, spread, gradient, weights, step, sampled } =
            self;
        state.count("rows", rows)?;
        state.count("lost", lost)?;
        let mut flags: Vec<u8> = alive.iter().map(|&alive| alive.into()).collect();
        state.counts("alive", &mut flags)?;
        alive.iter_mut().zip(flags).for_each(|(alive, flag)| *alive = flag != 0);
        state.counts("saturated", saturated)?;
        state.numbers("numbers", [rms, gradient, weights, step])?;
        state.item("spread", spread)?;
        state.count("sampled", sampled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Evidence before the first step, to read the state into.
    fn fresh() -> Evidence {
        let sample = LayerSample { alive: vec![false; 3], saturated: vec![0; 3], ..LayerSample::default() };
        let layer = LayerFacts { name: "F1".into(), sample, ..LayerFacts::default() };
        Evidence { layers: vec![layer], ..Evidence::default() }
    }

    #[test]
    fn evidence_round_trips() -> Result<()> {
        let mut seen = fresh();
        seen.first = Some(FirstBatch {
            loss: 1.5,
            rows: 32,
            sums: Some(2.5),
            layer: 1,
            inputs: (3.5, 4.5),
            output: (0.25, 0.75),
        });
        seen.layers[0].alive_first = Some(2);
        seen.layers[0].largest_step = 0.125;
        seen.layers[0].sample = LayerSample {
            rows: 64,
            lost: 5,
            alive: vec![true, false, true],
            saturated: vec![7, 0, 9],
            rms: 0.5,
            spread: Some(0.375),
            gradient: 0.0625,
            weights: 0.75,
            step: 0.003,
            sampled: 4,
        };
        seen.curves.epochs = vec![Epoch {
            loss: 1.0,
            late_loss: 0.9,
            penalty: 0.1,
            late_penalty: 0.08,
            end_penalty: 0.07,
            val_loss: Some(1.2),
            accuracy: Some(0.6),
            val_accuracy: Some(0.5),
            rows: 96,
            clipped: 0.01,
            prediction_counts: vec![3, 0, 93],
            output_deviation: Some(0.02),
            zero_logits: 0.03,
            gradient: 0.04,
            zero_gradient_loss: 0.05,
            learning_rate: 0.06,
        }];
        let mut writing = State::writing();
        seen.state(&mut writing)?;
        let mut reading = State::reading(Path::new("backup"), writing.bytes().to_vec());
        let mut back = fresh();
        back.state(&mut reading)?;
        reading.end()?;
        assert_eq!(back.first, seen.first);
        assert_eq!(back.curves, seen.curves);
        assert_eq!(back.layers, seen.layers);
        Ok(())
    }
}
