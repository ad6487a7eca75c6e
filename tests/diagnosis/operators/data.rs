//! The rows of the programs: the small data sets of the repository, and generated ones.

use cornu::ndarray::{Array1, Array2, Array3, ArrayD, Axis, s};
use serde_json::json;

use super::program::Rows;
use crate::corpus::data::{Data, Target};
use crate::synthetic;

/// A data set of the real programs.
pub fn stored(name: &str) -> Rows {
    let data = Data::of(&json!({ "data": { "generator": format!("sklearn:{name}") } }), 0);
    let y = match data.y {
        Target::Classes(labels) => Array1::from_iter(labels.iter().map(|&label| label as f32)).into_dyn(),
        Target::Numbers(y) => y,
    };
    Rows { x: data.x, y }
}

/// Labelled series of a table whose first column is the class, as sequences of `(steps, 1)`; of the steps, every
/// `stride`-th.
fn signals(tables: &[&str], stride: usize) -> Rows {
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    let rows: Vec<Vec<f32>> =
        rows.map(|line| line.split(',').map(|x| x.parse().expect("a number")).collect()).collect();
    let steps = (rows[0].len() - 1) / stride;
    let x = Array3::from_shape_fn((rows.len(), steps, 1), |(i, t, _)| rows[i][1 + t * stride]);
    let lowest = rows.iter().map(|row| row[0]).fold(f32::INFINITY, f32::min);
    Rows { x: x.into_dyn(), y: rows.iter().map(|row| row[0] - lowest).collect::<Array1<f32>>().into_dyn() }
}

macro_rules! example {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/", $name))
    };
}

pub fn gun_point() -> Rows {
    signals(&[example!("GunPoint_TRAIN.csv"), example!("GunPoint_TEST.csv")], 3)
}

pub fn arrow_head() -> Rows {
    signals(&[example!("ArrowHead_TRAIN.csv"), example!("ArrowHead_TEST.csv")], 6)
}

pub fn power_demand() -> Rows {
    let rows = signals(&[example!("ItalyPowerDemand_TRAIN.csv"), example!("ItalyPowerDemand_TEST.csv")], 1);
    rows.select(&(0..500).collect::<Vec<_>>())
}

/// Windows of twelve yearly numbers of sunspots in hundreds, as sequences, and the next number.
pub fn sunspots() -> Rows {
    let lines = example!("sunspots.csv").lines().skip(1);
    let series =
        lines.map(|line| line.split(',').nth(1).expect("a number").parse::<f32>().expect("a number"));
    windows(&series.map(|count| count / 100.0 - 0.5).collect::<Vec<_>>(), 12)
}

/// Windows of a series as sequences of `(steps, 1)`, and the value after each.
fn windows(series: &[f32], steps: usize) -> Rows {
    let rows = series.len() - steps;
    Rows {
        x: Array3::from_shape_fn((rows, steps, 1), |(i, t, _)| series[i + t]).into_dyn(),
        y: Array2::from_shape_fn((rows, 1), |(i, _)| series[i + steps]).into_dyn(),
    }
}

/// Windows of a noisy sum of two sines, and the value four steps after each.
pub fn tides(seed: u64) -> Rows {
    let mut rng = synthetic::rng(seed);
    let at = |t: f64| (0.5 * t).sin() + 0.5 * (1.3 * t + 1.0).sin();
    let series: Vec<f32> = (0..520).map(|t| (at(f64::from(t)) + 0.1 * rng.normal()) as f32).collect();
    let ahead = windows(&series[..516], 16);
    let y = Array2::from_shape_fn((ahead.count(), 1), |(i, _)| series[i + 19]);
    Rows { x: ahead.x, y: y.into_dyn() }
}

/// The letters of surnames as indices 1 to 26 in sequences of ten, 0 behind the end; the class is one of three languages.
pub fn surnames() -> Rows {
    const LANGUAGES: [&str; 3] = ["Dutch", "Finnish", "Italian"];
    let lines = example!("surnames.csv").lines().skip(1).filter_map(|line| line.rsplit_once(','));
    let named = lines.filter_map(|(name, of)| Some((name, LANGUAGES.iter().position(|l| *l == of)?)));
    let rows: Vec<(&str, usize)> = named.collect();
    let letter = |name: &str, at: usize| match name.as_bytes().get(at) {
        Some(letter @ b'a'..=b'z') => f32::from(letter - b'a' + 1),
        _ => 0.0,
    };
    let x = Array2::from_shape_fn((rows.len(), 10), |(i, at)| letter(rows[i].0, at));
    Rows { x: x.into_dyn(), y: rows.iter().map(|(_, of)| *of as f32).collect::<Array1<f32>>().into_dyn() }
}

/// Texts of twelve words out of fifty; the class is whether most are in the first half of the vocabulary.
pub fn texts(seed: u64) -> Rows {
    let mut rng = synthetic::rng(seed);
    let y = Array1::from_shape_fn(500, |_| usize::from(rng.uniform() < 0.5));
    let x = Array2::from_shape_fn((500, 12), |(i, _)| {
        let half = (rng.uniform() < 0.8) == (y[i] == 1);
        (25.0 * rng.uniform() + if half { 0.0 } else { 25.0 }).floor() as f32
    });
    classes(x.into_dyn(), &y)
}

/// The same texts as counts of each word.
pub fn counted(seed: u64) -> Rows {
    let texts = texts(seed);
    let mut x = Array2::<f32>::zeros((texts.count(), 50));
    let words = texts.x.into_dimensionality::<cornu::ndarray::Ix2>().expect("rows of words");
    words.indexed_iter().for_each(|((i, _), word)| x[[i, *word as usize]] += 1.0);
    Rows { x: x.into_dyn(), y: texts.y }
}

pub fn classes(x: ArrayD<f32>, y: &Array1<usize>) -> Rows {
    Rows { x, y: y.mapv(|class| class as f32).into_dyn() }
}

pub fn numbers(x: Array2<f32>, y: Array1<f32>) -> Rows {
    Rows { x: x.into_dyn(), y: y.insert_axis(Axis(1)).into_dyn() }
}

/// Six features, and four labels: whether the sum of two neighbours is above a threshold, or both have the same sign.
pub fn labels(seed: u64) -> Rows {
    let x = synthetic::noise(seed, 500, 6);
    let y = Array2::from_shape_fn((500, 4), |(i, j)| {
        let (a, b) = (x[[i, j]], x[[i, j + 1]]);
        f32::from(u8::from(if j % 2 == 0 { a + b > -0.3 } else { a * b > 0.0 }))
    });
    Rows { x: x.into_dyn(), y: y.into_dyn() }
}

/// Two-armed spirals, with a little noise.
pub fn spirals(seed: u64) -> Rows {
    let mut rng = synthetic::rng(seed);
    let y = Array1::from_shape_fn(500, |_| usize::from(rng.uniform() < 0.5));
    let mut x = Array2::<f32>::zeros((500, 2));
    for (mut row, &class) in x.rows_mut().into_iter().zip(&y) {
        let turn = 0.4 + 4.0 * rng.uniform();
        let sign = if class == 1 { 1.0 } else { -1.0 };
        row[0] = (sign * turn * turn.cos() / 2.5 + 0.08 * rng.normal()) as f32;
        row[1] = (sign * turn * turn.sin() / 2.5 + 0.08 * rng.normal()) as f32;
    }
    classes(x.into_dyn(), &y)
}

/// Three outputs, each a smooth function of five features.
pub fn three_outputs(seed: u64) -> Rows {
    let x = synthetic::noise(seed, 400, 5);
    let mut rng = synthetic::rng(seed);
    let y = Array2::from_shape_fn((400, 3), |(i, j)| {
        let r = x.slice(s![i, ..]);
        ((r[j] * 1.5).sin() + 0.5 * r[j + 1] * r[j + 2]) + (0.1 * rng.normal()) as f32
    });
    Rows { x: x.into_dyn(), y: y.into_dyn() }
}
