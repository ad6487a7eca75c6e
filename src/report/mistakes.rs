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
    /// The size of the error, by which mistakes are sorted.
    error: f64,
    truth: String,
    prediction: String,
    /// `None` if the targets are numbers.
    probabilities: Option<Probabilities>,
}

/// The probabilities of the two classes of a [`Mistake`].
struct Probabilities {
    truth: f64,
    predicted: f64,
}

/// Returns the worst mistakes: the lowest probabilities of the true class, or otherwise the largest errors.
pub(super) fn worst<F: Scalar>(
    model: &Sequential<F>,
    x: &&dyn Samples<F>,
    y: &&dyn Samples<F>,
    names: Option<&[String]>,
    most: usize,
) -> Result<Option<Value>> {
    // The output of a sample with steps has several errors.
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
    mistakes.sort_by(|a, b| b.error.total_cmp(&a.error));
    mistakes.truncate(most);
    let shape = x.sample_shape();
    let mut sample = vec![F::zero(); shape.iter().product()];
    let cards = mistakes.into_iter().map(|mistake| {
        x.read(mistake.index, &mut sample);
        let values: Vec<f64> = sample.iter().map(|value| value.as_f64()).collect();
        context! {
            index => mistake.index,
            truth => mistake.truth,
            prediction => mistake.prediction,
            probabilities => mistake.probabilities.map(|p| context! { truth => p.truth, predicted => p.predicted }),
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
    let (predicted, probabilities) = match *row {
        [p] => {
            let truth = if truth == 1 { p } else { 1.0 - p };
            (usize::from(p > 0.5), Probabilities { truth, predicted: p.max(1.0 - p) })
        }
        _ => {
            let predicted = largest(row);
            (predicted, Probabilities { truth: *row.get(truth)?, predicted: row[predicted] })
        }
    };
    let name = |class: usize| names.get(class).map_or_else(|| class.to_string(), String::clone);
    (predicted != truth).then(|| Mistake {
        index,
        error: probabilities.predicted - probabilities.truth,
        truth: name(truth),
        prediction: name(predicted),
        probabilities: Some(probabilities),
    })
}

fn of_number(index: usize, row: &[f64], target: &[f64]) -> Mistake {
    let error = row.iter().zip(target).map(|(p, t)| (p - t).powi(2)).sum::<f64>().sqrt();
    let few = |values: &[f64]| {
        let more = if values.len() > 3 { ", …" } else { "" };
        values.iter().take(3).map(|value| number(*value)).collect::<Vec<_>>().join(", ") + more
    };
    Mistake { index, error, truth: few(target), prediction: few(row), probabilities: None }
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
