//! The error of every activation in `f32`, in units in the last place of the result.

use super::*;
use crate::scalar::Scalar;
use crate::scalar::units::{inputs, units};
use crate::tensor::{Batch, BatchMut};

/// The values of `x` in rows of this width, and the products of the slopes with `dy`.
fn evaluate<F: Scalar>(activation: Activation, x: &[f32], width: usize, dy: &[f32]) -> [Vec<F>; 2] {
    let number = |x: &f32| F::of(f64::from(*x));
    let (x, mut dy): (Vec<F>, Vec<F>) = (x.iter().map(number).collect(), dy.iter().map(number).collect());
    let mut y = x.clone();
    activation.forward(Batch::new(&x, width), BatchMut::new(&mut y, width));
    activation.backward(Batch::new(&x, width), Batch::new(&y, width), BatchMut::new(&mut dy, width));
    [y, dy]
}

/// The largest error of the value and of the slope at x, and the magnitude to whose last place it refers.
fn allowed(activation: Activation, x: f64) -> [(f64, f64); 2] {
    // Each of these slopes is 0 somewhere in this range, as the sum of larger terms.
    let root = if (-4.0..0.0).contains(&x) { 0.25 } else { 0.0 };
    match activation {
        // φ(x), which has fewer digits where it is denormal.
        Gelu { approximate: false } if x < -13.0 => [(16.0, 0.0); 2],
        // The tail is a product of three rounded factors.
        Gelu { approximate: false } if x < 0.0 => [(if x < -1.0 { 7.5 } else { 4.0 }, 0.0), (7.5, root)],
        // The tail magnifies the rounding of its argument 2u = 1.6·(x + 0.045·x³).
        Gelu { approximate: true } if x < 0.0 => {
            let exponent = 1.6 * (x + 0.045 * x.powi(3)).abs();
            [(4.0 + 2.0 * exponent, 0.0), (4.0 + 2.0 * exponent, root)]
        }
        // x times e^x, which has fewer digits where it is denormal.
        Silu | Mish if x < -87.0 => [(-x, 0.0); 2],
        // 1 − s has the rounding of s near 1, which x multiplies.
        Silu if x > 0.0 => [(4.0, 0.0), (4.0 + x, 0.0)],
        Silu | HardSilu | Mish => [(4.0, 0.0), (4.0, root)],
        // A square doubles the error of its root.
        TanhShrink => [(4.0, 0.0), (8.0, 0.0)],
        // 1 − t² has the rounding of t² near 1, which x multiplies.
        Gelu { approximate: true } => [(4.0, 0.0), (4.0 + x, 0.0)],
        // Computed from the output: y·(1 − y) and 1 − y².
        Sigmoid => [(4.0, 0.0), (4.0, 1.0 / (1.0 + (-x).exp()))],
        Tanh => [(4.0, 0.0), (4.0, 1.0)],
        _ => [(4.0, 0.0); 2],
    }
}

#[test]
fn elementwise_activations_in_f32_are_accurate() {
    let x = inputs();
    let mut faults = Vec::new();
    let approximate = ("gelu, approximate", Gelu { approximate: true });
    for (name, activation) in NAMED.into_iter().chain([approximate]) {
        if activation.is_rowwise() {
            continue;
        }
        let ones = vec![1.0; x.len()];
        let (found, expected) =
            (evaluate::<f32>(activation, &x, 1, &ones), evaluate::<f64>(activation, &x, 1, &ones));
        for (part, what) in ["value", "slope"].iter().enumerate() {
            let mut worst = (0.0, String::new());
            for (i, &x) in x.iter().enumerate() {
                let (most, floor) = allowed(activation, f64::from(x))[part];
                let (found, expected) = (found[part][i], expected[part][i]);
                let error = units(found, expected, floor) / most;
                if error > worst.0 {
                    worst = (
                        error,
                        format!("{name}, {what} at {x}: {found}, expected {expected}, {error} of {most}"),
                    );
                }
            }
            if worst.0 > 1.0 {
                faults.push(worst.1);
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn activations_of_rows_in_f32_are_accurate() {
    let mut faults = Vec::new();
    for row in [
        [1000.0, 1000.0, 1000.0, 1000.0],
        [1000.25, 1000.0, 999.5, -1000.0],
        [1000.1, 1000.3, 999.9, -1000.0],
        [-1000.5, -1000.0, -1000.75, -1001.0],
        [100.0, -100.0, 0.0, 99.5],
        [1e-3, -2e-3, 3e-3, 1e-8],
        [0.3, 5.7, -2.9, 4.1],
        [-100.0, -99.0, -98.5, -97.25],
    ] {
        let dy = [0.5, -1.0, 0.25, 0.75];
        let largest = row.iter().copied().fold(f32::MIN, f32::max);
        for activation in [Softmax, LogSoftmax, Sparsemax] {
            let (found, expected) =
                (evaluate::<f32>(activation, &row, 4, &dy), evaluate::<f64>(activation, &row, 4, &dy));
            for i in 0..4 {
                let below = f64::from(largest - row[i]);
                // The exponent is rounded; the others are differences of numbers as large as 1.
                let (most, floor) = if activation == Softmax { (4.0 + below, 0.0) } else { (4.0, 1.0) };
                let errors = [
                    units(found[0][i], expected[0][i], floor) / most,
                    units(found[1][i], expected[1][i], 1.0) / 4.0,
                ];
                if errors.iter().any(|error| *error > 1.0) {
                    faults.push(format!(
                        "{activation} of {row:?}: {found:?}, expected {expected:?}: {errors:?}"
                    ));
                }
            }
        }
    }
    let pairs = evaluate::<f32>(LogSoftmax, &[1000.0, 1000.0], 2, &[1.0, 1.0]);
    assert_eq!(pairs[0], [-std::f32::consts::LN_2; 2]);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn glu_in_f32_is_accurate() {
    for b in inputs() {
        let (x, dy) = ([0.7, b], [1.5]);
        let (mut y, mut dx) = ([0f32], [0f32; 2]);
        super::rowwise::glu(Batch::new(&x, 2), BatchMut::new(&mut y, 1));
        super::rowwise::glu_backward(Batch::new(&x, 2), Batch::new(&dy, 1), BatchMut::new(&mut dx, 2));
        let (a, e) = (f64::from(x[0]), (-f64::from(b).abs()).exp());
        let sigmoid = if b < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) };
        let slope = 1.5 * a * e / (1.0 + e).powi(2);
        for (found, expected) in [(y[0], a * sigmoid), (dx[0], 1.5 * sigmoid), (dx[1], slope)] {
            assert!(units(found, expected, 0.0) <= 4.0, "at {b}: {found}, expected {expected}");
        }
    }
}

#[test]
fn gelu_keeps_its_tail() {
    // By Python's `math.erfc` and `math.exp`.
    for (approximate, x, expected) in [
        (false, -5.0, -1.4332578593959731e-6),
        (false, -10.0, -7.619853024160593e-23),
        (true, -5.0, -2.291796196629504e-7),
    ] {
        let (found, precise) = (
            evaluate::<f32>(Gelu { approximate }, &[x], 1, &[1.0])[0][0],
            evaluate::<f64>(Gelu { approximate }, &[x], 1, &[1.0])[0][0],
        );
        assert!((f64::from(found) / expected - 1.0).abs() < 2e-5, "{found}, expected {expected}");
        assert!((precise / expected - 1.0).abs() < 1e-7, "{precise}, expected {expected}");
    }
}

/// As in the guide: τ = 1/15, since 0.5 + 0.4 + 0.3 − 3·τ = 1.
#[test]
fn sparsemax_follows_its_definition() {
    let found = evaluate::<f64>(Sparsemax, &[0.5, 0.4, 0.3, 2.0, 0.5, -1.0], 3, &[0.0; 6]);
    for (found, expected) in found[0].iter().zip([13.0 / 30.0, 1.0 / 3.0, 7.0 / 30.0, 1.0, 0.0, 0.0]) {
        assert!((found - expected).abs() < 1e-7, "{found}, expected {expected}");
    }
}
