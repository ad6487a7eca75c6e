//! Signals from MATLAB, NumPy and CSV files.

use cornu::data::{Arrays, Csv, Dataset, TrainTestSplit};
use cornu::prelude::*;

use crate::Signals;

/// Reads the training and the test signals; without a test file, a fifth of each class is held out.
pub fn read(
    path: &str,
    test: Option<&str>,
    seed: u64,
) -> Result<(Signals, Signals), Box<dyn std::error::Error>> {
    let data = dataset(path)?;
    let (train, test) = match test {
        Some(test) => (data, dataset(test)?),
        None => TrainTestSplit::new().test_size(0.2).seed(seed).stratify(true).split(&data)?,
    };
    if test.classes()? != train.classes()? {
        return Err(
            format!("found test classes {:?}, expected {:?}", test.classes()?, train.classes()?).into()
        );
    }
    Ok((signals(&train)?, signals(&test)?))
}

fn dataset(path: &str) -> Result<Dataset> {
    match path.rsplit('.').next() {
        Some("mat") => Arrays::new(path).x("data").label("labels").sample_axis(1).read(),
        Some("npz") => Arrays::new(path).x("x").label("y").read(),
        _ => Csv::new(path).header(false).label(0).read(),
    }
}

fn signals(data: &Dataset) -> Result<Signals> {
    let samples = data.x().len() / data.count();
    let x = data
        .x()
        .mapv(|x| x as f32)
        .into_shape_with_order((data.count(), samples, 1))
        .map_err(Error::outside)?;
    let y = data.y()?.iter().map(|&class| class as usize).collect();
    Ok(Signals { x, y, classes: data.classes()?.len() })
}
