//! What a training was: every number of every epoch.

use std::time::Duration;

use crate::callback::Logs;
use crate::diagnosis::{Findings, Scale};
use crate::error::Result;
use crate::state::State;

/// The loss and the metrics of every epoch, how long each took, and the seed.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().seed(5).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0], [2.0]];
/// let history = model.fit(&x, &x, &Fit::new().epochs(3).verbose(Verbose::Silent))?;
/// assert_eq!(history.get("loss").map(<[f64]>::len), Some(3));
/// assert_eq!(history.seed(), 5);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct History {
    pub(super) epochs: Vec<usize>,
    pub(super) series: Vec<(String, Vec<f64>)>,
    pub(super) times: Vec<Duration>,
    pub(super) seed: u64,
    pub(super) stopped: Option<String>,
    pub(super) findings: Findings,
    /// What the best constant answer costs, and what the right answers do.
    pub(super) scale: Option<Scale>,
}

impl History {
    /// The values of a metric, one for each epoch in which it was measured.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.series.iter().find(|(known, _)| known == name).map(|(_, values)| &**values)
    }

    /// The last value of a metric.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(|values| values.last().copied())
    }

    /// The names of all metrics, in order: `loss` first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|(name, _)| &**name)
    }

    /// The number of each epoch that was trained, from `initial_epoch`.
    pub fn epochs(&self) -> &[usize] {
        &self.epochs
    }

    /// How long each epoch took, its validation included.
    pub fn times(&self) -> &[Duration] {
        &self.times
    }

    /// The model's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Why the training ended before its last epoch, if it did.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// What the diagnosis found; see [`diagnosis`](crate::diagnosis).
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// What was recorded so far. Findings and the scale come at the end.
    pub(super) fn state(&mut self, state: &mut State) -> Result<()> {
        let History { epochs, series, times, seed: _, stopped, findings: _, scale: _ } = self;
        state.group("history", |state| {
            state.item("epochs", epochs)?;
            state.item("series", series)?;
            state.item("times", times)?;
            state.item("stopped", stopped)
        })
    }

    pub(super) fn record(&mut self, epoch: usize, logs: &Logs, time: Duration) {
        self.epochs.push(epoch);
        self.times.push(time);
        for (name, value) in logs.iter() {
            match self.series.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(value),
                None => self.series.push((name.into(), vec![value])),
            }
        }
    }
}
