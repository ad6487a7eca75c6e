//! Checks whether a network can learn your data, and diagnoses the training.
//! ```text
//! cargo run --release --example diagnose -- FILE.csv               # the target is the first column
//! cargo run --release --example diagnose -- FILE.csv --last        # the target is the last column
//! ```
//! Reads a CSV file of numbers, checks a default network on it, trains it, and tests suggestions. A target with few distinct
//! whole numbers is a class, any other target a number.

use std::error::Error;

use clap::Parser;
use cornu::diagnosis::Findings;
use cornu::ndarray::{Array1, Array2, s};
use cornu::prelude::*;

#[derive(Parser)]
struct Args {
    /// A CSV file of numbers, with or without a header line.
    file: String,
    /// The target is the last column, not the first.
    #[arg(long)]
    last: bool,
    #[arg(long, default_value_t = 20)]
    epochs: usize,
}

fn read(path: &str) -> Result<Array2<f32>, Box<dyn Error>> {
    let mut rows: Vec<Vec<f32>> = Vec::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path)?;
    for (line, record) in reader.records().enumerate() {
        match record?.iter().map(|field| field.trim().parse()).collect::<Result<_, _>>() {
            Ok(row) => rows.push(row),
            Err(_) if line == 0 => {} // the header
            Err(error) => return Err(format!("{path}, line {}: {error}", line + 1).into()),
        }
    }
    Ok(Array2::from_shape_vec((rows.len(), rows.first().map_or(0, Vec::len)), rows.concat())?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let all = read(&args.file)?;
    if all.ncols() < 2 {
        return Err(format!("{}: expected a target and at least one input", args.file).into());
    }
    let target = if args.last { all.ncols() - 1 } else { 0 };
    let inputs = if args.last { s![.., ..target] } else { s![.., 1..] };
    let (x, y) = (all.slice(inputs).to_owned(), all.column(target).to_owned());
    let mut labels = y.to_vec();
    labels.sort_by(f32::total_cmp);
    labels.dedup();
    let is_class = labels.len() <= 20 && labels.iter().all(|label| label.fract() == 0.0);

    let hidden = || Dense::new(32).activation(Activation::Relu);
    let network = Sequential::new().seed(1).add(hidden()).add(hidden());
    let fit = Fit::new().epochs(args.epochs).verbose(Verbose::Silent);
    let (model, y): (Sequential, Array1<f32>) = if is_class {
        let mut model = network.add(Dense::new(labels.len()).activation(Activation::Softmax));
        model.compile(Adam::new(0.001), SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
        (model, y.mapv(|y| labels.iter().position(|label| *label == y).unwrap_or(0) as f32))
    } else {
        let mut model = network.add(Dense::new(1));
        model.compile(Adam::new(0.001), MeanSquaredError::new(), ())?;
        (model, y)
    };
    let task = if is_class { format!("{} classes", labels.len()) } else { "numeric targets".into() };
    println!("{}: {} rows of {} inputs, {task}\n", args.file, x.nrows(), x.ncols());
    println!("## Before training\n\n{}", shown(&model.check(&x, &y)?));
    let history = model.clone().fit(&x, &y, &fit)?;
    println!("## {} epochs, with tested suggestions\n", args.epochs);
    history.names().for_each(|name| println!("{name} {:.4}", history.last(name).unwrap_or(f64::NAN)));
    println!("\n{}", shown(&model.investigate(&x, &y, &fit)?));
    Ok(())
}

fn shown(findings: &Findings) -> String {
    let text = findings.to_string();
    if text.is_empty() { "no findings\n".into() } else { text }
}
