//! Serves a model saved by Keras: reads lines of JSON and writes lines of JSON.
//!
//! ```sh
//! cargo run --release --no-default-features --features keras --example serve -- model.keras
//! [5.1, 3.5, 1.4, 0.2]                             one sample: one prediction
//! [[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3]]     a batch: one prediction per sample
//! ```
//!
//! For an invalid line it writes `{"error": ".."}` and continues.

use std::error::Error;
use std::io::{BufRead, Write};

use cornu::Sequential;
use cornu::ndarray::{ArrayD, ArrayViewD, Axis};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: serve model.keras")?;
    let model = Sequential::load(path)?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = answer(&model, &line).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(model: &Sequential, line: &str) -> Result<Value, Box<dyn Error>> {
    let value: Value = serde_json::from_str(line)?;
    let (mut shape, mut numbers) = (Vec::new(), Vec::new());
    read(&value, 0, &mut shape, &mut numbers)?;
    let sample = model.input_shape().ok_or("the model has no input shape")?;
    let is_batch = shape.len() > sample.len();
    if !is_batch {
        shape.insert(0, 1);
    }
    let y = model.predict(&ArrayD::from_shape_vec(shape, numbers)?)?;
    Ok(if is_batch { written(y.view()) } else { written(y.index_axis(Axis(0), 0)) })
}

/// Reads nested lists, which have the same length at each depth.
fn read(
    value: &Value,
    depth: usize,
    shape: &mut Vec<usize>,
    numbers: &mut Vec<f32>,
) -> Result<(), Box<dyn Error>> {
    let Value::Array(values) = value else {
        if depth < shape.len() {
            return Err("expected either lists or numbers, found both".into());
        }
        numbers.push(value.as_f64().ok_or("expected lists of numbers")? as f32);
        return Ok(());
    };
    match shape.get(depth) {
        None if numbers.is_empty() => shape.push(values.len()),
        Some(len) if *len == values.len() => {}
        _ => return Err("expected lists of equal length".into()),
    }
    values.iter().try_for_each(|value| read(value, depth + 1, shape, numbers))
}

fn written(y: ArrayViewD<f32>) -> Value {
    match y.ndim() {
        0 => json!(y.first()),
        _ => y.axis_iter(Axis(0)).map(written).collect(),
    }
}
