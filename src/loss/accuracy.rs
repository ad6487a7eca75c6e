//! The error of every loss in `f32`, in units in the last place of the result.

use super::*;
use crate::scalar::units::{inputs, units};

/// A loss in both precisions.
struct Case {
    name: &'static str,
    single: Box<dyn Loss<f32>>,
    double: Box<dyn Loss<f64>>,
}

macro_rules! cases {
    ($($name:literal: $loss:expr),* $(,)?) => {
        vec![$(Case { name: $name, single: Box::new($loss), double: Box::new($loss) }),*]
    };
}

/// A row of outputs and its targets.
struct Row {
    y: Vec<f32>,
    t: Vec<f32>,
}

impl Row {
    /// The value, and the slope for each output.
    fn evaluate<F: Scalar>(&self, loss: &dyn Loss<F>) -> (F, Vec<F>) {
        let numbers = |x: &[f32]| x.iter().map(|x| F::of(f64::from(*x))).collect::<Vec<F>>();
        let (y, t) = (numbers(&self.y), numbers(&self.t));
        let (mut value, mut dy) = ([F::zero()], vec![F::zero(); y.len()]);
        let (width, targets) = (y.len(), t.len());
        loss.values(Batch::new(&y, width), Batch::new(&t, targets), &mut value);
        loss.gradient(
            Batch::new(&y, width),
            Batch::new(&t, targets),
            &[F::one()],
            BatchMut::new(&mut dy, width),
        );
        (value[0], dy)
    }

    /// The largest error of the value and of a slope, and the magnitude to whose last place each refers.
    fn allowed(&self, name: &str) -> [(f64, f64); 2] {
        let largest = |row: &[f32]| row.iter().fold(0.0, |most: f64, x| most.max(f64::from(x.abs())));
        let (y, t) = (f64::from(self.y[0]), f64::from(self.t[0]));
        let probability = y.clamp(1e-7, 1.0 - 1e-7);
        // A sum of terms that cancel is as precise as the largest.
        match name {
            // A square doubles the error of its root.
            "LogCosh" | "MeanSquaredLogarithmicError" => [(8.0, 0.0), (4.0, 0.0)],
            // The rounding of y + ε, which t multiplies.
            "Poisson" => [(4.0, y + t + (t * (y + 1e-7).ln()).abs()), (4.0, 1.0 + (t / (y + 1e-7)).abs())],
            "Hinge" => [(4.0, (t * y).abs().max(1.0)); 2],
            "SquaredHinge" => [(4.0, (t * y).abs().max(1.0).powi(2)), (4.0, 2.0 * (t * y).abs().max(1.0))],
            "CategoricalHinge" => [(4.0, largest(&self.y).max(1.0)); 2],
            "CosineSimilarity" => [(4.0, 1.0), (4.0, 1.0 / largest(&self.y).max(1e-7))],
            "BinaryCrossentropy" => [(4.0, 0.0), (4.0, t / probability + (1.0 - t) / (1.0 - probability))],
            // The slope is the difference of two probabilities.
            "BinaryCrossentropy of logits" => [(4.0, 0.0), (4.0, 1.0)],
            // A power multiplies the error of its base.
            "BinaryFocalCrossentropy" => [(8.0, 0.0), (8.0, 0.0)],
            // 1 − p has the rounding of p = σ(y), which is 1 / (1 − p) times as much.
            "BinaryFocalCrossentropy of logits" => [(8.0 + 4.0 * y.abs().exp(), 1.0); 2],
            "CategoricalCrossentropy of logits" | "SparseCategoricalCrossentropy of logits" => {
                [(4.0, 1f64.max(largest(&self.y) / 4.0)), (4.0, 1.0)]
            }
            name if name.contains("ategorical") => {
                [(8.0, 1.0), (8.0, 1.0 / probability.min(1.0 - probability))]
            }
            _ => [(4.0, 0.0); 2],
        }
    }
}

fn cases() -> Vec<Case> {
    cases![
        "BinaryCrossentropy": BinaryCrossentropy::new(),
        "BinaryCrossentropy of logits": BinaryCrossentropy::new().from_logits(true),
        "BinaryFocalCrossentropy": BinaryFocalCrossentropy::new(),
        "BinaryFocalCrossentropy of logits": BinaryFocalCrossentropy::new().from_logits(true),
        "CategoricalCrossentropy": CategoricalCrossentropy::new(),
        "CategoricalCrossentropy of logits": CategoricalCrossentropy::new().from_logits(true),
        "CategoricalFocalCrossentropy": CategoricalFocalCrossentropy::new(),
        "CategoricalFocalCrossentropy of logits": CategoricalFocalCrossentropy::new().from_logits(true),
        "CategoricalGeneralizedCrossEntropy": CategoricalGeneralizedCrossEntropy::new(),
        "CategoricalHinge": CategoricalHinge,
        "CosineSimilarity": CosineSimilarity,
        "Dice": Dice::new(),
        "Hinge": Hinge,
        "Huber": Huber::new(),
        "KLDivergence": KlDivergence,
        "LogCosh": LogCosh,
        "MeanAbsoluteError": MeanAbsoluteError,
        "MeanAbsolutePercentageError": MeanAbsolutePercentageError,
        "MeanSquaredError": MeanSquaredError,
        "MeanSquaredLogarithmicError": MeanSquaredLogarithmicError,
        "Poisson": Poisson,
        "SparseCategoricalCrossentropy": SparseCategoricalCrossentropy::new(),
        "SparseCategoricalCrossentropy of logits": SparseCategoricalCrossentropy::new().from_logits(true),
        "SquaredHinge": SquaredHinge,
        "Tversky": Tversky::new().alpha(0.25),
    ]
}

fn rows(case: &Case) -> Vec<Row> {
    let mut rows = Vec::new();
    let logits = case.single.takes_logits();
    // The bounds of a clip, 1e-7 and 1 − 1e-7, are themselves rounded.
    let probabilities = |x: &f32| *x > 2e-7 && *x < 1.0 - 2e-7;
    let all = inputs().into_iter();
    let all: Vec<f32> = match case.single.target() {
        Target::Numbers if ["Poisson", "KLDivergence"].contains(&case.name) => {
            all.filter(|x| *x > 0.0 && (case.name == "Poisson" || *x < 1.0 && *x > 2e-7)).collect()
        }
        Target::Numbers if ["Dice", "Tversky"].contains(&case.name) => {
            (0..400).map(|i| i as f32 / 400.0).collect()
        }
        Target::Numbers if case.name == "MeanSquaredLogarithmicError" => {
            all.filter(|x| !(5e-8..2e-7).contains(&x.abs())).collect()
        }
        Target::Numbers => all.collect(),
        _ if case.name == "BinaryFocalCrossentropy of logits" => all.filter(|x| x.abs() < 15.0).collect(),
        _ if logits || case.name.contains("Hinge") => all.collect(),
        _ => all.chain((1..400).map(|i| i as f32 / 400.0)).filter(probabilities).collect(),
    };
    for y in all {
        let mut row = |y: &[f32], t: &[f32]| rows.push(Row { y: y.into(), t: t.into() });
        if case.name.contains("ategorical") {
            let rest =
                if logits || case.name.contains("Hinge") { [0.25, -3.5] } else { [(1.0 - y) / 2.0; 2] };
            for class in 0..3u8 {
                let one_hot = [0, 1, 2].map(|i| f32::from(u8::from(i == class)));
                let sparse = [f32::from(class)];
                let is_sparse = matches!(case.single.target(), Target::Classes { .. });
                row(&[y, rest[0], rest[1]], if is_sparse { &sparse } else { &one_hot });
            }
        } else if case.name == "CosineSimilarity" {
            row(&[y, 0.5], &[0.7, -1.5]);
        } else if ["Dice", "Tversky"].contains(&case.name) {
            row(&[y, 0.5, 0.25], &[1.0, 0.0, 1.0]);
        } else if case.name.contains("Binary") || case.name.contains("Hinge") {
            [0.0, 1.0].iter().for_each(|t| row(&[y], &[*t]));
        } else {
            for t in [0.0, 1.0, 0.5, -0.75, 30.0, y * 1.00001, y * 0.75] {
                row(&[y], &[if case.name == "Poisson" { t.abs() } else { t }]);
            }
        }
    }
    rows
}

#[test]
fn losses_in_f32_are_accurate() {
    let mut faults = Vec::new();
    let cases = cases();
    for case in &cases {
        let (mut worst, mut slope) = ((1.0, String::new()), (1.0, String::new()));
        for row in rows(case) {
            let (found, expected) = (row.evaluate(&*case.single), row.evaluate(&*case.double));
            let allowed = row.allowed(case.name);
            let check = |worst: &mut (f64, String), found: f32, expected: f64, (most, floor): (f64, f64)| {
                let error = units(found, expected, floor) / most;
                if error > worst.0 {
                    let (name, Row { y, t }) = (case.name, &row);
                    *worst = (
                        error,
                        format!("{name} at {y:?}, {t:?}: {found}, expected {expected}, {error} of {most}"),
                    );
                }
            };
            check(&mut worst, found.0, expected.0, allowed[0]);
            for (found, expected) in found.1.into_iter().zip(expected.1) {
                check(&mut slope, found, expected, allowed[1]);
            }
        }
        faults.extend([worst.1, slope.1].into_iter().filter(|fault| !fault.is_empty()));
    }
    assert!(faults.is_empty(), "{faults:#?}");
    // `Circle` compares rows with each other; its golden values are in f32, too.
    for name in registry::<f32>().names().filter(|name| *name != "Circle") {
        assert!(cases.iter().any(|case| case.name == name), "{name} is missing here");
    }
}

/// The logarithm of the sum must not be rounded to the last place of the logits.
#[test]
fn crossentropies_of_large_logits_keep_the_logarithm() {
    let value = |loss: &dyn Loss<f32>, t: &[f32]| {
        let row = Row { y: vec![1000.0, 1000.0], t: t.into() };
        row.evaluate(loss).0
    };
    let (one_hot, sparse) = (CategoricalCrossentropy::new(), SparseCategoricalCrossentropy::new());
    assert_eq!(value(&one_hot.from_logits(true), &[1.0, 0.0]), std::f32::consts::LN_2);
    assert_eq!(value(&sparse.from_logits(true), &[0.0]), std::f32::consts::LN_2);
}
