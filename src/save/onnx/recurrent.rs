//! Recurrent layers as ONNX operators or, with non-default activations or a mask, as steps of a `Scan`.
//!
//! The operators are used as all runtimes support them: forward, sequence first, with default functions and explicit
//! initial states. Some runtimes ignore another direction or function, and would be silently wrong.

use ndarray::{ArrayD, Axis, concatenate};

use super::graph::{Graph, int, long};
use super::place::{OnnxLayer, refused, shaped, turned};
use super::recurrence::{Recurrence, zeros};
use super::shape::reversed;
use super::step;
use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Returns the output of the layer; with `return_sequences`, steps are in the order of the layer.
pub(super) fn run<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let kind = &*at.config.kind;
    if at.get("stateful")? {
        return Err(refused("the states of a stateful layer have no place in an ONNX model"));
    }
    let gated = kind != "SimpleRNN";
    let this = Recurrence {
        units: at.get("units")?,
        gates: match kind {
            "LSTM" => 4,
            "GRU" => 3,
            _ => 1,
        },
        activation: at.get("activation")?,
        gate: if gated { at.get("recurrent_activation")? } else { Activation::Sigmoid },
        sequences: at.get("return_sequences")?,
        zero_outputs: at.get("zero_output_for_mask")?,
        reset_after: kind == "GRU" && at.get("reset_after")?,
    };
    let in_order = |graph: &mut Graph, x: &str, backwards: bool| {
        if backwards { reversed(graph, x, at.input[0]) } else { x.into() }
    };
    let backwards = at.get("go_backwards")?;
    let x = in_order(graph, x, backwards);
    // The operators know padding behind the steps alone.
    let mask = at.step_mask().map(|mask| in_order(graph, mask, backwards));
    match (this.activation, this.gate, &mask) {
        (Activation::Tanh, Activation::Sigmoid, None) => this.by_operator(graph, at, &x),
        _ => step::scan(graph, &this, at, &x, mask.as_deref()),
    }
}

impl Recurrence {
    fn by_operator<F: Scalar>(&self, graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
        let kind = &*at.config.kind;
        let lstm = kind == "LSTM";
        let state = zeros(graph, x, &[1], self.units);
        let steps = graph.transpose(x, [1, 0, 2]);
        let kernel = self.by_gate(at.needed("kernel")?, lstm)?;
        let kernel = graph.constant("kernel", &kernel);
        let recurrent = self.by_gate(at.needed("recurrent_kernel")?, lstm)?;
        let recurrent = graph.constant("recurrent_kernel", &recurrent);
        let bias = match at.weight("bias") {
            Some(bias) => graph.constant("bias", &self.biases(bias, lstm)?),
            None => String::new(),
        };
        let mut inputs = vec![&*steps, &kernel, &recurrent, &bias, "", &state];
        if lstm {
            inputs.push(&state);
        }
        let mut attributes = vec![int("hidden_size", long(self.units))];
        if kind == "GRU" {
            attributes.push(int("linear_before_reset", self.reset_after.into()));
        }
        let op = if gated(kind) { kind } else { "RNN" };
        let (name, y) = (graph.name(op), graph.name(op));
        let outputs = if self.sequences { vec![y.clone()] } else { vec![String::new(), y.clone()] };
        graph.node(op, name, &inputs, outputs, attributes);
        // (steps, directions, batch, units), or (directions, batch, units).
        let direction = graph.integers("axis", [self.sequences.into()]);
        let y = graph.op("Squeeze", &[&y, &direction], vec![]);
        Ok(if self.sequences { graph.transpose(&y, [1, 0, 2]) } else { y })
    }

    /// Returns the columns of each gate as rows, in ONNX's order: i, o, f, c for an LSTM, instead of i, f, c, o.
    fn by_gate(&self, matrix: ArrayD<f32>, lstm: bool) -> Result<ArrayD<f32>> {
        let rows = matrix.shape()[0];
        let cut = shaped(matrix, &[rows, self.gates, self.units])?;
        let cut = if lstm { cut.select(Axis(1), &[0, 3, 1, 2]) } else { cut };
        shaped(turned(cut, &[1, 2, 0]), &[1, self.gates * self.units, rows])
    }

    /// Returns the bias of the input product, then that of the recurrent one.
    fn biases(&self, bias: ArrayD<f32>, lstm: bool) -> Result<ArrayD<f32>> {
        let wide = self.gates * self.units;
        let count = bias.len() / wide.max(1);
        let own = self.by_gate(shaped(bias, &[count, wide])?, lstm)?;
        // (1, gates · units, one or two) becomes (1, two · gates · units).
        let pair = if count == 2 {
            own
        } else {
            concatenate(Axis(2), &[own.view(), ArrayD::zeros(own.raw_dim()).view()])
                .map_err(Error::outside)?
        };
        shaped(turned(pair, &[0, 2, 1]), &[1, 2 * wide])
    }
}

/// Returns whether the layer has gates.
fn gated(kind: &str) -> bool {
    kind == "LSTM" || kind == "GRU"
}
