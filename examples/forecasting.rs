//! Forecasting with an LSTM: the number of sunspots in the next year. The data is the yearly means from 1700 to 2008 of the US
//! National Geophysical Data Center. The network reads 22 years, two solar cycles, and predicts the next. It trains on the years
//! up to 1950 and is tested on the years after.
//!
//! Prints the mean absolute error of the LSTM, of a linear network on the same 22 years, and of repeating the last year, as means
//! over three seeds, and the last ten forecasts.
//!
//! ```sh
//! cargo run --release --example forecasting
//! cargo run --release --features plot --example forecasting      # also draws examples/pictures/forecasting.svg
//! ```

use std::error::Error;

use cornu::ndarray::{Array1, Array3, Axis};
use cornu::prelude::*;

const WINDOW: usize = 22;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut years, mut spots) = (Vec::new(), Vec::new());
    for record in csv::Reader::from_path("examples/data/sunspots.csv")?.records() {
        let record = record?;
        years.push(record[0].parse::<usize>()?);
        spots.push(record[1].parse::<f32>()? / 100.0);
    }
    // Row i contains the years i to i + 21; its target is the next year.
    let count = spots.len() - WINDOW;
    let x = Array3::from_shape_fn((count, WINDOW, 1), |(i, step, _)| spots[i + step]);
    let y = Array1::from_shape_fn(count, |i| spots[i + WINDOW]);
    let train = years.iter().position(|year| *year == 1951).ok_or("no 1951")? - WINDOW;
    let ((x_train, x_test), (y_train, y_test)) =
        (x.view().split_at(Axis(0), train), y.view().split_at(Axis(0), train));

    let forecast = |mut model: Sequential| -> Result<Array1<f32>, Box<dyn Error>> {
        model.compile(Adam::new(0.005), MeanSquaredError::new(), ())?;
        let fit = Fit::new().epochs(150).batch_size(16).verbose(Verbose::Silent);
        print!("{}", model.fit(&x_train, &y_train, &fit)?.findings()); // empty if the training is healthy
        Ok(model.predict(&x_test)?.iter().copied().collect())
    };
    let error =
        |forecast: &Array1<f32>| 100.0 * (forecast - &y_test).mapv(f32::abs).mean().unwrap_or(f32::NAN);
    let (mut lstm, mut linear, mut last) = (0.0, 0.0, Array1::zeros(0));
    for seed in 1..=3 {
        let model = Sequential::new().seed(seed);
        linear += error(&forecast(model.clone().add(Flatten::new()).add(Dense::new(1)))?) / 3.0;
        last = forecast(model.add(Lstm::new(16)).add(Dense::new(1)))?;
        lstm += error(&last) / 3.0;
    }
    let as_last_year = Array1::from_shape_fn(y_test.len(), |i| x_test[[i, WINDOW - 1, 0]]);
    println!("mean absolute error, {} years from 1951, mean of 3 seeds", y_test.len());
    println!(
        "LSTM {lstm:.1}   linear {linear:.1}   last year {:.1}\n\nyear   spots  LSTM",
        error(&as_last_year)
    );
    #[cfg(feature = "plot")]
    {
        let by_year =
            |spots: &[f32]| spots.iter().zip(1951..).map(|(s, year)| (year, 100.0 * s)).collect::<Vec<_>>();
        cornu::plot::Chart::new("year", "sunspots")
            .line("observed", by_year(&y_test.to_vec()))
            .line("LSTM, a year ahead", by_year(&last.to_vec()))
            .plot("examples/pictures/forecasting.svg")?;
    }
    for i in y_test.len() - 10..y_test.len() {
        println!("{}  {:6.1} {:6.1}", years[train + WINDOW + i], 100.0 * y_test[i], 100.0 * last[i]);
    }
    Ok(())
}
