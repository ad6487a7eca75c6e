//! Regression with prediction intervals: the progression of diabetes after a year. A network predicts the 5 %, 50 % and 95 %
//! quantiles with the pinball loss. Such intervals are too narrow on held-out rows, so 100 further rows calibrate their width
//! (Romano, Patterson, Candès (2019), *Conformalized quantile regression*).
//!
//! Prints how many of 142 held-out rows lie in the 90 % interval before and after calibration, its mean width, and the mean absolute
//! error of the median and of a constant. The data is 442 patients of Efron et al. (2004), as in scikit-learn.
//!
//! ```sh
//! cargo run --release --features csv --example regression_interval
//! cargo run --release --features csv,plot --example regression_interval      # also draws examples/pictures/regression_interval.svg
//! ```

use std::error::Error;

use cornu::data::Csv;
use cornu::loss::loss_fn;
use cornu::ndarray::{Array1, Array2, ArrayD, Axis, s};
use cornu::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |seed| seed.parse())?; // of the initial weights
    let data = Csv::new("examples/data/diabetes.csv").target("progression").read()?;
    let x: Array2<f32> = data.x().mapv(|value| value as f32).into_dimensionality()?;
    let y: Array1<f32> = data.y()?.iter().map(|value| *value as f32).collect();
    let mut order: Vec<usize> = (0..y.len()).collect();
    Rng::new(1).shuffle(&mut order);
    let part = |rows: &[usize]| (x.select(Axis(0), rows), y.select(Axis(0), rows));
    let ((x_train, y_train), (x_widen, y_widen), (x_test, y_test)) =
        (part(&order[..200]), part(&order[200..300]), part(&order[300..]));

    // ℓ = Σ max(q·e, (q − 1)·e), e = y − ŷ: each output has its own quantile and the target of the row.
    let slope = |y: &[f32], t: &[f32], k: usize| f32::from(u8::from(t[k] < y[k])) - [0.05, 0.5, 0.95][k];
    let pinball = loss_fn(
        "pinball",
        move |y: &[f32], t: &[f32]| (0..3).map(|k| (y[k] - t[k]) * slope(y, t, k)).sum(),
        move |y: &[f32], t: &[f32], dy: &mut [f32]| (0..3).for_each(|k| dy[k] = slope(y, t, k)),
    );
    let targets = Array2::from_shape_fn((y_train.len(), 3), |(i, _)| y_train[i] / 100.0);
    let mut model = Sequential::new()
        .seed(seed)
        .add(Normalization::new().adapt(&x_train)?)
        .add(Dense::new(16).activation(Activation::Tanh).kernel_regularizer(Regularizer::L2(0.001)))
        .add(Dense::new(3));
    model.compile(Adam::new(0.005), pinball, ())?;
    let fit = Fit::new().epochs(60).verbose(Verbose::Silent);
    print!("{}", model.fit(&x_train, &targets, &fit)?.findings()); // empty if the training is healthy
    // The distance of each row to its interval, negative inside. The widening is the ⌈0.9·101⌉th smallest of 100.
    let outside = |a: &ArrayD<f32>, y: &Array1<f32>| -> Vec<f32> {
        (0..y.len()).map(|i| (a[[i, 0]] - y[i]).max(y[i] - a[[i, 2]])).collect()
    };
    let mut misses = outside(&(100.0 * model.predict(&x_widen)?), &y_widen);
    misses.sort_by(f32::total_cmp);
    let widening = misses[(0.9 * 101_f64).ceil() as usize - 1];
    let (answers, n) = (100.0 * model.predict(&x_test)?, y_test.len() as f32);
    for (name, by) in [("as trained", 0.0), ("calibrated", widening)] {
        let hits = outside(&answers, &y_test).iter().filter(|miss| **miss <= by).count();
        let width = (&answers.slice(s![.., 2]) - &answers.slice(s![.., 0])).sum() / n + 2.0 * by;
        println!("90 % interval, {name:<10}: {hits} of {n} held-out rows, mean width {width:.0}");
    }
    let mut sorted = y_train.to_vec();
    sorted.sort_by(f32::total_cmp);
    let error = (&y_test - &answers.slice(s![.., 1])).mapv(f32::abs).sum() / n;
    let constant = (&y_test - sorted[sorted.len() / 2]).mapv(f32::abs).sum() / n;
    println!("mean absolute error: {error:.1}; constant median: {constant:.1}");
    #[cfg(feature = "plot")]
    {
        let mut rank: Vec<_> = answers.rows().into_iter().zip(&y_test).collect();
        rank.sort_by(|(a, _), (b, _)| a[1].total_cmp(&b[1]));
        let rank = || rank.iter().enumerate().map(|(k, (row, y))| (k, row, **y));
        cornu::plot::Chart::new("patient, sorted by predicted median", "progression after a year")
            .band("90 % interval", rank().map(|(k, row, _)| (k, row[0] - widening, row[2] + widening)))
            .line("median", rank().map(|(k, row, _)| (k, row[1])))
            .dots("observed", rank().map(|(k, _, y)| (k, y)))
            .plot("examples/pictures/regression_interval.svg")?;
    }
    Ok(())
}
