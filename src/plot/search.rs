//! Pictures of the trials of a search by one hyper-parameter.

use std::path::Path;

use super::Chart;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::selection::{ParameterValue, SearchResults, Trial};

impl<F: Scalar> SearchResults<F> {
    /// Draws the score of each trial against one numeric hyper-parameter, to an `.svg` or `.png` file.
    ///
    /// The picture distinguishes the best trial, trials trained equally long, and trials that ended earlier. An axis
    /// of positive values that span more than one power of ten is logarithmic.
    ///
    /// # Errors
    /// [`Error::Argument`] for a hyper-parameter that no trial has or that is not a number; [`Error::Empty`] if no
    /// trial has a score; [`FileError::Extension`](crate::error::FileError::Extension),
    /// [`FileError::Io`](crate::error::FileError::Io).
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use cornu::selection::Search;
    /// let x = ndarray::Array2::from_shape_fn((30, 1), |(i, _)| i as f32 / 30.0);
    /// let results = Search::random(8).seed(1).run(&x, &(&x * 2.0), |hp| {
    ///     let mut model = Sequential::new().add(Dense::new(1));
    ///     model.compile(Sgd::new(hp.log_uniform("learning_rate", 1e-4..=1.0)?), MeanSquaredError::new(), ())?;
    ///     Ok((model, Fit::new().epochs(9).validation_split(0.3)))
    /// })?;
    /// let path = std::env::temp_dir().join("cornu-example-search.svg");
    /// results.plot("learning_rate", &path)?;
    /// assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.contains("learning_rate")));
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn plot(&self, setting: &str, path: impl AsRef<Path>) -> Result<()> {
        let refused = |found: &str| {
            Err(Error::argument(
                "setting",
                "the name of a numeric hyper-parameter",
                format!("`{setting}`, {found}"),
            ))
        };
        let mut points: Vec<(&Trial, (f64, f64))> = Vec::new();
        for trial in self.trials() {
            let at = match trial.get(setting) {
                Some(ParameterValue::Float(value)) => *value,
                Some(ParameterValue::Integer(value)) => *value as f64,
                Some(ParameterValue::Choice { .. }) => return refused("a choice"),
                None => continue,
            };
            points.push((trial, (at, trial.score().unwrap_or(f64::NAN))));
        }
        if points.is_empty() {
            return refused("which no trial has");
        }
        let (best, longest) = (self.best().map(Trial::number), self.trials().iter().map(Trial::epochs).max());
        let part = |wanted: [bool; 2]| {
            let is = |trial: &Trial| [Some(trial.number()) == best, Some(trial.epochs()) == longest];
            let of = points.iter().filter(move |(trial, _)| {
                is(trial)[0] == wanted[0] && (wanted[0] || is(trial)[1] == wanted[1])
            });
            of.map(|(_, point)| *point).collect::<Vec<_>>()
        };
        let ends = points
            .iter()
            .fold((f64::MAX, 0.0), |(low, high): (f64, f64), (_, (x, _))| (low.min(*x), high.max(*x)));
        let chart = Chart::new(setting, self.objective());
        let chart = if ends.0 > 0.0 && ends.1 > 10.0 * ends.0 { chart.log_x() } else { chart };
        let groups =
            [("trained to the end", [false, true]), ("ended early", [false, false]), ("the best", [true; 2])];
        let groups = groups
            .map(|(name, wanted)| (name, part(wanted)))
            .into_iter()
            .filter(|(_, points)| !points.is_empty());
        groups.fold(chart, |chart, (name, points)| chart.dots(name, points)).plot(path)
    }
}
