//! Regression with an interval: how far has a diabetes come after a year, and how sure is that? A network answers the 5 %, the
//! 50 % and the 95 % quantile, by the pinball loss. Such intervals are too narrow on rows that did not train; so 100 further
//! rows say how far they must be widened (Romano, Patterson, Candès (2019), *Conformalized quantile regression*).
//!
//! Prints the share of 142 held-out rows that lie in the 90 % interval, before and after, how wide it is, and the mean absolute
//! error of the middle quantile beside that of the constant median. 442 patients of Efron et al. (2004), as scikit-learn has them.
//!
//! ```sh
//! cargo run --release --example regression_interval
//! ```

use std::error::Error;

use cornu::loss::loss_fn;
use cornu::ndarray::{Array1, Array2, ArrayD, Axis, s};
use cornu::prelude::*;

const QUANTILES: [f32; 3] = [0.05, 0.5, 0.95];

fn patients() -> Result<(Array2<f32>, Array1<f32>), Box<dyn Error>> {
    let mut numbers = Vec::new();
    for record in csv::Reader::from_path("examples/data/diabetes.csv")?.records() {
        numbers.extend(record?.iter().map(str::parse).collect::<Result<Vec<f32>, _>>()?);
    }
    let table = Array2::from_shape_vec((numbers.len() / 11, 11), numbers)?;
    Ok((table.slice(s![.., ..10]).to_owned(), table.column(10).to_owned()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |seed| seed.parse())?; // of the first weights
    let (x, y) = patients()?;
    let mut order: Vec<usize> = (0..y.len()).collect();
    Rng::stream(1, 0).shuffle(&mut order);
    let part = |rows: &[usize]| (x.select(Axis(0), rows), y.select(Axis(0), rows));
    let ((x_train, y_train), (x_widen, y_widen), (x_test, y_test)) =
        (part(&order[..200]), part(&order[200..300]), part(&order[300..]));

    // ℓ = Σ max(q·e, (q − 1)·e), e = y − ŷ: each output has the row's target, and its own quantile.
    let pinball = loss_fn(
        "pinball",
        |y: &[f32], t: &[f32]| {
            (0..3).map(|k| (t[k] - y[k]) * (QUANTILES[k] - f32::from(u8::from(t[k] < y[k])))).sum()
        },
        |y: &[f32], t: &[f32], dy: &mut [f32]| {
            (0..3).for_each(|k| dy[k] = f32::from(u8::from(t[k] < y[k])) - QUANTILES[k])
        },
    );
    let targets = |y: &Array1<f32>| Array2::from_shape_fn((y.len(), 3), |(i, _)| y[i] / 100.0);
    let mut model = Sequential::new()
        .seed(seed)
        .add(Normalization::new().adapt(&x_train)?)
        .add(Dense::new(16).activation(Activation::Tanh).kernel_regularizer(Regularizer::L2(0.001)))
        .add(Dense::new(3));
    model.compile(Adam::new(0.005), pinball, ())?;
    let history = model.fit(&x_train, &targets(&y_train), &Fit::new().epochs(60).verbose(Verbose::Silent))?;
    print!("{}", history.findings()); // nothing, where all is well

    // How far outside its interval a row lies; below 0 within. The widening is the ⌈0.9·101⌉th of 100.
    let outside = |answers: &ArrayD<f32>, y: &Array1<f32>, i: usize| {
        (answers[[i, 0]] - y[i] / 100.0).max(y[i] / 100.0 - answers[[i, 2]])
    };
    let answers = model.predict(&x_widen)?;
    let mut misses: Vec<f32> = (0..y_widen.len()).map(|i| outside(&answers, &y_widen, i)).collect();
    misses.sort_by(f32::total_cmp);
    let widening = misses[(0.9 * 101_f64).ceil() as usize - 1];

    let (answers, n) = (model.predict(&x_test)?, y_test.len() as f32);
    for (name, by) in [("as trained", 0.0), ("widened", widening)] {
        let hits = (0..y_test.len()).filter(|&i| outside(&answers, &y_test, i) <= by).count();
        let width = answers.rows().into_iter().map(|row| row[2] - row[0] + 2.0 * by).sum::<f32>() / n;
        println!("90 % interval, {name:<10}: {hits} of {n} held-out rows, mean width {:.0}", 100.0 * width);
    }
    let mut sorted = y_train.to_vec();
    sorted.sort_by(f32::total_cmp);
    let median = sorted[sorted.len() / 2];
    let error: f32 = y_test.iter().zip(answers.rows()).map(|(y, row)| (y - 100.0 * row[1]).abs()).sum();
    let constant: f32 = y_test.iter().map(|y| (y - median).abs()).sum();
    println!("mean absolute error: {:.1}; of the constant median: {:.1}", error / n, constant / n);
    Ok(())
}
