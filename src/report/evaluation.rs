//! The evaluation section: scores, confusion matrix, scores per class, and the worst mistakes.

use minijinja::context;
use minijinja::value::Value;

use super::mistakes;
use crate::callback::Logs;
use crate::diagnosis::Task;
use crate::error::Result;
use crate::metric::{ClassScores, ConfusionMatrix};
use crate::model::Sequential;
use crate::samples::Samples;
use crate::scalar::Scalar;
use crate::training::Evaluate;

/// The maximum number of classes of a matrix; for more, only mistakes are listed.
const MOST: usize = 50;

/// The content of the evaluation section.
pub(super) struct EvaluationSection {
    scores: Option<Logs>,
    samples: usize,
    matrix: Option<ConfusionMatrix>,
    mistakes: Option<Value>,
}

impl EvaluationSection {
    /// Evaluates the model on the data.
    pub(super) fn new<F: Scalar>(
        model: &Sequential<F>,
        x: &dyn Samples<F>,
        y: &dyn Samples<F>,
        names: Option<&[String]>,
        mistakes: usize,
    ) -> Result<Self> {
        let scores = match &model.compiled {
            Some(_) => Some(model.evaluate(&x, &y, &Evaluate::new())?),
            None => None,
        };
        let width = model.output_shape().and_then(|shape| shape.last().copied()).unwrap_or(1);
        let task = model.compiled.as_ref().map(|compiled| Task::from(compiled.loss.target()));
        let classifies = match task {
            Some(Task::Classes) => width > 1,
            Some(Task::Binary) => width == 1,
            Some(Task::Numbers) => false,
            None => width > 1,
        };
        let matrix = match classifies {
            true => {
                let matrix = model.confusion_matrix(&x, &y)?;
                Some(names.map_or(Ok(matrix.clone()), |names| matrix.names(names.iter().cloned()))?)
            }
            false => None,
        };
        let known = matrix.as_ref().map(ConfusionMatrix::class_names);
        let mistakes = mistakes::worst(model, &x, &y, known, mistakes)?;
        Ok(EvaluationSection { scores, samples: x.count(), matrix, mistakes })
    }

    /// Returns the values of the template.
    pub(super) fn context(&self) -> Value {
        let score = |(name, value): (&str, f64)| context! { name => name, value => value };
        let scores = self.scores.iter().flat_map(Logs::iter).map(score).collect::<Vec<_>>();
        let matrix = self.matrix.as_ref();
        context! {
            samples => self.samples,
            scores => scores,
            names => matrix.map(|matrix| matrix.class_names().to_vec()),
            confused => matrix.filter(|matrix| matrix.class_names().len() > MOST).map(confused),
            rows => matrix.map(rows),
            classes => matrix.map(classes),
            mistakes => self.mistakes.clone(),
        }
    }
}

fn rows(matrix: &ConfusionMatrix) -> Vec<Value> {
    let row = |(row, name): (usize, &String)| {
        let counts = matrix.counts().row(row);
        let total = counts.sum();
        let cell = |(column, value): (usize, &f64)| {
            let share = if total > 0.0 { value / total } else { 0.0 };
            let class = if row == column { "right" } else { "wrong" };
            context! {
                class => format!("{class}{}", if share > 0.55 { " full" } else { "" }),
                shade => format!("{}", (90.0 * share).round()),
                percent => format!("{:.1}", 100.0 * share),
                count => *value,
            }
        };
        context! { name => name.clone(), cells => counts.iter().enumerate().map(cell).collect::<Vec<_>>() }
    };
    matrix.class_names().iter().take(MOST).enumerate().map(row).collect()
}

/// Returns the most frequent mistakes.
fn confused(matrix: &ConfusionMatrix) -> Vec<Value> {
    let names = matrix.class_names();
    let wrong =
        matrix.counts().indexed_iter().filter(|((row, column), count)| row != column && **count > 0.0);
    let mut wrong: Vec<_> = wrong.collect();
    wrong.sort_by(|a, b| b.1.total_cmp(a.1));
    let pair = |((row, column), count): ((usize, usize), &f64)| {
        context! { truth => names[row].clone(), called => names[column].clone(), count => *count }
    };
    wrong.into_iter().take(20).map(pair).collect()
}

/// Returns the scores of each class, and their mean.
fn classes(matrix: &ConfusionMatrix) -> Vec<Value> {
    let report = matrix.report();
    let row = |name: &str, scores: &ClassScores| {
        let digits = |score: f64| format!("{score:.3}");
        context! {
            name => name,
            precision => digits(scores.precision),
            recall => digits(scores.recall),
            f1 => digits(scores.f1),
            support => scores.support,
        }
    };
    let each = matrix.class_names().iter().zip(report.classes()).map(|(name, scores)| row(name, scores));
    each.chain([row("mean", &report.macro_average())]).collect()
}
