//! A custom layer with a parameter: `cargo run --release --example custom_layer`.
//!
//! Scale: y = g ⊙ x, with one learned factor for each feature. dg = Σ dy ⊙ x, dx = g ⊙ dy.

use cornu::layer::{BackwardContext, BuildContext, Part, PartMut};
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};
use cornu::{Param, layer};

/// Multiplies each feature by a learned factor, initially 1.
#[derive(Debug, Clone, Default)]
struct Scale<F = f32> {
    factors: Option<Param<F>>,
}

impl<F: Scalar> layer::Layer<F> for Scale<F> {
    fn kind(&self) -> &str {
        "Scale"
    }

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        self.factors = Some(Param::new("factors", input, &Initializer::Ones, context)?);
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let Some(factors) = &self.factors else { return };
        for (y, x) in y.iter_mut().zip(x.iter()) {
            y.iter_mut().zip(x).zip(factors.value()).for_each(|((y, &x), &g)| *y = g * x);
        }
    }

    fn backward(&mut self, mut context: BackwardContext<F>) {
        let Some(factors) = &mut self.factors else { return };
        let (g, dg) = factors.split();
        dg.fill(F::zero());
        for (row, dy) in context.dy.as_batch().iter().enumerate() {
            dg.iter_mut().zip(dy).zip(context.x.row(row)).for_each(|((dg, &dy), &x)| *dg += dy * x);
            if let Some(dx) = &mut context.dx {
                dx.row_mut(row).iter_mut().zip(dy).zip(g).for_each(|((dx, &dy), &g)| *dx = g * dy);
            }
        }
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        self.factors.iter().map(Part::Param).for_each(f);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        self.factors.iter_mut().map(PartMut::Param).for_each(f);
    }
}

fn main() -> Result<()> {
    // Compare the gradient with central differences in f64.
    let mut check =
        Sequential::<f64>::with_scalar().seed(1).input([3]).add(Dense::new(3)).add(Scale::default());
    check.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    for (path, error) in
        check.check_gradient(&Array2::from_elem((2, 3), 0.5), &Array2::<f64>::ones((2, 3)))?
    {
        println!("{path:<16} relative error of the gradient {error:.1e}");
    }

    // y = 3a − 2b, so the factors converge to 3 and −2.
    let mut rng = Rng::new(1);
    let x = Array2::from_shape_fn((200, 2), |_| rng.normal());
    let y: Array2<f64> = Array2::from_shape_fn((200, 2), |(i, j)| [3.0, -2.0][j] * x[[i, j]]);
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut model = Sequential::new().seed(seed).add(Scale::default().name("scale"));
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    let history = model.fit(&x, &y, &Fit::new().epochs(20).verbose(Verbose::Silent))?;
    print!("{}", history.findings()); // empty if the training is healthy
    let factors: Array1<f32> = model.weight("scale/factors")?.iter().copied().collect();
    println!("learned factors {factors:.3}");
    Ok(())
}
