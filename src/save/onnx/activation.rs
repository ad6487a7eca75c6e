//! Activations: one operator if opset 17 has it, otherwise the equation.

use super::graph::{Graph, float, int};
use crate::activation::Activation::{self, *};

/// `f(x)`, where the last axis of `x` has `width` numbers.
pub(super) fn activate(graph: &mut Graph, f: Activation, x: &str, width: usize) -> String {
    let g = graph;
    match f {
        Linear => x.into(),
        Relu => g.op("Relu", &[x], vec![]),
        Relu6 => clip(g, x, Some(0.0), Some(6.0)),
        ReluWith { negative_slope, max_value, threshold } if negative_slope == 0.0 && threshold == 0.0 => {
            clip(g, x, Some(0.0), max_value)
        }
        ReluWith { negative_slope, max_value, threshold } => {
            let (slope, edge) = (g.scalar(negative_slope), g.scalar(threshold));
            let above = clip(g, x, max_value.map(|_| 0.0), max_value);
            let below = g.op("Sub", &[x, &edge], vec![]);
            let below = g.op("Mul", &[&below, &slope], vec![]);
            choose(g, x, &edge, &above, &below)
        }
        LeakyRelu { negative_slope } => g.op("LeakyRelu", &[x], vec![float("alpha", negative_slope)]),
        Elu { alpha } => g.op("Elu", &[x], vec![float("alpha", alpha)]),
        // Not by Celu, which tract computes otherwise where alpha is not 1.
        Celu { alpha } => {
            let (zero, one, alpha) = (g.scalar(0.0), g.scalar(1.0), g.scalar(alpha));
            let inner = g.op("Div", &[x, &alpha], vec![]);
            let power = g.op("Exp", &[&inner], vec![]);
            let below = g.op("Sub", &[&power, &one], vec![]);
            let below = g.op("Mul", &[&below, &alpha], vec![]);
            choose(g, x, &zero, x, &below)
        }
        Selu => {
            let of = [("alpha", 1.673_263_242_354_377_2), ("gamma", 1.050_700_987_355_480_5)];
            g.op("Selu", &[x], of.map(|(name, value)| float(name, value)).into())
        }
        Sigmoid => g.op("Sigmoid", &[x], vec![]),
        LogSigmoid => {
            let turned = g.op("Neg", &[x], vec![]);
            let plus = g.op("Softplus", &[&turned], vec![]);
            g.op("Neg", &[&plus], vec![])
        }
        HardSigmoid => g.op("HardSigmoid", &[x], vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)]),
        SparseSigmoid => g.op("HardSigmoid", &[x], vec![float("alpha", 0.5), float("beta", 0.5)]),
        Silu => {
            let gate = g.op("Sigmoid", &[x], vec![]);
            g.op("Mul", &[x, &gate], vec![])
        }
        HardSilu => g.op("HardSwish", &[x], vec![]),
        Tanh => g.op("Tanh", &[x], vec![]),
        TanhShrink => {
            let tanh = g.op("Tanh", &[x], vec![]);
            g.op("Sub", &[x, &tanh], vec![])
        }
        HardTanh => clip(g, x, Some(-1.0), Some(1.0)),
        Softplus => g.op("Softplus", &[x], vec![]),
        Softsign => g.op("Softsign", &[x], vec![]),
        Squareplus { b } => {
            let (b, half) = (g.scalar(b), g.scalar(0.5));
            let square = g.op("Mul", &[x, x], vec![]);
            let sum = g.op("Add", &[&square, &b], vec![]);
            let root = g.op("Sqrt", &[&sum], vec![]);
            let sum = g.op("Add", &[x, &root], vec![]);
            g.op("Mul", &[&sum, &half], vec![])
        }
        // c²/4 + relu(x − 1), with c = x + 1 within 0 and 2.
        SparsePlus => {
            let (one, quarter) = (g.scalar(1.0), g.scalar(0.25));
            let c = g.op("Add", &[x, &one], vec![]);
            let c = clip(g, &c, Some(0.0), Some(2.0));
            let square = g.op("Mul", &[&c, &c], vec![]);
            let curve = g.op("Mul", &[&square, &quarter], vec![]);
            let above = g.op("Sub", &[x, &one], vec![]);
            let above = g.op("Relu", &[&above], vec![]);
            g.op("Add", &[&curve, &above], vec![])
        }
        Gelu { approximate } => gelu(g, x, approximate),
        Mish => {
            let plus = g.op("Softplus", &[x], vec![]);
            let tanh = g.op("Tanh", &[&plus], vec![]);
            g.op("Mul", &[x, &tanh], vec![])
        }
        SoftShrink { threshold } => {
            g.op("Shrink", &[x], vec![float("lambd", threshold), float("bias", threshold)])
        }
        HardShrink { threshold } => g.op("Shrink", &[x], vec![float("lambd", threshold), float("bias", 0.0)]),
        Threshold { threshold, default_value } => {
            let (edge, other) = (g.scalar(threshold), g.scalar(default_value));
            choose(g, x, &edge, x, &other)
        }
        Exponential => g.op("Exp", &[x], vec![]),
        Softmax => g.op("Softmax", &[x], vec![int("axis", -1)]),
        LogSoftmax => g.op("LogSoftmax", &[x], vec![int("axis", -1)]),
        Sparsemax => sparsemax(g, x, width),
        Glu => {
            let halves = g.split(x, 2, width / 2);
            let gate = g.op("Sigmoid", &[&halves[1]], vec![]);
            g.op("Mul", &[&halves[0], &gate], vec![])
        }
    }
}

/// `x` within the bounds that there are.
pub(super) fn clip(g: &mut Graph, x: &str, low: Option<f64>, high: Option<f64>) -> String {
    let [low, high] = [low, high].map(|bound| bound.map_or(String::new(), |bound| g.scalar(bound)));
    match (&*low, &*high) {
        ("", "") => x.into(),
        (_, "") => g.op("Clip", &[x, &low], vec![]),
        _ => g.op("Clip", &[x, &low, &high], vec![]),
    }
}

/// `above` where `x` is above `edge`, else `below`.
fn choose(g: &mut Graph, x: &str, edge: &str, above: &str, below: &str) -> String {
    let is_above = g.op("Greater", &[x, edge], vec![]);
    g.op("Where", &[&is_above, above, below], vec![])
}

/// x/2·(1 + erf(x/√2)), or x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
fn gelu(g: &mut Graph, x: &str, approximate: bool) -> String {
    let (one, half) = (g.scalar(1.0), g.scalar(0.5));
    let bent = if approximate {
        let (cubic, scale) = (g.scalar(0.044715), g.scalar((2.0 / std::f64::consts::PI).sqrt()));
        let square = g.op("Mul", &[x, x], vec![]);
        let share = g.op("Mul", &[&square, &cubic], vec![]);
        let factor = g.op("Add", &[&share, &one], vec![]);
        let inner = g.op("Mul", &[x, &factor], vec![]);
        let inner = g.op("Mul", &[&inner, &scale], vec![]);
        g.op("Tanh", &[&inner], vec![])
    } else {
        let scale = g.scalar(std::f64::consts::FRAC_1_SQRT_2);
        let inner = g.op("Mul", &[x, &scale], vec![]);
        g.op("Erf", &[&inner], vec![])
    };
    let sum = g.op("Add", &[&bent, &one], vec![]);
    let halved = g.op("Mul", &[x, &half], vec![]);
    g.op("Mul", &[&halved, &sum], vec![])
}

/// relu(x − τ). The k largest numbers sum up to Sₖ, and τ is the largest of (Sₖ − 1)/k.
fn sparsemax(g: &mut Graph, x: &str, width: usize) -> String {
    let (one, axis) = (g.scalar(1.0), g.integer(-1));
    let all = g.integers("width", [super::graph::long(width)]);
    let counts = ndarray::Array1::from_iter((1..=width).map(|k| k as f32)).into_dyn();
    let counts = g.constant("counts", &counts);
    let sorted = g.op_of("TopK", &[x, &all], vec![int("axis", -1)], 2);
    let sums = g.op("CumSum", &[&sorted[0], &axis], vec![]);
    let rest = g.op("Sub", &[&sums, &one], vec![]);
    let shares = g.op("Div", &[&rest, &counts], vec![]);
    let tau = g.op("ReduceMax", &[&shares], vec![super::graph::ints("axes", [-1]), int("keepdims", 1)]);
    let moved = g.op("Sub", &[x, &tau], vec![]);
    g.op("Relu", &[&moved], vec![])
}
