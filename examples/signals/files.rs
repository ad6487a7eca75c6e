//! Signals from files. Every error is one sentence.

use std::fs::File;

use cornu::Rng;
use cornu::ndarray::{Array1, Array2, ArrayD, Axis, Ix1, Ix2};
use ndarray_npy::NpzReader;

use crate::Signals;

type Fault = Box<dyn std::error::Error>;

#[derive(Clone, Copy)]
pub enum Format {
    Mat,
    Npz,
    Csv,
}

/// The signals of a file, one per row, and their raw labels.
struct Raw {
    x: Array2<f64>,
    labels: Vec<i64>,
}

impl Format {
    /// Reads signals; their classes are the distinct labels, in order.
    pub fn read(self, path: &str) -> Result<Signals, Fault> {
        let raw = self.raw(path)?;
        let mut known: Vec<i64> = raw.labels.clone();
        known.sort_unstable();
        known.dedup();
        if known.len() < 2 {
            return Err(format!("{path}: expected at least two classes, found one").into());
        }
        raw.signals(path, &known)
    }

    /// Reads test signals with the length and the classes of `train`.
    pub fn read_like(self, path: &str, train: &mut Signals) -> Result<Signals, Fault> {
        let raw = self.raw(path)?;
        if raw.x.ncols() != train.x.dim().1 {
            return Err(format!(
                "{path}: found signals of {} samples, expected {}",
                raw.x.ncols(),
                train.x.dim().1
            )
            .into());
        }
        let mut known: Vec<i64> = raw.labels.clone();
        known.sort_unstable();
        known.dedup();
        if known.len() != train.classes {
            return Err(format!("{path}: found {} classes, expected {}", known.len(), train.classes).into());
        }
        raw.signals(path, &known)
    }

    fn raw(self, path: &str) -> Result<Raw, Fault> {
        let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
        let raw = match self {
            Format::Mat => return mat(path),
            Format::Npz => npz(file),
            Format::Csv => csv(file),
        };
        Ok(raw.map_err(|error| format!("{path}: {error}"))?)
    }
}

impl Raw {
    fn new(x: Array2<f64>, labels: ArrayD<f64>) -> Result<Self, Fault> {
        let labels = class_numbers(labels, x.nrows())?;
        if x.is_empty() {
            return Err("expected at least one signal, found none".into());
        }
        Ok(Raw { x, labels })
    }

    fn signals(self, path: &str, known: &[i64]) -> Result<Signals, Fault> {
        if let Some(((row, column), value)) = self.x.indexed_iter().find(|(_, x)| !x.is_finite()) {
            return Err(format!(
                "{path}: expected finite values, found {value} in signal {row} at sample {column}"
            )
            .into());
        }
        let y = self.labels.iter().map(|label| known.binary_search(label).unwrap_or(0)).collect();
        Ok(Signals { x: self.x.mapv(|x| x as f32).insert_axis(Axis(2)), y, classes: known.len() })
    }
}

/// Class numbers, or one-hot rows, as one number for each signal.
fn class_numbers(labels: ArrayD<f64>, signals: usize) -> Result<Vec<i64>, Fault> {
    let whole = |label: &f64| match label.fract() == 0.0 && label.abs() < 1e9 {
        true => Ok(*label as i64),
        false => Err(Fault::from(format!("expected class numbers as labels, found {label}"))),
    };
    let shape = labels.shape().to_vec();
    let numbers: Vec<i64> = labels.iter().map(whole).collect::<Result<_, _>>()?;
    if numbers.len() == signals {
        return Ok(numbers);
    }
    let labels = Array2::from_shape_vec(labels.into_dimensionality::<Ix2>()?.dim(), numbers)?;
    let rows = if labels.nrows() == signals { labels } else { labels.reversed_axes() };
    let one_hot = rows.rows().into_iter().all(|row| row.sum() == 1 && row.iter().all(|v| *v == 0 || *v == 1));
    if rows.nrows() != signals || !one_hot {
        return Err(format!(
            "labels: expected {signals} class numbers or one-hot rows, found shape {shape:?}"
        )
        .into());
    }
    Ok(rows.rows().into_iter().map(|row| row.iter().position(|v| *v == 1).unwrap_or(0) as i64).collect())
}

/// Reads `data` (samples × signals, the usual order in MATLAB) and `labels`.
#[cfg(feature = "mat")]
fn mat(path: &str) -> Result<Raw, Fault> {
    let arrays = cornu::data::Arrays::new(path);
    let (data, labels) = (arrays.array("data")?, arrays.array("labels")?);
    let rank = data.ndim();
    let wrong = |_| format!("{path}: `data`: expected 2 axes, found {rank}");
    let x = data.into_dimensionality::<Ix2>().map_err(wrong)?;
    Raw::new(x.reversed_axes(), labels).map_err(|error| format!("{path}: {error}").into())
}

#[cfg(not(feature = "mat"))]
fn mat(path: &str) -> Result<Raw, Fault> {
    let run = "cargo run --release --features mat --example signals -- --mat";
    Err(format!("{path}: MATLAB files require the feature `mat`: {run} {path}").into())
}

/// Reads `x` (signals × samples) and `y`.
fn npz(file: File) -> Result<Raw, Fault> {
    let mut archive = NpzReader::new(file).map_err(|error| format!("not a NumPy archive ({error})"))?;
    let names = archive.names()?;
    let mut array = |name: &str| -> Result<ArrayD<f64>, Fault> {
        let name = names.iter().find(|known| known.trim_end_matches(".npy") == name);
        let name = name.ok_or_else(|| format!("expected `x` and `y`, found [{}]", names.join(", ")))?;
        macro_rules! first {
            ($($number:ty),*) => {$(
                if let Ok(found) = archive.by_name::<cornu::ndarray::OwnedRepr<$number>, cornu::ndarray::IxDyn>(name) {
                    return Ok(found.mapv(|x| x as f64));
                }
            )*};
        }
        first!(f64, f32, i64, i32, i16, i8, u8, u16, u32, u64);
        Err(format!("`{name}` is truncated, or does not contain plain numbers").into())
    };
    let x = array("x")?;
    let signals = x.len_of(Axis(0));
    let samples = x.len() / signals.max(1);
    let x = x.to_shape((signals, samples))?.to_owned();
    Raw::new(x, array("y")?)
}

/// Reads a label and a signal from each line; skips a header line.
fn csv(file: File) -> Result<Raw, Fault> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file);
    let (mut labels, mut values, mut width) = (Vec::new(), Vec::new(), 0);
    for (row, record) in reader.records().enumerate() {
        let record = record?;
        let numbers: Result<Vec<f64>, _> = record.iter().map(|field| field.trim().parse::<f64>()).collect();
        let numbers = match numbers {
            Err(_) if row == 0 => continue,
            Err(_) => return Err(format!("line {}: expected a number", row + 1).into()),
            Ok(numbers) => numbers,
        };
        let [label, signal @ ..] = &*numbers else { continue };
        width = signal.len();
        labels.push(*label);
        values.extend_from_slice(signal);
    }
    let x = Array2::from_shape_vec((labels.len(), width), values)?;
    Raw::new(x, Array1::from(labels).into_dyn().into_dimensionality::<Ix1>()?.into_dyn())
}

/// Holds out a fifth of each class.
pub fn set_aside_a_fifth(signals: &mut Signals, seed: u64) -> Result<Signals, Fault> {
    let (mut kept, mut aside) = (Vec::new(), Vec::new());
    for class in 0..signals.classes {
        let mut members: Vec<usize> = (0..signals.y.len()).filter(|&i| signals.y[i] == class).collect();
        Rng::stream(seed, 7).shuffle(&mut members);
        let fifth = members.len() / 5;
        aside.extend_from_slice(&members[..fifth]);
        kept.extend_from_slice(&members[fifth..]);
    }
    if aside.is_empty() {
        return Err("too few signals to hold some out; pass a --test file".into());
    }
    let pick = |rows: &[usize]| Signals {
        x: signals.x.select(Axis(0), rows),
        y: signals.y.select(Axis(0), rows),
        classes: signals.classes,
    };
    let (kept, aside) = (pick(&kept), pick(&aside));
    *signals = kept;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> Result<Signals, String> {
        let format = match file.rsplit('.').next() {
            Some("mat") => Format::Mat,
            Some("npz") => Format::Npz,
            _ => Format::Csv,
        };
        let path = format!("{}/tests/fixtures/signals/{file}", env!("CARGO_MANIFEST_DIR"));
        format.read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn all_file_formats_give_the_same_signals() {
        let matlab = ["plain.mat", "compressed.mat", "single.mat", "int16.mat", "one_hot.mat"];
        let matlab = matlab.into_iter().filter(|_| cfg!(feature = "mat"));
        for file in matlab.chain(["plain.npz", "compressed.npz", "plain.csv", "header.csv"]) {
            let signals = read(file).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((signals.x.dim(), signals.classes), ((6, 4, 1), 3), "{file}");
            assert!(signals.x.indexed_iter().all(|((i, t, _), x)| *x == (6 * t + i) as f32), "{file}");
            assert_eq!(signals.y.to_vec(), [0, 0, 1, 1, 2, 2], "{file}");
        }
    }

    #[test]
    fn unusable_files_are_refused_in_one_sentence() {
        let matlab = [
            ("no_labels.mat", "unknown array `labels`, expected one of: `data`, `other`"),
            ("wrong_shape.mat", "labels: expected 6 class numbers or one-hot rows, found shape [1, 5]"),
            ("text.mat", "`data`: expected real numbers, found texts"),
            ("cube.mat", "`data`: expected 2 axes, found 3"),
            ("not_finite.mat", "found NaN in signal 1 at sample 1"),
            ("truncated.mat", "it exceeds the file"),
            ("foreign.mat", "not a .npy, .npz, .mat or HDF5 file"),
        ];
        let matlab = matlab.map(|(file, words)| match cfg!(feature = "mat") {
            true => (file, words),
            false => (file, "MATLAB files require the feature `mat`: cargo run"),
        });
        for (file, words) in matlab.into_iter().chain([
            ("no_y.npz", "expected `x` and `y`, found [x"),
            ("truncated.npz", "not a NumPy archive"),
            ("ragged.csv", "fields"),
            ("words.csv", "line 2: expected a number"),
            ("absent.csv", "No such file"),
        ]) {
            let error = read(file).err().unwrap_or_else(|| panic!("{file} was read"));
            assert!(error.contains(words) && !error.contains('\n'), "{file}: {error}");
        }
    }
}
