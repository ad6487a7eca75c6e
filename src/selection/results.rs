//! What a search has found: a table, best first, and a CSV file.

use std::fmt;
use std::path::Path;

use super::domain::{Drawn, short};
use super::trial::Trial;
use crate::error::Result;
use crate::metric::Goal;
use crate::model::Sequential;
use crate::save::atomic;
use crate::scalar::Scalar;

/// The trials of a search, and the model of the best. `Display` shows them as a table, the best first.
///
/// # Example
/// See [`Search`](super::Search).
#[derive(Debug, Clone)]
pub struct SearchResults<F: Scalar = f32> {
    pub(super) trials: Vec<Trial>,
    pub(super) objective: String,
    pub(super) goal: Goal,
    pub(super) model: Option<Sequential<F>>,
}

impl<F: Scalar> SearchResults<F> {
    /// All trials, in the order of drawing.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// All trials, the best first; those without a score last.
    pub fn ranked(&self) -> Vec<&Trial> {
        let mut ranked: Vec<&Trial> = self.trials.iter().collect();
        ranked.sort_by(|a, b| a.order(b, self.goal));
        ranked
    }

    /// The best trial; none where none has a score. Its score was chosen as the best of many, on data that the choice was
    /// made by: how good it is on others, only data that the search has not seen can tell.
    pub fn best(&self) -> Option<&Trial> {
        self.ranked().into_iter().next().filter(|trial| trial.score().is_some())
    }

    /// The model of the best trial as it was in its best epoch, compiled, with the state of its optimizer.
    pub fn best_model(&self) -> Option<&Sequential<F>> {
        self.model.as_ref()
    }

    /// The same, given away.
    pub fn into_best_model(self) -> Option<Sequential<F>> {
        self.model
    }

    /// What the trials were judged by.
    pub fn objective(&self) -> &str {
        &self.objective
    }

    /// The table as CSV text: a line a trial in the order of drawing, with all digits. A setting that a trial has not, and
    /// a score that it has not, is empty. Columns: `trial`, the objective, `epoch` (the best, from 0), `epochs`, the
    /// settings, `stopped`, `findings` (codes) and `error`.
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
                Some(Drawn::Float(value)) => format!("{value:?}"),
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

    /// Writes [`to_csv`](Self::to_csv) to a file, which is the old or the new one, whole, at any moment.
    ///
    /// # Errors
    /// [`FileError::Io`](crate::error::FileError::Io).
    pub fn save_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let text = self.to_csv();
        atomic::save(path, |to| to.write_all(text.as_bytes()))
    }

    /// The names of all settings, in the order in which they were asked for.
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

/// The codes of what was found first.
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
