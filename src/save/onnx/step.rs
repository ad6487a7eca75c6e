//! Recurrent layers step by step: `Scan` runs a graph of one step, with any activations.

use super::activation::activate;
use super::graph::{Graph, graph as body, int, ints, long};
use super::place::OnnxLayer;
use super::recurrence::{Recurrence, columns, zeros};
use crate::error::Result;
use crate::scalar::Scalar;

/// The weights of the recurrent product, and its bias.
type Recurrent = (ndarray::ArrayD<f32>, Option<ndarray::ArrayD<f32>>);

/// Returns the output of the layer, like [`super::recurrent::run`].
pub(super) fn scan<F: Scalar>(
    graph: &mut Graph,
    this: &Recurrence,
    at: &OnnxLayer<F>,
    x: &str,
    mask: Option<&str>,
) -> Result<String> {
    let (u, wide) = (this.units, this.gates * this.units);
    let kernel = graph.constant("kernel", &at.needed("kernel")?);
    let bias = at.weight("bias");
    let (own, other) = match bias {
        Some(bias) if bias.ndim() == 2 => {
            let rows = [0, 1].map(|row| bias.index_axis(ndarray::Axis(0), row).to_owned());
            let [own, other] = rows;
            (Some(own), Some(other))
        }
        bias => (bias, None),
    };
    let mut a = graph.op("MatMul", &[x, &kernel], vec![]);
    if let Some(own) = own {
        let own = graph.constant("bias", &own);
        a = graph.op("Add", &[&a, &own], vec![]);
    }
    let weights = (at.needed("recurrent_kernel")?, other);
    let lstm = at.config.kind == "LSTM";
    let states = if lstm { 2 } else { 1 };
    let zero = zeros(graph, x, &[], u);
    let inputs: Vec<&str> = std::iter::repeat_n(&*zero, states).chain([&*a]).chain(mask).collect();
    let mut widths = vec![("h", u), ("c", u), ("x", wide), ("mask", 1)];
    widths.truncate(if mask.is_some() { 4 } else { 3 });
    widths.retain(|(name, _)| lstm || *name != "c");
    // Without zeros for masked steps, the output of a step is its state.
    let outputs_differ = this.zero_outputs && mask.is_some();
    let has_output = this.sequences || outputs_differ;
    let step = graph.within(&widths, |graph, names| {
        let mut outputs = match (&*at.config.kind, names) {
            ("LSTM", [h, c, a, ..]) => lstm_step(graph, this, &weights, [h, c, a]),
            ("GRU", [h, a, ..]) => vec![gru_step(graph, this, &weights, h, a)],
            (_, [h, a, ..]) => vec![simple_step(graph, this, &weights, h, a)],
            _ => Vec::new(),
        };
        let mut shown = outputs[0].clone();
        if let Some(mask) = names.last().filter(|_| mask.is_some()) {
            let counts = graph.op("Cast", &[mask], vec![int("to", super::proto::BOOL.into())]);
            if outputs_differ {
                let zero = graph.scalar(0.0);
                shown = graph.op("Where", &[&counts, &shown, &zero], vec![]);
            }
            for (output, before) in outputs.iter_mut().zip(names) {
                *output = graph.op("Where", &[&counts, output, before], vec![]);
            }
            if !outputs_differ {
                shown.clone_from(&outputs[0]);
            }
        }
        if has_output {
            outputs.push(graph.op("Identity", &[&shown], vec![]));
        }
        outputs.into_iter().map(|name| (name, u)).collect()
    });
    let scanned = 1 + usize::from(mask.is_some());
    let axes = ints("scan_input_axes", std::iter::repeat_n(1, scanned));
    let mut attributes = vec![body("body", step), int("num_scan_inputs", long(scanned)), axes];
    if has_output {
        attributes.push(ints("scan_output_axes", [1]));
    }
    let outputs = graph.op_of("Scan", &inputs, attributes, states + usize::from(has_output));
    let output = &outputs[if has_output { states } else { 0 }];
    if has_output && !this.sequences {
        // The output of the last step.
        let last = graph.integer(-1);
        return Ok(graph.op("Gather", &[output, &last], vec![int("axis", 1)]));
    }
    Ok(output.clone())
}

/// h·R + b', for the columns of these gates.
fn product(
    graph: &mut Graph,
    this: &Recurrence,
    (kernel, bias): &Recurrent,
    gates: std::ops::Range<usize>,
    h: &str,
) -> String {
    let kernel = graph.constant("recurrent_kernel", &columns(kernel, this.units, gates.clone()));
    let q = graph.op("MatMul", &[h, &kernel], vec![]);
    match bias {
        None => q,
        Some(bias) => {
            let bias = graph.constant("recurrent_bias", &columns(bias, this.units, gates));
            graph.op("Add", &[&q, &bias], vec![])
        }
    }
}

/// h = f(a + h·R).
fn simple_step(graph: &mut Graph, this: &Recurrence, weights: &Recurrent, h: &str, a: &str) -> String {
    let q = product(graph, this, weights, 0..1, h);
    let z = graph.op("Add", &[a, &q], vec![]);
    activate(graph, this.activation, &z, this.units)
}

/// c = f⊙c + i⊙g, h = o⊙t(c).
fn lstm_step(graph: &mut Graph, this: &Recurrence, weights: &Recurrent, [h, c, a]: [&str; 3]) -> Vec<String> {
    let q = product(graph, this, weights, 0..4, h);
    let z = graph.op("Add", &[a, &q], vec![]);
    let parts = graph.split(&z, 4, this.units);
    let mut gates = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        let function = if i == 2 { this.activation } else { this.gate };
        gates.push(activate(graph, function, part, this.units));
    }
    let kept = graph.op("Mul", &[&gates[1], c], vec![]);
    let new = graph.op("Mul", &[&gates[0], &gates[2]], vec![]);
    let c = graph.op("Add", &[&kept, &new], vec![]);
    let shown = activate(graph, this.activation, &c, this.units);
    let h = graph.op("Mul", &[&gates[3], &shown], vec![]);
    vec![h, c]
}

/// h = z⊙h + (1 − z)⊙ĥ, with r⊙ after the product or before it.
fn gru_step(graph: &mut Graph, this: &Recurrence, weights: &Recurrent, h: &str, a: &str) -> String {
    let u = this.units;
    let own = graph.split(a, 3, u);
    let q = product(graph, this, weights, if this.reset_after { 0..3 } else { 0..2 }, h);
    let other = graph.split(&q, if this.reset_after { 3 } else { 2 }, u);
    let mut gate = |i: usize| {
        let sum = graph.op("Add", &[&own[i], &other[i]], vec![]);
        activate(graph, this.gate, &sum, u)
    };
    let (z, r) = (gate(0), gate(1));
    let candidate = if this.reset_after {
        graph.op("Mul", &[&r, &other[2]], vec![])
    } else {
        let reset = graph.op("Mul", &[&r, h], vec![]);
        product(graph, this, weights, 2..3, &reset)
    };
    let sum = graph.op("Add", &[&own[2], &candidate], vec![]);
    let candidate = activate(graph, this.activation, &sum, u);
    // ĥ + z⊙(h − ĥ).
    let difference = graph.op("Sub", &[h, &candidate], vec![]);
    let share = graph.op("Mul", &[&z, &difference], vec![]);
    graph.op("Add", &[&candidate, &share], vec![])
}
