//! Pictures of the samples with the worst predictions.

use std::fmt::Write;

use minijinja::context;
use minijinja::value::Value;

use super::html::number;
use crate::error::Result;
use crate::model::Sequential;
use crate::samples::Samples;
use crate::scalar::Scalar;

/// The maximum number of values of a sample that is drawn as cells.
const CELLS: usize = 4096;
/// Samples of up to this number of values are written, not drawn.
const FEW: usize = 8;

/// A sample, and the error of its prediction.
struct Mistake {
    index: usize,
    wrong: f64,
    truth: String,
    called: String,
    /// The probabilities of the predicted and of the true class; 0 without classes.
    of_called: f64,
    of_truth: f64,
}

/// Returns the worst mistakes: the lowest probabilities of the true class, or otherwise the largest errors.
pub(super) fn worst<F: Scalar>(
    model: &Sequential<F>,
    x: &&dyn Samples<F>,
    y: &&dyn Samples<F>,
    names: Option<&[String]>,
    most: usize,
) -> Result<Option<Value>> {
    // If the output has steps, a sample has no single error.
    if most == 0 || model.output_shape().is_none_or(|output| output.len() > 1) {
        return Ok(None);
    }
    let probabilities = names.and_then(|_| model.predict_proba(x).ok());
    let outputs = probabilities.map_or_else(|| model.predict(x), Ok)?;
    let mut target = vec![F::zero(); y.sample_shape().iter().product()];
    let mut mistakes = Vec::new();
    for (index, row) in outputs.outer_iter().enumerate() {
        y.read(index, &mut target);
        let row: Vec<f64> = row.iter().map(|p| p.as_f64()).collect();
        let target: Vec<f64> = target.iter().map(|t| t.as_f64()).collect();
        mistakes.extend(match names {
            Some(names) => of_class(index, &row, &target, names),
            None => Some(of_number(index, &row, &target)),
        });
    }
    let all = mistakes.len();
    mistakes.sort_by(|a, b| b.wrong.total_cmp(&a.wrong));
    mistakes.truncate(most);
    let shape = x.sample_shape();
    let mut sample = vec![F::zero(); shape.iter().product()];
    let cards = mistakes.into_iter().map(|mistake| {
        x.read(mistake.index, &mut sample);
        let values: Vec<f64> = sample.iter().map(|value| value.as_f64()).collect();
        context! {
            index => mistake.index,
            truth => mistake.truth,
            called => mistake.called,
            of_called => mistake.of_called,
            of_truth => mistake.of_truth,
            drawing => Value::from_safe_string(drawn(&values, &shape)),
        }
    });
    let cards: Vec<Value> = cards.collect();
    Ok(Some(context! { of_classes => names.is_some(), all => all, cards => cards }))
}

fn of_class(index: usize, row: &[f64], target: &[f64], names: &[String]) -> Option<Mistake> {
    let largest =
        |row: &[f64]| row.iter().enumerate().fold(0, |best, (i, p)| if *p > row[best] { i } else { best });
    let truth = if target.len() == 1 { target[0] as usize } else { largest(target) };
    let (called, of_truth, of_called) = match *row {
        [p] => (usize::from(p > 0.5), if truth == 1 { p } else { 1.0 - p }, p.max(1.0 - p)),
        _ => (largest(row), *row.get(truth)?, row[largest(row)]),
    };
    let name = |class: usize| names.get(class).map_or_else(|| class.to_string(), String::clone);
    (called != truth).then(|| Mistake {
        index,
        wrong: of_called - of_truth,
        truth: name(truth),
        called: name(called),
        of_called,
        of_truth,
    })
}

fn of_number(index: usize, row: &[f64], target: &[f64]) -> Mistake {
    let wrong = row.iter().zip(target).map(|(p, t)| (p - t).powi(2)).sum::<f64>().sqrt();
    let few = |values: &[f64]| {
        let more = if values.len() > 3 { ", …" } else { "" };
        values.iter().take(3).map(|value| number(*value)).collect::<Vec<_>>().join(", ") + more
    };
    Mistake { index, wrong, truth: few(target), called: few(row), of_called: 0.0, of_truth: 0.0 }
}

/// Draws a sample as one line per channel, as cells, or as numbers.
fn drawn(values: &[f64], shape: &[usize]) -> String {
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = if highest > lowest { highest - lowest } else { 1.0 };
    match *shape {
        _ if values.len() <= FEW => {
            let values: Vec<String> = values.iter().map(|value| number(*value)).collect();
            format!("<p class=\"values\">{}</p>", values.join(", "))
        }
        [_] => lines(values, 1, lowest, range),
        [_, channels] if channels <= 8 => lines(values, channels, lowest, range),
        [rows, columns] | [rows, columns, 1] if rows * columns <= CELLS => {
            cells(values, columns, lowest, range)
        }
        _ => format!("<p>{} numbers</p>", values.len()),
    }
}

fn lines(values: &[f64], channels: usize, lowest: f64, range: f64) -> String {
    let steps = values.len() / channels;
    let every = steps.div_ceil(400).max(1);
    let mut svg = String::from("<svg class=\"signal\" viewBox=\"0 0 400 100\" preserveAspectRatio=\"none\">");
    for channel in 0..channels {
        let mut d = String::new();
        let signal: Vec<f64> = values.iter().skip(channel).step_by(channels).copied().collect();
        for (place, part) in signal.chunks(every).enumerate() {
            let left = 400.0 * (place * every) as f64 / steps.max(2).saturating_sub(1) as f64;
            let low = part.iter().copied().fold(f64::INFINITY, f64::min);
            let high = part.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for value in if low == high { vec![low] } else { vec![low, high] } {
                let top = 97.0 - 94.0 * (value - lowest) / range;
                let _ = write!(d, "{}{left:.1} {top:.1}", if d.is_empty() { 'M' } else { 'L' });
            }
        }
        let class = ["a", "b", "c", "d"][channel % 4];
        let _ = write!(svg, "<path class=\"line thin {class}\" d=\"{d}\"/>");
    }
    svg + "</svg>"
}

fn cells(values: &[f64], columns: usize, lowest: f64, range: f64) -> String {
    let rows = values.len() / columns;
    let mut svg = format!("<svg class=\"cells\" viewBox=\"0 0 {columns} {rows}\">");
    for (place, value) in values.iter().enumerate() {
        let light = (255.0 * (value - lowest) / range).round();
        let (row, column) = (place / columns, place % columns);
        let _ = write!(
            svg,
            "<rect x=\"{column}\" y=\"{row}\" width=\"1.02\" height=\"1.02\" fill=\"rgb({light},{light},{light})\"/>"
        );
    }
    svg + "</svg>"
}
