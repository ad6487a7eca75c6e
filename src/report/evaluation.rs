//! The evaluation section: scores, confusion matrix, scores per class, and the worst mistakes.

use std::fmt::Write;

use super::html::{count, escaped, number};
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
pub(super) struct Evaluation {
    scores: Option<Logs>,
    samples: usize,
    matrix: Option<ConfusionMatrix>,
    mistakes: String,
}

impl Evaluation {
    /// Evaluates the model on the data.
    pub(super) fn new<F: Scalar>(
        model: &Sequential<F>,
        (x, y): (&dyn Samples<F>, &dyn Samples<F>),
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
        Ok(Evaluation { scores, samples: x.count(), matrix, mistakes })
    }

    pub(super) fn write(&self, html: &mut String) {
        html.push_str("<section id=\"evaluation\"><h2>Evaluation</h2>\n");
        let _ = write!(html, "<p>On {} samples", super::html::grouped(self.samples));
        if let Some(scores) = &self.scores {
            let scores: Vec<String> = scores
                .iter()
                .map(|(name, value)| format!("{} <b>{}</b>", escaped(name), number(value)))
                .collect();
            let _ = write!(html, ": {}", scores.join(", "));
        }
        html.push_str(".</p>\n");
        if let Some(matrix) = &self.matrix {
            write_matrix(html, matrix);
            write_classes(html, matrix);
        }
        html.push_str(&self.mistakes);
        html.push_str("</section>\n");
    }
}

fn write_matrix(html: &mut String, matrix: &ConfusionMatrix) {
    let (counts, names) = (matrix.counts(), matrix.class_names());
    html.push_str("<h3>Confusion matrix</h3>\n");
    if names.len() > MOST {
        let _ = writeln!(html, "<p>{} classes; what is most often taken for another:</p>", names.len());
        confused(html, matrix);
        return;
    }
    html.push_str("<div class=\"scroll\"><table class=\"matrix\"><tr><th>true ↓ predicted →");
    names.iter().for_each(|name| {
        let _ = write!(html, "<th>{}", escaped(name));
    });
    html.push_str("</tr>");
    for (row, name) in names.iter().enumerate() {
        let _ = write!(html, "<tr><th>{}", escaped(name));
        let total = counts.row(row).sum();
        for (column, value) in counts.row(row).iter().enumerate() {
            let share = if total > 0.0 { value / total } else { 0.0 };
            let class = if row == column { "right" } else { "wrong" };
            let (shade, text) = ((90.0 * share).round(), count(*value));
            let _ = write!(
                html,
                "<td class=\"{class}{}\" style=\"--share:{shade}%\" title=\"{:.1} % of {}\">{text}",
                if share > 0.55 { " full" } else { "" },
                100.0 * share,
                escaped(name)
            );
        }
        html.push_str("</tr>");
    }
    html.push_str("</table></div>\n");
}

/// Lists the most frequent mistakes.
fn confused(html: &mut String, matrix: &ConfusionMatrix) {
    let names = matrix.class_names();
    let wrong =
        matrix.counts().indexed_iter().filter(|((row, column), count)| row != column && **count > 0.0);
    let mut wrong: Vec<_> = wrong.collect();
    wrong.sort_by(|a, b| b.1.total_cmp(a.1));
    html.push_str("<ul>");
    for ((row, column), times) in wrong.into_iter().take(20) {
        let (row, column) = (escaped(&names[row]), escaped(&names[column]));
        let _ = write!(html, "<li>{row} as {column}: {}</li>", count(*times));
    }
    html.push_str("</ul>\n");
}

fn write_classes(html: &mut String, matrix: &ConfusionMatrix) {
    let report = matrix.report();
    html.push_str(
        "<h3>By class</h3>\n<div class=\"scroll\"><table><tr><th>class<th>precision<th>recall<th>F1<th>samples</tr>",
    );
    let mut row = |name: &str, scores: &ClassScores| {
        let ClassScores { precision, recall, f1, support } = *scores;
        let _ = write!(
            html,
            "<tr><th>{}<td>{precision:.3}<td>{recall:.3}<td>{f1:.3}<td>{}</tr>",
            escaped(name),
            count(support)
        );
    };
    for (name, scores) in matrix.class_names().iter().zip(report.classes()) {
        row(name, scores);
    }
    row("mean", &report.macro_average());
    html.push_str("</table></div>\n");
}
