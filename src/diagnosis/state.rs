//! Findings in the state of a training, so that a resumed training neither loses nor repeats them.

use super::finding::{Finding, Help, Severity};
use super::remedy::Remedy;
use crate::error::Result;
use crate::state::State;

impl Finding {
    pub(super) fn state(&mut self, state: &mut State) -> Result<()> {
        let Finding { code, severity, title, place, evidence, causes, helps, trials: _ } = self;
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
        state.item("evidence", evidence)?;
        state.item("causes", causes)?;
        state.list("helps", helps, || Help::new(""), Help::state)
    }
}

impl Help {
    fn state(&mut self, state: &mut State) -> Result<()> {
        let Help { text, remedy } = self;
        state.item("text", text)?;
        let mut parts = remedy.as_ref().map(parts);
        state.item("remedy", &mut parts)?;
        *remedy = parts.and_then(of_parts);
        Ok(())
    }
}

/// The kind of remedy and a name; an index and a number.
type Parts = ((String, String), (usize, f64));

fn parts(remedy: &Remedy) -> Parts {
    let (kind, name, place, number) = match remedy {
        Remedy::NormalizeInputs => ("normalize", String::new(), 0, 0.0),
        Remedy::StandardizeTargets => ("standardize", String::new(), 0, 0.0),
        Remedy::Activation { layer, activation } => ("activation", activation.to_string(), *layer, 0.0),
        Remedy::Hidden { from, to } => ("hidden", format!("{from} {to}"), 0, 0.0),
        Remedy::Loss(name) => ("loss", name.clone(), 0, 0.0),
        Remedy::LearningRate(rate) => ("learning rate", String::new(), 0, *rate),
        Remedy::Initialize { layer } => ("initialize", String::new(), *layer, 0.0),
        Remedy::Epochs(times) => ("epochs", String::new(), *times, 0.0),
        Remedy::BatchSize(size) => ("batch size", String::new(), *size, 0.0),
        Remedy::Shuffle => ("shuffle", String::new(), 0, 0.0),
        Remedy::Balance => ("balance", String::new(), 0, 0.0),
        Remedy::Dropout(rate) => ("dropout", String::new(), 0, *rate),
        Remedy::Penalty(factor) => ("penalty", String::new(), 0, *factor),
        Remedy::Units { layer, units } => ("units", units.to_string(), *layer, 0.0),
    };
    ((kind.into(), name), (place, number))
}

/// The remedy of these parts; `None` if they do not identify one, so that the suggestion is text only.
fn of_parts(((kind, name), (place, number)): Parts) -> Option<Remedy> {
    Some(match &*kind {
        "normalize" => Remedy::NormalizeInputs,
        "standardize" => Remedy::StandardizeTargets,
        "activation" => Remedy::Activation { layer: place, activation: name.parse().ok()? },
        "hidden" => {
            let (from, to) = name.split_once(' ')?;
            Remedy::Hidden { from: from.parse().ok()?, to: to.parse().ok()? }
        }
        "loss" => Remedy::Loss(name),
        "learning rate" => Remedy::LearningRate(number),
        "initialize" => Remedy::Initialize { layer: place },
        "epochs" => Remedy::Epochs(place),
        "batch size" => Remedy::BatchSize(place),
        "shuffle" => Remedy::Shuffle,
        "balance" => Remedy::Balance,
        "dropout" => Remedy::Dropout(number),
        "penalty" => Remedy::Penalty(number),
        "units" => Remedy::Units { layer: place, units: name.parse().ok()? },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;

    #[test]
    fn remedies_come_back() {
        let activation = Activation::Sigmoid;
        for remedy in [
            Remedy::NormalizeInputs,
            Remedy::StandardizeTargets,
            Remedy::Activation { layer: 3, activation },
            Remedy::Loss("binary_crossentropy".into()),
            Remedy::LearningRate(0.25),
            Remedy::Initialize { layer: 2 },
            Remedy::Epochs(4),
            Remedy::Hidden { from: activation, to: Activation::Relu },
            Remedy::BatchSize(32),
            Remedy::Shuffle,
            Remedy::Balance,
            Remedy::Dropout(0.5),
            Remedy::Penalty(0.01),
            Remedy::Units { layer: 1, units: 7 },
        ] {
            assert_eq!(of_parts(parts(&remedy)), Some(remedy));
        }
        let lost = Remedy::Activation { layer: 0, activation: Activation::Elu { alpha: 0.3 } };
        assert_eq!(of_parts(parts(&lost)), None);
    }
}
