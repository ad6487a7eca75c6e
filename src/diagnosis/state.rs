//! Findings in the state of a training, so that a resumed training neither loses nor repeats them.

use super::finding::{Finding, Measurement, Severity, Suggestion};
use super::remedy::{Remedy, ReplacementLoss};
use crate::error::Result;
use crate::state::State;

impl Finding {
    pub(super) fn state(&mut self, state: &mut State) -> Result<()> {
        let Finding {
            code,
            severity,
            title,
            place,
            layers,
            epoch,
            step,
            evidence,
            measurements,
            causes,
            suggestions,
            trials: _,
        } = self;
        state.item("code", code)?;
        let mut rank = *severity as u8;
        state.item("severity", &mut rank)?;
        *severity = match rank {
            0 => Severity::Note,
            1 => Severity::Warning,
            _ => Severity::Error,
        };
        state.item("title", title)?;
        state.item("place", place)?;
        state.item("layers", layers)?;
        let mut when = epoch.zip(*step).map(|(epoch, step)| (epoch as u64, step as u64));
        state.item("when", &mut when)?;
        (*epoch, *step) = when.map(|(epoch, step)| (epoch as usize, step as usize)).unzip();
        state.item("evidence", evidence)?;
        state.list("measurements", measurements, Measurement::default, Measurement::state)?;
        state.item("causes", causes)?;
        state.list("suggestions", suggestions, || Suggestion::new(""), Suggestion::state)
    }
}

impl Measurement {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.item("name", &mut self.name)?;
        state.item("value", &mut self.value)?;
        state.item("unit", &mut self.unit)
    }
}

impl Suggestion {
    /// Without the changed settings, which follow from the remedy.
    fn state(&mut self, state: &mut State) -> Result<()> {
        let Suggestion { text, remedy, edits: _ } = self;
        state.item("text", text)?;
        let mut has_remedy = remedy.is_some();
        state.item("has remedy", &mut has_remedy)?;
        if has_remedy {
            let mut parts = remedy.as_ref().map(RemedyParts::of).unwrap_or_default();
            state.group("remedy", |state| parts.state(state))?;
            *remedy = parts.remedy();
        }
        Ok(())
    }
}

/// A remedy as plain values.
#[derive(Default)]
struct RemedyParts {
    kind: String,
    name: String,
    place: usize,
    number: f64,
}

impl RemedyParts {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.item("kind", &mut self.kind)?;
        state.item("name", &mut self.name)?;
        state.item("place", &mut self.place)?;
        state.item("number", &mut self.number)
    }

    fn of(remedy: &Remedy) -> Self {
        let of = |kind: &str| RemedyParts { kind: kind.into(), ..RemedyParts::default() };
        match remedy {
            Remedy::NormalizeInputs => of("normalize"),
            Remedy::StandardizeTargets => of("standardize"),
            Remedy::Activation { layer, activation } => {
                RemedyParts { name: activation.to_string(), place: *layer, ..of("activation") }
            }
            Remedy::Hidden { from, to } => RemedyParts { name: format!("{from} {to}"), ..of("hidden") },
            Remedy::Loss(loss) => RemedyParts { name: format!("{loss:?}"), ..of("loss") },
            Remedy::LearningRate(rate) => RemedyParts { number: *rate, ..of("learning rate") },
            Remedy::Initialize { layer } => RemedyParts { place: *layer, ..of("initialize") },
            Remedy::Epochs(times) => RemedyParts { place: *times, ..of("epochs") },
            Remedy::BatchSize(size) => RemedyParts { place: *size, ..of("batch size") },
            Remedy::Shuffle => of("shuffle"),
            Remedy::Balance => of("balance"),
            Remedy::Dropout(rate) => RemedyParts { number: *rate, ..of("dropout") },
            Remedy::Penalty(factor) => RemedyParts { number: *factor, ..of("penalty") },
            Remedy::MaskZero { layer } => RemedyParts { place: *layer, ..of("mask zero") },
            Remedy::Masking(value) => RemedyParts { number: *value, ..of("masking") },
            Remedy::Units { layer, units } => {
                RemedyParts { name: units.to_string(), place: *layer, ..of("units") }
            }
        }
    }

    /// The remedy; none if these values do not determine one, as an activation with settings.
    fn remedy(self) -> Option<Remedy> {
        let RemedyParts { kind, name, place, number } = self;
        Some(match &*kind {
            "normalize" => Remedy::NormalizeInputs,
            "standardize" => Remedy::StandardizeTargets,
            "activation" => Remedy::Activation { layer: place, activation: name.parse().ok()? },
            "hidden" => {
                let (from, to) = name.split_once(' ')?;
                Remedy::Hidden { from: from.parse().ok()?, to: to.parse().ok()? }
            }
            "loss" => {
                Remedy::Loss(ReplacementLoss::ALL.into_iter().find(|loss| format!("{loss:?}") == name)?)
            }
            "learning rate" => Remedy::LearningRate(number),
            "initialize" => Remedy::Initialize { layer: place },
            "epochs" => Remedy::Epochs(place),
            "batch size" => Remedy::BatchSize(place),
            "shuffle" => Remedy::Shuffle,
            "balance" => Remedy::Balance,
            "dropout" => Remedy::Dropout(number),
            "penalty" => Remedy::Penalty(number),
            "mask zero" => Remedy::MaskZero { layer: place },
            "masking" => Remedy::Masking(number),
            "units" => Remedy::Units { layer: place, units: name.parse().ok()? },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;

    #[test]
    fn remedies_round_trip() {
        let activation = Activation::Sigmoid;
        for remedy in [
            Remedy::NormalizeInputs,
            Remedy::StandardizeTargets,
            Remedy::Activation { layer: 3, activation },
            Remedy::Loss(ReplacementLoss::BinaryCrossentropy),
            Remedy::Loss(ReplacementLoss::CategoricalCrossentropy),
            Remedy::Loss(ReplacementLoss::MeanSquaredError),
            Remedy::LearningRate(0.25),
            Remedy::Initialize { layer: 2 },
            Remedy::Epochs(4),
            Remedy::Hidden { from: activation, to: Activation::Relu },
            Remedy::BatchSize(32),
            Remedy::Shuffle,
            Remedy::Balance,
            Remedy::Dropout(0.5),
            Remedy::Penalty(0.01),
            Remedy::MaskZero { layer: 2 },
            Remedy::Masking(-1.0),
            Remedy::Units { layer: 1, units: 7 },
        ] {
            assert_eq!(RemedyParts::of(&remedy).remedy(), Some(remedy));
        }
        let lost = Remedy::Activation { layer: 0, activation: Activation::Elu { alpha: 0.3 } };
        assert_eq!(RemedyParts::of(&lost).remedy(), None);
    }
}
