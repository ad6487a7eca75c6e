//! The results of a search: a table, best first, and a CSV file.

use std::fmt;
use std::path::Path;

use super::domain::{ParameterValue, short};
use super::trial::Trial;
use crate::error::Result;
use crate::metric::Goal;
use crate::model::Sequential;
use crate::save::atomic;
use crate::scalar::Scalar;

/// The trials of a search, and the best model; `Display` formats a table, best first.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::selection::Search;
/// let x = ndarray::Array2::from_shape_fn((30, 1), |(i, _)| i as f32 / 30.0);
/// let results = Search::random(4).seed(1).run(&x, &(&x * 2.0), |hp| {
///     let mut model = Sequential::new().add(Dense::new(1));
///     model.compile(Sgd::new(hp.log_uniform("learning_rate", 1e-4..=1.0)?), MeanSquaredError::new(), ())?;
///     Ok((model, Fit::new().epochs(3).validation_split(0.3)))
/// })?;
/// assert_eq!(results.ranked()[0].score(), results.best().and_then(|trial| trial.score()));
/// assert_eq!(results.to_csv().lines().count(), 5);
/// assert_eq!((results.trials().len(), results.objective()), (4, "val_loss"));
/// # let path = std::env::temp_dir().join(format!("cornu-example-results-{}.csv", std::process::id()));
/// results.save_csv(&path)?;
/// # std::fs::remove_file(&path).map_err(Error::outside)?;
/// assert!(results.into_best_model().is_some());
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SearchResults<F: Scalar = f32> {
    pub(super) trials: Vec<Trial>,
    pub(super) objective: String,
    pub(super) goal: Goal,
    pub(super) model: Option<Sequential<F>>,
}

impl<F: Scalar> SearchResults<F> {
    /// All trials, in the order in which they were drawn.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// All trials, best first; those without a score last.
    pub fn ranked(&self) -> Vec<&Trial> {
        let mut ranked: Vec<&Trial> = self.trials.iter().collect();
        ranked.sort_by(|a, b| a.order(b, self.goal));
        ranked
    }

    /// The best trial; none if no trial has a score.
    ///
    /// The best of many scores on the same data is optimistic; evaluate the model on data that the search has not seen.
    pub fn best(&self) -> Option<&Trial> {
        self.ranked().into_iter().next().filter(|trial| trial.score().is_some())
    }

    /// The model of the best trial, with the weights and optimizer state of its best epoch.
    pub fn best_model(&self) -> Option<&Sequential<F>> {
        self.model.as_ref()
    }

    /// Returns the model of the best trial by value.
    pub fn into_best_model(self) -> Option<Sequential<F>> {
        self.model
    }

    /// The key of the logs by which trials were judged.
    pub fn objective(&self) -> &str {
        &self.objective
    }

    /// The table as CSV text with all digits: one line per trial, in the order in which they were drawn.
    ///
    /// Columns: `trial`, the objective, `epoch` (the best one, from 0), `epochs`, the hyper-parameters, `stopped`,
    /// `findings` (codes) and `error`. A missing hyper-parameter or score is empty.
    pub fn to_csv(&self) -> String {
        let names = self.names();
        let fixed = ["trial", &self.objective, "epoch", "epochs"];
        let mut rows = vec![
            fixed
                .into_iter()
                .chain(names.iter().copied())
                .chain(["stopped", "findings", "error"])
                .map(String::from)
                .collect::<Vec<_>>(),
        ];
        rows.extend(self.trials.iter().map(|trial| {
            let mut row = vec![
                trial.number.to_string(),
                trial.score().map(|score| format!("{score:?}")).unwrap_or_default(),
                trial.best_epoch().map(|epoch| epoch.to_string()).unwrap_or_default(),
                trial.epochs.to_string(),
            ];
            row.extend(names.iter().map(|name| match trial.get(name) {
                Some(ParameterValue::Float(value)) => format!("{value:?}"),
                Some(drawn) => drawn.to_string(),
                None => String::new(),
            }));
            row.push(trial.stopped.clone().unwrap_or_default());
            row.push(codes(trial));
            row.push(trial.error.as_ref().map(ToString::to_string).unwrap_or_default());
            row
        }));
        rows.iter()
            .map(|row| row.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",") + "\n")
            .collect()
    }

    /// Writes [`to_csv`](Self::to_csv) to a file, atomically.
    ///
    /// # Errors
    /// [`FileError::Io`](crate::error::FileError::Io).
    pub fn save_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let text = self.to_csv();
        atomic::save(path, |to| to.write_all(text.as_bytes()))
    }

    /// Returns the names of all hyper-parameters, in order of request.
    fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for (name, _) in self.trials.iter().flat_map(Trial::settings) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

/// Returns the codes of the root findings.
fn codes(trial: &Trial) -> String {
    let mut codes: Vec<&str> = trial.findings.roots().map(|finding| &*finding.code).collect();
    codes.dedup();
    codes.join(" ")
}

fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.into(),
    }
}

impl<F: Scalar> fmt::Display for SearchResults<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let names = self.names();
        let head = ["trial", &self.objective, "epoch", "of"].into_iter().chain(names.iter().copied());
        let mut rows = vec![head.map(String::from).collect::<Vec<_>>()];
        let ranked = self.ranked();
        rows.extend(ranked.iter().map(|trial| {
            let mut row = vec![
                trial.number.to_string(),
                trial.score().map_or("-".into(), short),
                trial.best_epoch().map_or("-".into(), |epoch| (epoch + 1).to_string()),
                trial.epochs.to_string(),
            ];
            row.extend(names.iter().map(|name| trial.get(name).map_or("-".into(), ToString::to_string)));
            row
        }));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
        for (i, row) in rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
            write!(f, "{}", cells.collect::<Vec<_>>().join("  "))?;
            if let Some(trial) = i.checked_sub(1).and_then(|i| ranked.get(i)) {
                let error = trial.error.as_ref().map(ToString::to_string);
                let notes =
                    [error.unwrap_or_default(), trial.stopped.clone().unwrap_or_default(), codes(trial)];
                let notes = notes.iter().filter(|note| !note.is_empty()).map(String::as_str);
                let notes = notes.collect::<Vec<_>>().join("; ");
                if !notes.is_empty() {
                    write!(f, "  {notes}")?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
