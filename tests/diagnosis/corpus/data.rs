//! The data of the programs: generated from a seed, or read from the small files in this folder.

#[path = "data/curves.rs"]
mod curves;
#[path = "data/images.rs"]
mod images;
#[path = "data/series.rs"]
mod series;
#[path = "data/tables.rs"]
mod tables;

use cornu::ndarray::{Array1, Array2, ArrayD, Axis};
use cornu::prelude::*;
use serde_json::Value;

/// Samples and their targets.
#[derive(Clone)]
pub struct Data {
    pub x: ArrayD<f32>,
    pub y: Target,
}

#[derive(Clone)]
pub enum Target {
    /// The class of each row.
    Classes(Vec<usize>),
    /// Labels that are not classes, or numbers.
    Numbers(ArrayD<f32>),
}

impl Data {
    /// Rows with a class each.
    pub fn classes(x: Array2<f64>, y: Vec<usize>) -> Self {
        Data { x: single(x), y: Target::Classes(y) }
    }

    /// Rows with a number each.
    pub fn numbers(x: Array2<f64>, y: Vec<f64>) -> Self {
        let y = Array1::from(y).insert_axis(Axis(1));
        Data { x: single(x), y: Target::Numbers(single(y)) }
    }

    /// The same rows, each of this shape.
    pub fn shaped(mut self, shape: &[usize]) -> Self {
        let shape = [&[self.x.len_of(Axis(0))], shape].concat();
        self.x = self.x.into_shape_with_order(shape).expect("as many numbers");
        self
    }

    /// The data of a program: its `data`, modified by `x` and `y` for the reference.
    pub fn of(program: &Value, seed: u64) -> Self {
        let spec = &program["data"];
        let mut rng = Rng::new(seed ^ 0xDA7A);
        let mut data = generate(spec["generator"].as_str().expect("a generator"), &mut rng);
        if let Some(count) = spec["ones_kept"].as_u64() {
            data = keep_ones(data, count as usize);
        }
        match spec["target"].as_str() {
            Some("inputs") => data.y = Target::Numbers(data.x.clone()),
            Some("maps") => data.y = Target::Numbers(maps(&data.x, &spec["maps"], &mut rng)),
            _ => {}
        }
        if let Some(divisor) = spec["labels_divided_by"].as_f64() {
            let Target::Classes(labels) = &data.y else { panic!("labels to divide") };
            let labels = labels.iter().map(|&label| (label as f64 / divisor) as f32);
            data.y = Target::Numbers(Array1::from_iter(labels).into_dyn());
        }
        if let (Some(factor), Target::Numbers(y)) = (spec["target_times"].as_f64(), &mut data.y) {
            *y *= factor as f32;
        }
        transform(&mut data.x, &program["x"]);
        if let Target::Numbers(y) = &mut data.y {
            transform(y, &program["y"]);
        }
        data
    }

    pub fn rows(&self) -> usize {
        self.x.len_of(Axis(0))
    }
}

/// Converts to `f32`, in which the network computes; the formulas use `f64`.
fn single(x: Array2<f64>) -> ArrayD<f32> {
    x.mapv(|x| x as f32).into_dyn()
}

/// Uniform between two bounds.
fn between(rng: &mut Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * rng.uniform()
}

/// An integer below `count`.
fn below(rng: &mut Rng, count: usize) -> usize {
    (rng.uniform() * count as f64) as usize
}

fn generate(name: &str, rng: &mut Rng) -> Data {
    match name {
        "seed-eeg" => series::eeg(rng),
        "xor4" => curves::xor4(),
        "xor-random" => curves::xor_random(rng),
        "const-rows" => tables::const_rows(),
        "multilabel-4x1" => tables::multilabel(rng),
        "two-blobs-2d" => curves::two_blobs(rng),
        "threshold-20000" => tables::threshold(rng),
        "packets21" => tables::packets(rng),
        "election9" => tables::election(rng),
        "titanic-like" => tables::titanic(rng),
        "adult-like" => tables::adult(rng),
        "reg15" => curves::reg15(rng),
        "quad50" => curves::quad50(rng),
        "quartic400" => curves::curve(400, |i| -100.0 + 0.5 * i, |x| x.powi(4)),
        "linear-10x-10rows" => curves::curve(10, |i| 1.0 + i, |x| 10.0 * x),
        "linear-10x-600" => curves::curve(580, |i| 1.0 + 0.025 * i, |x| 10.0 * x),
        "linear-1feature-raw" => curves::life_expectancy(rng),
        "neg-sigmoid111" => curves::curve(111, |i| i / 55.0 - 1.0, |x| -1.0 / ((10.0 * x).exp() + 1.0)),
        "parabola4" => curves::parabola4(),
        "life-grid" => images::life(rng),
        "images-32" => images::shapes(rng),
        "imdb-like" => tables::words(rng),
        "seq-600x1" => series::bump(rng),
        "seq-30x1" => series::mean_of_thirty(rng),
        "seq-forecast" => series::forecast(rng),
        "seq-returns" => series::returns(rng),
        "seq-counting" => series::counting(rng),
        "padded-texts" => series::padded_texts(rng),
        "topic-texts" => series::topic_texts(rng),
        "imbalanced-884" => tables::imbalanced(rng),
        "sin-all-ones" => curves::sin_all_ones(),
        "moons" => curves::moons(rng),
        name => file(name.strip_prefix("sklearn:").unwrap_or_else(|| panic!("generator {name}"))),
    }
}

/// A data set of scikit-learn.
fn file(name: &str) -> Data {
    let table = |text: &str| {
        let rows: Vec<Vec<f64>> = text
            .lines()
            .map(|line| line.split(',').map(|x| x.parse().expect("a number")).collect())
            .collect();
        let width = rows[0].len() - 1;
        let x = Array2::from_shape_fn((rows.len(), width), |(i, j)| rows[i][j]);
        (x, rows.iter().map(|row| row[width]).collect::<Vec<f64>>())
    };
    let classified = |text| {
        let (x, y) = table(text);
        Data::classes(x, y.iter().map(|&y| y as usize).collect())
    };
    let digits = |factor: f64| {
        let rows: Vec<&[u8]> = include_str!("data/digits.txt").lines().map(str::as_bytes).collect();
        let x = Array2::from_shape_fn((rows.len(), 64), |(i, j)| f64::from(rows[i][j] - b'a') * factor);
        Data::classes(x, rows.iter().map(|row| usize::from(row[64] - b'0')).collect())
    };
    let diabetes = || table(include_str!("data/diabetes.csv"));
    let scaled = |mut data: Data| {
        standardise(&mut data.x);
        data
    };
    match name {
        "iris" => classified(include_str!("data/iris.csv")),
        "iris-scaled" => scaled(classified(include_str!("data/iris.csv"))),
        "wine-scaled" => scaled(classified(include_str!("data/wine.csv"))),
        "breast_cancer-scaled" => scaled(classified(include_str!("data/breast_cancer.csv"))),
        "digits" => digits(1.0),
        "digits-01" => digits(1.0 / 16.0),
        "digits-255" => digits(255.0 / 16.0),
        "diabetes" => {
            let (x, y) = diabetes();
            Data::numbers(x, y)
        }
        "diabetes-minmax" => {
            let (x, y) = diabetes();
            let columns: Vec<Vec<f64>> =
                x.columns().into_iter().map(|column| min_max(column.to_vec())).collect();
            Data::numbers(Array2::from_shape_fn(x.dim(), |(i, j)| columns[j][i]), min_max(y))
        }
        "diabetes-like-raw" => {
            let (mut x, y) = diabetes();
            for (j, mut column) in x.columns_mut().into_iter().enumerate() {
                let deviation = column.std(0.0);
                column.mapv_inplace(|x| x / deviation * 10f64.powi(j as i32 % 4) + 10.0);
            }
            Data::numbers(x, min_max(y))
        }
        name => panic!("no data set {name}"),
    }
}

fn min_max(values: Vec<f64>) -> Vec<f64> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.iter().map(|x| (x - low) / (high - low)).collect()
}

/// Keeps all rows of class 1 (benign) and the first `count` rows of class 0 (malignant), which become the rare class.
fn keep_ones(data: Data, count: usize) -> Data {
    let Target::Classes(labels) = &data.y else { panic!("classes to choose from") };
    let (ones, zeros): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(|&row| labels[row] == 0);
    let rows = [zeros, ones[..count].to_vec()].concat();
    let y = rows.iter().map(|&row| 1 - labels[row]).collect();
    Data { x: data.x.select(Axis(0), &rows), y: Target::Classes(y) }
}

/// Random linear maps of the inputs, each scaled to [-1, 1].
fn maps(x: &ArrayD<f32>, count: &Value, rng: &mut Rng) -> ArrayD<f32> {
    let (rows, width) = (x.len_of(Axis(0)), x.len() / x.len_of(Axis(0)));
    let count = count.as_u64().expect("how many maps") as usize;
    let x = x.to_shape((rows, width)).expect("rows").mapv(f64::from);
    let mut y = x.dot(&Array2::from_shape_fn((width, count), |_| rng.normal()));
    for mut column in y.columns_mut() {
        let scaled = min_max(column.to_vec());
        column.iter_mut().zip(scaled).for_each(|(y, scaled)| *y = 2.0 * scaled - 1.0);
    }
    single(y)
}

/// The changes of the reference to its data.
fn transform(x: &mut ArrayD<f32>, how: &Value) {
    if how == "standardise" {
        standardise(x);
    } else if let Some(divisor) = how["divide"].as_f64() {
        *x /= divisor as f32;
    }
}

/// Standardizes each feature of the last axis to mean 0 and standard deviation 1; constant ones become 0. A sample with
/// one wide axis and one channel is scaled as a whole.
fn standardise(x: &mut ArrayD<f32>) {
    let last = Axis(x.ndim() - 1);
    for index in 0..x.len_of(last) {
        let mut feature = x.index_axis_mut(last, index);
        let values = feature.mapv(f64::from);
        let (mean, deviation) = (values.mean().unwrap_or(0.0), values.std(0.0));
        let scale = if deviation > 0.0 { deviation.recip() } else { 0.0 };
        feature.mapv_inplace(|x| ((f64::from(x) - mean) * scale) as f32);
    }
}
