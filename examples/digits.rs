//! Classification: a small convolutional network on the 1797 scanned digits of scikit-learn, 8 × 8 pixels each. A random fifth
//! is held out and used once, at the end.
//!
//! Prints the epochs, the held-out accuracy, and the precision and recall of each digit.
//!
//! ```sh
//! cargo run --release --features csv --example digits
//! cargo run --release --features csv,plot --example digits      # also draws examples/pictures/digits.svg
//! ```

use std::error::Error;

use cornu::data::{Column, Csv};
use cornu::ndarray::{Array1, Array2, Axis};
use cornu::prelude::*;

/// Reads the pixels, from 0 to 16 with one image per row, and the digits.
fn digits() -> Result<(Array2<f32>, Array1<usize>), Box<dyn Error>> {
    let data = Csv::new("examples/data/digits.csv.gz").header(false).label(Column::Last).read()?;
    let pixels = data.x().mapv(|pixel| pixel as f32).into_dimensionality()?;
    Ok((pixels, data.y()?.iter().map(|digit| *digit as usize).collect()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |seed| seed.parse())?; // of the initial weights
    let (x, y) = digits()?;
    let mut order: Vec<usize> = (0..y.len()).collect();
    Rng::new(1).shuffle(&mut order);
    let (test, train) = order.split_at(y.len() / 5);

    let mut model = Sequential::new()
        .seed(seed)
        .input([64])
        .add(Rescaling::new(1.0 / 16.0))
        .add(Reshape::new([8, 8, 1]))
        .add(Conv2D::new(16, [3, 3]).padding(Padding::Same).activation(Activation::Relu))
        .add(Conv2D::new(32, [3, 3]).activation(Activation::Relu))
        .add(MaxPooling2D::new([2, 2]))
        .add(Flatten::new())
        .add(Dropout::new(0.3))
        .add(Dense::new(10))
        .add(Softmax::new());
    model.compile(Adam::new(0.002), SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
    println!("{}", model.summary());

    let fit = Fit::new().epochs(30).validation_split(0.1).verbose(Verbose::Lines);
    model.fit(&x.select(Axis(0), train), &y.select(Axis(0), train), &fit)?;
    let (x_test, y_test) = (x.select(Axis(0), test), y.select(Axis(0), test));
    println!("{} held-out images: {}", y_test.len(), model.evaluate(&x_test, &y_test, &Evaluate::new())?);
    let matrix = model.confusion_matrix(&x_test, &y_test)?;
    println!("{}", matrix.report());
    #[cfg(feature = "plot")]
    matrix.plot("examples/pictures/digits.svg")?;
    Ok(())
}
