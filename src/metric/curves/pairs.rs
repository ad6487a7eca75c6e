//! Targets and scores, counted at every threshold.

use crate::error::{Error, ExpectedShape, Result};
use crate::samples::{Samples, check_finite, check_not_empty};

/// The counts at one threshold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub(super) threshold: f64,
    pub(super) true_positives: f64,
    pub(super) false_positives: f64,
}

/// The counts at each score that occurs, from the highest down.
#[derive(Debug)]
pub(super) struct Pairs {
    pub(super) counts: Vec<Count>,
    pub(super) positives: f64,
    pub(super) negatives: f64,
}

impl Pairs {
    pub(super) fn new(y_true: &impl Samples<f64>, y_score: &impl Samples<f64>) -> Result<Self> {
        let (truth, scores) = (read("y_true", y_true, 1)?, read("y_score", y_score, 1)?);
        check_length(truth.len(), "y_score", scores.len())?;
        Pairs::of(truth.iter().map(|truth| *truth != 0.0).collect(), scores)
    }

    fn of(truth: Vec<bool>, scores: Vec<f64>) -> Result<Self> {
        let positives = truth.iter().filter(|truth| **truth).count() as f64;
        let negatives = truth.len() as f64 - positives;
        if positives == 0.0 || negatives == 0.0 {
            let expected = "both positive and negative rows of each class";
            let found = format!("{positives} positive and {negatives} negative ones");
            return Err(Error::argument("y_true", expected, found));
        }
        let mut pairs: Vec<(f64, bool)> = scores.into_iter().zip(truth).collect();
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut counts, mut right, mut wrong) = (Vec::new(), 0.0, 0.0);
        for same in pairs.chunk_by(|a, b| a.0 == b.0) {
            let hits = same.iter().filter(|pair| pair.1).count() as f64;
            right += hits;
            wrong += same.len() as f64 - hits;
            counts.push(Count { threshold: same[0].0, true_positives: right, false_positives: wrong });
        }
        Ok(Pairs { counts, positives, negatives })
    }
}

/// Returns one for each class, against all other classes.
pub(super) fn by_class(y_true: &impl Samples<f64>, y_score: &impl Samples<f64>) -> Result<Vec<Pairs>> {
    let (classes, truth, scores) = rows(y_true, y_score)?;
    let of = |class: usize| {
        let column = scores.iter().skip(class).step_by(classes).copied().collect();
        Pairs::of(truth.iter().map(|truth| *truth == class).collect(), column)
    };
    (0..classes).map(of).collect()
}

/// Returns the number of classes, the class of each row, and its scores.
pub(super) fn rows(
    y_true: &impl Samples<f64>,
    y_score: &impl Samples<f64>,
) -> Result<(usize, Vec<usize>, Vec<f64>)> {
    let classes: usize = y_score.sample_shape().iter().product();
    if classes < 2 {
        return Err(Error::argument("y_score", "a column for each of at least 2 classes", classes));
    }
    let scores = read("y_score", y_score, classes)?;
    check_length(y_true.count(), "y_score", y_score.count())?;
    let width = if y_true.has_shape(&[classes]) { classes } else { 1 };
    let truth = read("y_true", y_true, width)?;
    let class = |(row, targets): (usize, &[f64])| match *targets {
        [label] if label >= 0.0 && label < classes as f64 && label.fract() == 0.0 => Ok(label as usize),
        [found] => Err(Error::Label { argument: "y_true".into(), row, found, classes }),
        _ => Ok(super::super::argmax(targets)),
    };
    let truth = truth.chunks_exact(width).enumerate().map(class).collect::<Result<_>>()?;
    Ok((classes, truth, scores))
}

/// Reads all samples, each of `width` numbers.
fn read(argument: &str, samples: &impl Samples<f64>, width: usize) -> Result<Vec<f64>> {
    check_not_empty(argument, samples)?;
    let found = samples.sample_shape();
    if found.iter().product::<usize>() != width {
        return Err(Error::SampleShape {
            argument: argument.into(),
            expected: ExpectedShape::exactly(&[width]),
            found,
        });
    }
    check_finite(argument, samples)?;
    let mut values = vec![0.0; samples.count() * width];
    values.chunks_exact_mut(width).enumerate().for_each(|(row, to)| samples.read(row, to));
    Ok(values)
}

fn check_length(x: usize, argument: &str, found: usize) -> Result<()> {
    if x == found {
        return Ok(());
    }
    Err(Error::Length { x, argument: argument.into(), found })
}

/// Reads a target and a probability for each row.
pub(super) fn read_binary(
    y_true: &impl Samples<f64>,
    y_prob: &impl Samples<f64>,
) -> Result<Vec<(bool, f64)>> {
    let (truth, scores) = (read("y_true", y_true, 1)?, read("y_prob", y_prob, 1)?);
    check_length(truth.len(), "y_prob", scores.len())?;
    Ok(truth.into_iter().map(|truth| truth != 0.0).zip(scores).collect())
}
